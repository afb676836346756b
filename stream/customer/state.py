"""The state of customers as columns, and packed: one row of a numpy structured array a customer.

``sums``, ``first_at`` and ``newest_at`` are the commutative monoid (``fold``). Everything else is the decision part: it
is written only by the step, in offset order, and is not part of the algebra.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from stream.contracts.changes import Cause
from stream.customer.features import NEVER, FeatureSet
from stream.customer.registers import Registers
from stream.errors import BadRecord

SCHEMA = 3
"""Version of the packed form; a store or journal of another one is refused."""
SEEN = 16
"""How many of the newest accepted event ids are remembered: the duplicate window."""
OUT_OF_POPULATION = -1
ATYPICAL = 1
"""Bit of ``atypical`` that is told; the others are what the next look has to remember."""

CAUSES = (
    Cause.FIRST,
    Cause.BEHAVIOUR,
    Cause.TIME,
    Cause.MODEL,
    Cause.SETTINGS,
    Cause.OVERRIDE,
    Cause.MERGE,
    Cause.ERASE,
    Cause.EXPIRED,
)
"""A state holds the cause of its last change as a position here plus 1, 0 = none. Append only."""

States = NDArray[np.void]


class Status(IntEnum):
    """Where a customer stands with us. ``NEW`` is a row that has not been looked at yet."""

    NEW = 0
    COLD = 1
    READY = 2
    DORMANT = 3
    LOCKED = 4
    CLOSED = 5


def segment_id(number: int) -> str:
    """The public id of a segment number, empty for none.

    >>> segment_id(3), segment_id(0)
    ('s3', '')
    """
    return f"s{number}" if number else ""


def group_id(number: int) -> str:
    """The public id of a parent group of segments.

    >>> group_id(2)
    'g2'
    """
    return f"g{number}"


def dtype(features: FeatureSet) -> np.dtype[np.void]:
    """The row of one customer under these features. Times are event time in ms; segments are numbers, 0 = none."""
    d = len(features.names)
    return np.dtype(
        [
            ("sums", "<f8", (features.width,)),
            ("first_at", "<i8"),  # oldest activity
            ("newest_at", "<i8"),  # newest activity
            ("version", "<i8"),  # changes published
            ("looked_at", "<i8"),  # newest look
            ("deadline", "<i8"),  # next timer, NEVER = none
            ("model_version", "<i8"),  # of the last look
            ("since", "<i8"),  # last change, and what was told of it:
            ("change_decided_at", "<i8"),  # wall clock
            ("change_model_version", "<i8"),
            ("change_margin", "<f8"),
            ("change_provisional", "<i2"),
            ("change_cause", "u1"),
            ("margin", "<f8"),
            ("fit", "<f8"),
            ("cell", "<i4"),
            ("epoch", "<i4"),  # of the model at the last look
            ("looks", "<i4"),  # looks by events
            ("segment", "<i2"),
            ("entered_week", "<i4"),  # when the held segment was entered, in weeks of event time
            ("previous", "<i2"),
            ("lock", "<i2"),  # the segment that an analyst holds the customer in
            ("lock_until", "<i8"),  # FOREVER = until let go
            ("provisional", "<i2"),
            ("y", "<i2", (d,)),  # at the last look
            ("entry_y", "<i2", (d,)),  # when the held segment was entered
            ("seen_low", "<u4", (SEEN,)),  # 48-bit hashes of accepted event ids, a ring
            ("seen_high", "<u2", (SEEN,)),
            ("seen_next", "u1"),
            ("status", "u1"),
            ("atypical", "u1"),
        ]
    )


def empty(features: FeatureSet, count: int) -> States:
    """Rows of customers nobody has seen yet."""
    rows = np.zeros(count, dtype(features))
    for field in ("first_at", "newest_at", "looked_at", "deadline", "since", "lock_until"):
        rows[field] = NEVER
    for field in ("margin", "fit", "change_margin"):
        rows[field] = np.nan
    rows["cell"] = OUT_OF_POPULATION
    return rows


def in_population(rows: States) -> NDArray[np.bool_]:
    """Who counts in the model, (n,): was ever active, and is neither dormant nor closed."""
    away = (rows["status"] == Status.DORMANT) | (rows["status"] == Status.CLOSED)
    return np.asarray((rows["newest_at"] != NEVER) & ~away)


def pack(rows: States, registers: Sequence[Registers]) -> list[bytes]:
    """Packed states: the row's bytes, then its registers as JSON where there are any."""
    size, plain = rows.dtype.itemsize, rows.tobytes()
    return [plain[i * size : (i + 1) * size] + held.dump() for i, held in enumerate(registers)]


def unpack(features: FeatureSet, blobs: Sequence[bytes]) -> tuple[States, list[Registers]]:
    """Rows and registers of packed states. Raises ``BadRecord``."""
    shape = dtype(features)
    size = shape.itemsize
    if not blobs:
        return empty(features, 0), []
    if any(len(blob) < size for blob in blobs):
        raise BadRecord("a packed state is too short: other features, or damaged")
    rows = np.frombuffer(b"".join(blob[:size] for blob in blobs), shape).copy()
    return rows, [Registers.load(blob[size:]) for blob in blobs]
