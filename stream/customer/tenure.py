"""Tenure: how many of those who hold each segment have held it since when. Exact counts, by the week of entry.

Whole numbers over the states, as the holdings: adding and removing a customer is order-free, so each batch tells the
learner only the difference, and an audit counts the same from the journal. Who is dormant does not count, but has not
left: awake again, it holds the segment since it entered it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any

import numpy as np

from stream.customer.features import DAY_MS
from stream.customer.state import States, in_population

WEEK_MS = 7 * DAY_MS
Tenures = Mapping[int, Mapping[int, int]]
"""Active customers by segment number and week of entry, without zeros."""
Counts = dict[int, dict[int, int]]
"""The same, to be added to."""


def tenures(rows: States) -> Counts:
    """Of the customers in ``rows``."""
    mine = rows[(rows["segment"] > 0) & in_population(rows)]
    pairs = np.stack([mine["segment"], mine["entered_week"]], axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    weeks: Counts = {}
    for (number, week), n in zip(found.tolist(), counts.tolist(), strict=True):
        weeks.setdefault(number, {})[week] = n
    return weeks


def add(to: Counts, change: Tenures, sign: int = 1) -> None:
    """Add a change, or with ``sign`` -1 take it away, in place.

    >>> add(counts := {1: {6: 1}, 2: {6: 4}}, {1: {6: -1}, 2: {7: 2}}); counts
    {2: {6: 4, 7: 2}}
    """
    for number, weeks in change.items():
        mine = to.setdefault(number, {})
        for week, n in weeks.items():
            mine[week] = mine.get(week, 0) + sign * n
            if not mine[week]:
                del mine[week]
        if not mine:
            del to[number]


def difference(after: Tenures, before: Tenures) -> Counts:
    """What changed.

    >>> difference({1: {7: 2}, 2: {7: 1}}, {1: {7: 2, 6: 1}})
    {1: {6: -1}, 2: {7: 1}}
    """
    change: Counts = {}
    add(change, after)
    add(change, before, sign=-1)
    return change


def holders(of: Tenures, number: int, until_ms: int | None = None) -> int:
    """Active customers who hold a segment: all, or those who do since the week of ``until_ms`` or an earlier one.

    >>> holders({1: {6: 3, 8: 4}, 2: {6: 5}}, 1, until_ms=7 * WEEK_MS)
    3
    """
    last = np.inf if until_ms is None else until_ms // WEEK_MS
    return sum(n for week, n in of.get(number, {}).items() if week <= last)


def written(of: Tenures) -> list[list[Any]]:
    """As plain data; ``read`` is the inverse."""
    return [[number, sorted(weeks.items())] for number, weeks in sorted(of.items())]


def read(rows: Iterable[Sequence[Any]]) -> Counts:
    """Of plain data. Raises ``TypeError`` or ``ValueError`` for anything else."""
    return {index(number): {index(week): index(n) for week, n in weeks} for number, weeks in rows}
