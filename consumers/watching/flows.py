"""Who moved where: in the last quarter of an hour, and among the last changes, whichever time they are of."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

WINDOW_SECONDS = 900
"""Long enough to see a pattern, short enough to be about now."""
SLICE_SECONDS = 15
LAST = 1000
"""On a slow stream, or in a replay of years, so many moves say more than a quarter of an hour does."""
ENOUGH = 20
"""Moves that make a pattern; as in ``static/flows.js``."""

Move = tuple[str, str]


@dataclass
class Flows:
    """Counts moves in slices of wall-clock time, so that memory does not grow with the stream."""

    last: deque[tuple[Move, int]] = field(default_factory=lambda: deque(maxlen=LAST))
    """The newest moves with their event times."""
    slices: dict[int, Counter[Move]] = field(default_factory=dict)

    def add(self, move: Move, occurred_ms: int, decided_ms: int) -> None:
        """One change."""
        if move[0] == move[1]:
            return
        self.last.append((move, occurred_ms))
        self.slices.setdefault(decided_ms // 1000 // SLICE_SECONDS, Counter())[move] += 1

    def to_json(self, now_seconds: float) -> dict[str, Any]:
        """Both matrices as lists of ``[from, to, customers]``, the largest first."""
        oldest = int(now_seconds - WINDOW_SECONDS) // SLICE_SECONDS
        self.slices = {at: counted for at, counted in self.slices.items() if at > oldest}
        times = [at for _, at in self.last]
        return {
            "window_seconds": WINDOW_SECONDS,
            "window": _listed(sum(self.slices.values(), Counter())),
            "last": _listed(Counter(move for move, _ in self.last)),
            "last_count": len(times),
            "last_from": min(times, default=None),
            "last_to": max(times, default=None),
        }


def telling(said: dict[str, Any]) -> tuple[str, list[list[Any]]]:
    """Of the two matrices of ``to_json`` the one that says more, and of when it is: a quarter of an hour in which
    hardly anybody moved says less than the last changes do.

    >>> telling({"window": [["s1", "s2", 20]], "last": [["s1", "s2", 99]], "last_count": 99})
    ('in 15 minutes', [['s1', 's2', 20]])
    >>> telling({"window": [["s1", "s2", 1]], "last": [["s1", "s2", 99]], "last_count": 99})
    ('last 99 moves', [['s1', 's2', 99]])
    """
    if sum(n for *_, n in said["window"]) >= ENOUGH or not said["last"]:
        return f"in {WINDOW_SECONDS // 60} minutes", said["window"]
    return f"last {said['last_count']:,} moves", said["last"]


def _listed(counted: Counter[Move]) -> list[list[Any]]:
    return [[left, entered, n] for (left, entered), n in counted.most_common()]
