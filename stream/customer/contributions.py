"""What events add to the accumulators: from decoded events to a matrix, with one pass over the batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from stream.contracts.events import Event
from stream.customer.features import ACTIVITY, DAY_MS, FeatureSet, FloatArray, TimeArray
from stream.settings import Accumulator

HOUR_MS = 3_600_000
EVENING_STARTS_HOUR = 17
_THURSDAY = 3
"""1970-01-01 was one; Monday is 0."""
_SATURDAY = 5
ACTIVE = frozenset({"order", "view"})
"""Event types that are a sign of life."""


def contributions(features: FeatureSet, events: Sequence[Event]) -> FloatArray:
    """What each event adds to each slot, shape (events, width)."""
    x = np.zeros((len(events), features.width))
    if not events:
        return x
    local = _local_ms(features.settings.timezone, np.array([e.occurred_at_ms for e in events]))
    conditions = {None: np.True_, "weekend": _is_weekend(local), "evening": _is_evening(local)}
    types = np.array([e.type for e in events])
    x[:, ACTIVITY] = [e.type in ACTIVE for e in events]
    lines = _Lines(events)
    for accumulator in features.settings.accumulators:
        slots = features.slots[accumulator.name]
        if accumulator.field == "lines.amount":
            lines.add(x, accumulator, slots.first, slots.total)
            continue
        value = 1.0 if accumulator.field is None else np.array([getattr(e, accumulator.field) for e in events])
        x[:, slots.first] = np.where((types == accumulator.of) & conditions[accumulator.when], value, 0.0)
    return x


class _Lines:
    """The lines of all baskets of a batch, as columns."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.event = np.repeat(np.arange(len(events)), [len(e.lines) for e in events])
        self.category = [category for e in events for category, _, _ in e.lines]
        self.amount = np.array([amount for e in events for _, amount, _ in e.lines])
        self.private_label = np.array([private for e in events for _, _, private in e.lines], dtype=bool)

    def add(self, x: FloatArray, accumulator: Accumulator, first: int, total: int) -> None:
        """Add this accumulator's share of the lines; ``np.add.at`` adds in line order, so the bits are an event's own."""
        amount = np.where(self.private_label, self.amount, 0.0) if accumulator.when == "private_label" else self.amount
        np.add.at(x, (self.event, total), amount)
        if accumulator.kind == "mix":
            code = {value: first + i for i, value in enumerate(accumulator.values)}
            other = first + len(accumulator.values)
            slot = np.array([code.get(category, other) for category in self.category], dtype=np.int64)
            np.add.at(x, (self.event, slot), amount)


def _local_ms(timezone: str, at_ms: TimeArray) -> TimeArray:
    offsets = [_offset_ms(timezone, hour) for hour in (at_ms // HOUR_MS).tolist()]
    return at_ms + np.array(offsets, dtype=np.int64)


@lru_cache(maxsize=65_536)
def _offset_ms(timezone: str, hour: int) -> int:
    """Offset from UTC in an hour since 1970; zones change theirs on whole hours (quarter hours in a few, once a year)."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    offset = moment.astimezone(ZoneInfo(timezone)).utcoffset()
    return round((offset or timedelta(0)).total_seconds() * 1000)


def _is_weekend(local_ms: TimeArray) -> NDArray[np.bool_]:
    return np.asarray((local_ms // DAY_MS + _THURSDAY) % 7 >= _SATURDAY)


def _is_evening(local_ms: TimeArray) -> NDArray[np.bool_]:
    return np.asarray(local_ms % DAY_MS // HOUR_MS >= EVENING_STARTS_HOUR)
