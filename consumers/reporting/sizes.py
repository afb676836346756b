"""How many customers each segment had at the beginning, at the end and in between: the counts of now, taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.reporting.period import Period
from consumers.watching.places import ELSEWHERE, undo
from stream.contracts.changes import SegmentChange
from stream.contracts.timestamps import ms_of

POINTS = 48
"""Steps of the line over a period: half hours of a day."""


@dataclass(frozen=True)
class Size:
    """One segment. ``before`` and ``after``: customers who were awake in it, of whom that many make the shares."""

    id: str
    name: str
    before: int
    after: int
    share_before: float
    share_after: float

    @property
    def points(self) -> float:
        """By how many percentage points its share changed."""
        return 100 * (self.share_after - self.share_before)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "id": self.id,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "share_before": round(self.share_before, 4),
            "share_after": round(self.share_after, 4),
        }


def counts_at(now: Mapping[str, int], changes: Sequence[SegmentChange], times: Sequence[int]) -> list[Counter[str]]:
    """Customers by place just before each of the ``times``, ascending. ``changes``: from the first of them on until
    now, by event time.
    """
    held, left, found = Counter(now), len(changes), list[Counter[str]]()
    occurred = [ms_of(change.occurred_at) for change in changes]
    for at in reversed(times):
        while left and occurred[left - 1] >= at:
            left -= 1
            undo(held, changes[left])
        found.append(+held)
    return found[::-1]


def times_of(period: Period, reached_ms: int | None) -> list[int]:
    """Where the line over the period has its points: no further than event time has reached."""
    end = period.end_ms if reached_ms is None else max(period.begin_ms, min(period.end_ms, reached_ms + 1))
    step = max(1, (period.end_ms - period.begin_ms) // POINTS)
    return sorted({*range(period.begin_ms, end, step), end})


def sizes_of(before: Mapping[str, int], after: Mapping[str, int], names: Mapping[str, str]) -> list[Size]:
    """One for each of ``names``, in that order."""
    everybody = [max(1, awake(counts)) for counts in (before, after)]
    return [
        Size(
            id_,
            name,
            before.get(id_, 0),
            after.get(id_, 0),
            before.get(id_, 0) / everybody[0],
            after.get(id_, 0) / everybody[1],
        )
        for id_, name in names.items()
    ]


def awake(counts: Mapping[str, int]) -> int:
    """Customers who are in a segment and not dormant.

    >>> awake({"s1": 5, "s2": 1, "dormant": 7, "new": 3})
    6
    """
    return sum(n for place, n in counts.items() if place not in ELSEWHERE)
