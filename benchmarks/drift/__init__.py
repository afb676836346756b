"""Drift: false alarms where nothing drifts, delay and misses where something does."""
