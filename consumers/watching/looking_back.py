"""What the shares were before the page began: the counts of now, with the changes of before taken back one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from consumers.watching.history import point
from consumers.watching.places import undo
from stream.contracts.changes import SegmentChange
from stream.contracts.timestamps import ms_of

POINTS = 120


def looked_back(counts: Mapping[str, int], changes: Sequence[SegmentChange]) -> list[dict[str, Any]]:
    """Points of the history, oldest first. ``changes``: the newest ones, in any order."""
    known = sorted(changes, key=lambda change: ms_of(change.occurred_at), reverse=True)
    every = max(1, len(known) // POINTS)
    points, held = [], Counter(counts)
    for number, change in enumerate(known):
        if number % every == 0:
            points.append(point(held, ms_of(change.occurred_at), ms_of(change.decided_at) / 1000))
        undo(held, change)
    return _rising(reversed(points))


def _rising(points: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those whose wall clock goes back: many a replay was decided in another order than it happened."""
    kept: list[dict[str, Any]] = []
    for each in points:
        if not kept or each["wall"] >= kept[-1]["wall"]:
            kept.append(each)
    return kept
