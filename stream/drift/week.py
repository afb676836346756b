"""A week of changes: how many customers changed segment, and how many of these went back to the one before (A-B-A)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stream.drift.blocks import IntArray
from stream.drift.reference import DAY_MS, WEEK


@dataclass
class Week:
    """The newest seven days of event time in which anything was told, so every weekday counts alike.

    >>> week = Week()
    >>> for day in range(9):
    ...     week.add(day * DAY_MS, 1, 10)
    >>> week.counts.tolist()
    [7, 70]
    """

    days: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Flaps and moves by day since 1970."""

    def add(self, at_ms: int, flaps: int, moves: int) -> None:
        """Changes of about that time; what is older than the week is passed over."""
        day = at_ms // DAY_MS
        had_flaps, had_moves = self.days.get(day, (0, 0))
        self.days[day] = (had_flaps + flaps, had_moves + moves)
        newest = max(self.days)
        self.days = {d: counts for d, counts in self.days.items() if newest - d < WEEK}

    @property
    def counts(self) -> IntArray:
        """Flaps, and all moves, (2,)."""
        return np.array(list(self.days.values()), np.int64).reshape(-1, 2).sum(axis=0)
