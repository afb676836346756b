"""Tenure: how many of those who hold each segment have held it since when. Exact counts, by the week of entry.

Whole numbers over the states, as the holdings: adding and removing a customer is order-free, so each batch tells the
learner only the difference, and an audit counts the same from the journal. Who is dormant does not count: people who
sleep hold nothing together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any

import numpy as np

from stream.customer.features import DAY_MS
from stream.customer.state import States, in_population

WEEK_MS = 7 * DAY_MS
Tenures = Mapping[tuple[int, int], int]
"""Active customers by (segment number, week of their last change), without zeros."""


def tenures(rows: States) -> dict[tuple[int, int], int]:
    """Of the customers in ``rows``."""
    mine = rows[(rows["segment"] > 0) & in_population(rows)]
    pairs = np.stack([mine["segment"].astype(np.int64), mine["since"] // WEEK_MS], axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    return {(number, week): n for (number, week), n in zip(found.tolist(), counts.tolist(), strict=True)}


def difference(after: Tenures, before: Tenures) -> dict[tuple[int, int], int]:
    """What changed.

    >>> difference({(1, 7): 2, (2, 7): 1}, {(1, 7): 2, (1, 6): 1})
    {(1, 6): -1, (2, 7): 1}
    """
    return total(after, {key: -n for key, n in before.items()})


def total(one: Tenures, other: Tenures) -> dict[tuple[int, int], int]:
    """Both together."""
    sums = {key: one.get(key, 0) + other.get(key, 0) for key in sorted({*one, *other})}
    return {key: n for key, n in sums.items() if n}


def holders(of: Tenures, number: int, until_ms: int | None = None) -> int:
    """Active customers who hold a segment: all, or those who do since the week of ``until_ms`` or an earlier one.

    >>> holders({(1, 6): 3, (1, 8): 4, (2, 6): 5}, 1, until_ms=7 * WEEK_MS)
    3
    """
    last = np.inf if until_ms is None else until_ms // WEEK_MS
    return sum(n for (held, week), n in of.items() if held == number and week <= last)


def written(of: Tenures) -> list[list[int]]:
    """As plain data; ``read`` is the inverse."""
    return [[number, week, n] for (number, week), n in sorted(of.items())]


def read(rows: Iterable[Sequence[Any]]) -> dict[tuple[int, int], int]:
    """Of plain data. Raises ``TypeError`` or ``ValueError`` for anything else."""
    return {(index(number), index(week)): index(n) for number, week, n in rows}
