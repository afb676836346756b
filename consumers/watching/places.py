"""Where a customer is, as the page counts it: in a segment and awake, dormant, too new to place, or nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from stream.contracts.changes import Assignment, SegmentChange

NEW = "new"
"""Never seen before, or seen but not placed yet."""
DORMANT = "dormant"
CLOSED = "closed"
ELSEWHERE = (NEW, DORMANT, CLOSED)


def place_of(at: Assignment | None, otherwise: str) -> str:
    """The place of one side of a change; ``otherwise`` where there is no such side."""
    return place(at.id, at.status.value) if at is not None else otherwise


def place(id_: str, status: str) -> str:
    """The place by the public hash.

    >>> place("s3", "ready"), place("s3", "dormant"), place("", "cold")
    ('s3', 'dormant', 'new')
    """
    if status == DORMANT:
        return DORMANT
    return id_ or NEW


def move(change: SegmentChange) -> tuple[str, str]:
    """From where to where. Both are the same if only the status changed."""
    return place_of(change.previous, NEW), place_of(change.current, CLOSED)


def undo(held: Counter[str], change: SegmentChange) -> None:
    """Take one change back, in place: who had not been there before is nowhere again."""
    left, entered = move(change)
    if change.current is not None:
        held[entered] = max(0, held[entered] - 1)
    if change.previous is not None:
        held[left] += 1


def moved(counts: Mapping[str, int], changes: Iterable[SegmentChange]) -> Counter[str]:
    """The counts after the changes. Who was never seen before leaves nowhere."""
    after = Counter(counts)
    for change in changes:
        left, entered = move(change)
        if change.previous is not None:
            after[left] = max(0, after[left] - 1)
        if change.current is not None:
            after[entered] += 1
    return after
