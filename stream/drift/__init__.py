"""Drift that does not cry wolf: what moved, since when, and by how much against what is usual. Pure; no I/O.

Charts watch block means of raw event values, the population stability index watches the population; both tell their
drift in episodes. A drifting signal says that the customers changed, not that anything is broken.
"""
