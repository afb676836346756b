"""The names of the keys in Redis. Public ones are a contract, those under ``segstream:`` are private."""

from __future__ import annotations

SEGMENT = b"segment:"
"""Prefix of a hash by customer, public."""
FEATURES = b"features:"
"""Prefix of a JSON document by customer, public."""
SEGMENTS = b"segments"
"""Hash: segment id -> JSON profile, public."""


def watermark_key(partition: int) -> str:
    """String: how much of the journal has been applied."""
    return f"segstream:watermark:{partition}"


def states_key(partition: int) -> str:
    """Hash: customer -> packed state."""
    return f"segstream:states:{partition}"


def deadlines_key(partition: int) -> str:
    """Sorted set: customer by the event time (ms) of its next timer."""
    return f"segstream:deadlines:{partition}"


def customers_key(partition: int) -> str:
    """Sorted set: every customer at score 0, hence in name order."""
    return f"segstream:customers:{partition}"


def status_key(partition: int) -> str:
    """String: what is being done to the partition, if anything."""
    return f"segstream:status:{partition}"
