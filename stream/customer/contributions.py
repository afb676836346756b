"""What events add to the accumulators: from decoded events to a matrix, with one pass over the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from operator import attrgetter
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
ACTIVE = ("order", "view")
"""Event types that are a sign of life."""


def contributions(features: FeatureSet, events: Sequence[Event]) -> FloatArray:
    """What each event adds to each slot, shape (events, width)."""
    x = np.zeros((len(events), features.width))
    if not events:
        return x
    local = _local_ms(features.settings.timezone, np.array([e.occurred_at_ms for e in events]))
    always = np.ones(len(events), dtype=bool)
    during = {None: always, "weekend": _is_weekend(local), "evening": _is_evening(local)}
    is_type = {name: np.array([e.type == name for e in events]) for name in ACTIVE}
    x[:, ACTIVITY] = is_type["order"] | is_type["view"]
    lines = _Lines(events)
    for accumulator in features.settings.accumulators:
        slots = features.slots[accumulator.name]
        if accumulator.field == "lines.amount":
            x[:, slots.first : slots.total + 1] = lines.sums(accumulator, during)
            continue
        field = accumulator.field
        value = 1.0 if field is None else np.fromiter(map(attrgetter(field), events), np.float64)
        x[:, slots.first] = np.where(is_type[accumulator.of] & during[accumulator.when], value, 0.0)
    return x


class _Lines:
    """The lines of all baskets of a batch, as columns."""

    def __init__(self, events: Sequence[Event]) -> None:
        baskets = [e.lines for e in events]
        lines = list(chain.from_iterable(baskets))
        category, amount, private_label = zip(*lines, strict=True) if lines else ((), (), ())
        self._events = len(events)
        self._event = np.repeat(np.arange(len(events)), list(map(len, baskets)))
        self._category: tuple[str, ...] = category
        self._amount = np.array(amount, dtype=np.float64)
        self._private_label = np.array(private_label, dtype=bool)

    def sums(self, accumulator: Accumulator, during: Mapping[str | None, NDArray[np.bool_]]) -> FloatArray:
        """What each event's lines add up to, by category and then in total, or only in total: (events, slots)."""
        is_private = accumulator.when == "private_label"
        counts = self._private_label if is_private else during[accumulator.when][self._event]
        amount = np.where(counts, self._amount, 0.0)
        total = self._by_event(amount, np.zeros(len(amount), dtype=np.int64), 1)
        if accumulator.kind != "mix":
            return total
        code = {value: i for i, value in enumerate(accumulator.values)}
        other = len(code)
        slot = np.array([code.get(category, other) for category in self._category], dtype=np.int64)
        return np.concatenate([self._by_event(amount, slot, other + 1), total], axis=1)

    def _by_event(self, amount: FloatArray, slot: TimeArray, slots: int) -> FloatArray:
        """Sums by event and slot. ``np.bincount`` adds in line order, so the bits are an event's own."""
        flat = np.bincount(self._event * slots + slot, amount, self._events * slots)
        return np.asarray(flat, dtype=np.float64).reshape(self._events, slots)


def _local_ms(timezone: str, at_ms: TimeArray) -> TimeArray:
    offsets = [_offset_ms(timezone, hour) for hour in (at_ms // HOUR_MS).tolist()]
    return at_ms + np.array(offsets, dtype=np.int64)


@lru_cache(maxsize=65_536)
def _offset_ms(timezone: str, hour: int) -> int:
    """Offset from UTC in an hour since 1970. Zones change theirs on whole hours of UTC, but for a few, once a year."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    offset = moment.astimezone(ZoneInfo(timezone)).utcoffset()
    return round((offset or timedelta(0)).total_seconds() * 1000)


def _is_weekend(local_ms: TimeArray) -> NDArray[np.bool_]:
    return np.asarray((local_ms // DAY_MS + _THURSDAY) % 7 >= _SATURDAY)


def _is_evening(local_ms: TimeArray) -> NDArray[np.bool_]:
    return np.asarray(local_ms % DAY_MS // HOUR_MS >= EVENING_STARTS_HOUR)
