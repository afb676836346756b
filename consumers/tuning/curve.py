"""The trade-off of a margin: fewer changes and fewer returns, bought with later ones."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from consumers.tuning.living import Life, Move

RETURN_EVENTS = 5
"""Back in the segment before within so many of the customer's own events: A-B-A."""
LASTING_DAYS = 30.0
"""A move that lasts so long without any margin was no noise."""
FOUND_DAYS = 60.0
"""... and should be seen within this time."""
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Point:
    """What one margin comes to."""

    margin: float
    changes_per_1000: float
    """Changes of segment in 1,000 events."""
    aba_per_1000: float
    """Those that came back within five of the customer's own events."""
    delay_days_p50: float | None
    """Half of the lasting moves are seen so many days later than without a margin; ``None``: there are none."""
    found: float | None
    """Share of the lasting moves that are seen within 60 days."""


def curve(lives: Sequence[Life], own_times_ms: Mapping[str, Sequence[int]]) -> list[Point]:
    """A point for each life; the first has no margin. ``own_times_ms``: sorted event times of each customer."""
    lasting = lasting_moves(lives[0])
    return [_point(life, lasting, own_times_ms) for life in lives]


def lasting_moves(life: Life) -> list[Move]:
    """Moves after which the customer stayed for ``LASTING_DAYS``, or to the end if that was so long."""
    mine = by_customer(life.moves)
    end = max((move.at_ms for move in life.moves), default=0)
    found = []
    for moves in mine.values():
        for move, following in zip(moves, [*moves[1:], None], strict=True):
            until = following.at_ms if following else end
            if until - move.at_ms >= LASTING_DAYS * DAY_MS:
                found.append(move)
    return found


def returns(moves: Sequence[Move], own_times_ms: Mapping[str, Sequence[int]]) -> int:
    """How many moves went back to the segment before the last one within ``RETURN_EVENTS`` own events.

    >>> there, back = Move("ann", 10, "s1", "s2"), Move("ann", 40, "s2", "s1")
    >>> returns([there, back], {"ann": [10, 20, 30, 40]}), returns([there, back], {"ann": range(0, 60, 5)})
    (1, 0)
    """
    count = 0
    for customer, mine in by_customer(moves).items():
        times = own_times_ms.get(customer, ())
        for there, back in pairwise(mine):
            between = bisect_right(times, back.at_ms) - bisect_right(times, there.at_ms)
            count += back.to_id == there.from_id and between <= RETURN_EVENTS
    return count


def by_customer(moves: Sequence[Move]) -> dict[str, list[Move]]:
    """Each customer's moves in order."""
    mine: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        mine[move.customer].append(move)
    return mine


def _point(life: Life, lasting: Sequence[Move], own_times_ms: Mapping[str, Sequence[int]]) -> Point:
    held = by_customer(sorted((*life.entries, *life.moves), key=lambda move: move.at_ms))
    delays = [_delay_days(held.get(move.customer, []), move) for move in lasting]
    per_1000 = 1000.0 / max(life.events, 1)
    return Point(
        life.margin,
        len(life.moves) * per_1000,
        returns(life.moves, own_times_ms) * per_1000,
        statistics.median(delays) if delays else None,
        sum(delay <= FOUND_DAYS for delay in delays) / len(delays) if delays else None,
    )


def _delay_days(held: Sequence[Move], move: Move) -> float:
    """From a move until a customer who ``held`` these segments is there; infinite if it never is."""
    place = bisect_right([m.at_ms for m in held], move.at_ms)
    if place and held[place - 1].to_id == move.to_id:
        return 0.0
    later = (m.at_ms for m in held[place:] if m.to_id == move.to_id)
    return next(((at_ms - move.at_ms) / DAY_MS for at_ms in later), float("inf"))
