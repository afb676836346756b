"""Benchmarks: JSON out, ratios within one run, medians; never part of the tests."""
