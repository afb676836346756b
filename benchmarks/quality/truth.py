"""What only known truth can tell: how late a true change is seen, who is right early, who an id stands for.

The right segment of a persona on a day is the one that most of its active customers hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.agreement import ACTIVE_DAYS, persona
from benchmarks.quality.data import Data, IntArray
from benchmarks.quality.history import NONE, History
from stream.customer.features import DAY_MS

WITHIN_DAYS = 60
THIRD = 3


@dataclass(frozen=True)
class Days:
    """Held segment, true persona and activity of every customer at the end of every day, (customers, days)."""

    held: IntArray
    persona: IntArray
    active: NDArray[np.bool_]

    @classmethod
    def of(cls, data: Data, history: History) -> Days:
        """Every day of the data."""
        ends = [data.end_of_day_ms(day) for day in range(data.days)]
        held = np.stack([history.held(ms) for ms in ends], axis=1)
        truth = np.stack([persona(data, day) for day in range(data.days)], axis=1)
        seen = np.zeros_like(held, dtype=bool)
        seen[data.customer, (data.at_ms - data.start_ms) // DAY_MS] = True
        totals = np.cumsum(seen, axis=1)
        totals[:, ACTIVE_DAYS:] -= totals[:, :-ACTIVE_DAYS].copy()
        return cls(held, truth, totals > 0)

    def counts(self, day: int) -> IntArray:
        """Active customers by (segment, persona) at the end of a day."""
        who = self.active[:, day] & (self.held[:, day] != NONE) & (self.persona[:, day] >= 0)
        table = np.zeros((int(self.held.max()) + 1, int(self.persona.max()) + 1), np.int64)
        np.add.at(table, (self.held[who, day], self.persona[who, day]), 1)
        return table

    def right(self) -> NDArray[np.bool_]:
        """Whether each customer holds the right segment of its persona, (customers, days)."""
        found = np.zeros(self.held.shape, bool)
        for day in range(self.held.shape[1]):
            table = self.counts(day)
            home = np.where(table.max(axis=0) > 0, table.argmax(axis=0), NONE)
            found[:, day] = (self.held[:, day] != NONE) & (self.held[:, day] == home[self.persona[:, day]])
        return found


@dataclass(frozen=True)
class Delays:
    """True changes that could be watched for 60 days: days until the right segment was held, infinite for never."""

    days: NDArray[np.float64]

    @property
    def p50(self) -> float | None:
        """Median over all of them; ``None`` if there are none, or half are never seen."""
        middle = float(np.median(self.days)) if len(self.days) else np.inf
        return middle if np.isfinite(middle) else None

    @property
    def found_within(self) -> float | None:
        """Share seen within 60 days."""
        return float(np.mean(self.days <= WITHIN_DAYS)) if len(self.days) else None


def delays(data: Data, days: Days, right: NDArray[np.bool_]) -> Delays:
    """Of customers who become another persona and stay it for 60 days. Who is right at once had nothing to find."""
    assert data.truth is not None
    lives = data.truth[:, : data.days].astype(np.int64)
    customer, day = np.nonzero((lives[:, 1:] != lives[:, :-1]) & (lives[:, 1:] >= 0) & (lives[:, :-1] >= 0))
    found = []
    for who, on in zip(customer.tolist(), (day + 1).tolist(), strict=True):
        stays = np.append(lives[who, on:] != lives[who, on], True).argmax()
        held_before = days.held[who, on - 1] != NONE
        if stays > WITHIN_DAYS and held_before and not right[who, on - 1 : on + 1].all():
            hits = right[who, on : on + stays]
            found.append(float(hits.argmax()) if hits.any() else np.inf)
    return Delays(np.array(found))


def right_at_third_event(data: Data, history: History, days: Days, from_ms: int) -> float | None:
    """Share of the customers who came after a moment whose third event put them where their persona is."""
    third = np.flatnonzero(data.nth == THIRD)
    first_ms = np.full(len(data.names), np.iinfo(np.int64).max)
    np.minimum.at(first_ms, data.customer, data.at_ms)
    third = third[first_ms[data.customer[third]] >= from_ms]
    who, day = data.customer[third], (data.at_ms[third] - data.start_ms) // DAY_MS
    held = history.held_after(who, data.at_ms[third])
    homes = [days.counts(on)[:, days.persona[c, on]] for c, on in zip(who.tolist(), day.tolist(), strict=True)]
    right = [table.max() > 0 and table.argmax() == h for table, h in zip(homes, held.tolist(), strict=True)]
    return float(np.mean(right)) if right else None


def ids_of_two_personas(days: Days, from_day: int = 0, least_days: int = WITHIN_DAYS) -> list[int]:
    """Segments that stood for one persona and then for another: most of their active customers were of it for
    ``least_days`` on end.

    Truth changes overnight and is seen in behaviour only after weeks: no segmentation has none with ``least_days`` 1.
    """
    served: dict[int, set[int]] = {}
    run: dict[int, tuple[int, int]] = {}
    for day in range(from_day, days.held.shape[1]):
        table = days.counts(day)
        most = np.flatnonzero(table.max(axis=1) * 2 > table.sum(axis=1)).tolist()
        majority = {segment: int(table[segment].argmax()) for segment in most}
        run = {s: (p, run[s][1] + 1 if s in run and run[s][0] == p else 1) for s, p in majority.items()}
        for segment, (whose, length) in run.items():
            if length >= least_days:
                served.setdefault(segment, set()).add(whose)
    return sorted(segment for segment, personas in served.items() if len(personas) > 1)
