"""Holdings: what the customers who hold each segment add up to, exactly. What the value of a segment is made of.

Whole numbers over the states: adding and removing a customer is exact and order-free, like the cells' sums, so each
batch tells the learner only the difference, and an audit counts the same from the journal. As the cells, they see a
customer as it was at its last look.

Which accumulators are orders, spend and views is read off the declarations: the first plain count of orders, sum of
amounts and count of views.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import FeatureSet, FloatArray
from stream.customer.state import ATYPICAL, States, Status, in_population

LOW_MARGIN = 0.1
"""A margin below it is nearly a coin toss."""
MILLI = 1000
"""What decayed sums are rounded to."""
_FARTHEST = 2.0**40
"""Thousandths of a customer that count at most: a million such customers fit."""


@dataclass(frozen=True)
class Holding:
    """Those who hold one segment."""

    active: int = 0
    """Customers who are not dormant."""
    dormant: int = 0
    lifetime_seconds: int = 0
    """From first to last activity, of all of them."""
    exposure: int = 0
    """Decayed days that the active ones were observed, in thousandths, at the last look of each."""
    orders: int = 0
    """... their decayed orders, in thousandths."""
    spend: int = 0
    """... their decayed spend, refunds taken off, in thousandths."""
    views: int = 0
    """... their decayed views, in thousandths."""
    ready: int = 0
    """Customers whose segment the distances decide: neither cold, nor dormant, nor locked."""
    low_margin: int = 0
    """... of them those with a margin below ``LOW_MARGIN``."""
    atypical: int = 0
    """... of them those who fit no segment."""

    def __add__(self, other: Holding) -> Holding:
        return Holding(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Holding) -> Holding:
        return Holding(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))


NOBODY = Holding()
COLUMNS = tuple(field.name for field in fields(Holding))


def holdings(features: FeatureSet, rows: States) -> dict[int, Holding]:
    """The holding of every segment number that somebody in ``rows`` holds."""
    # No row is copied: a state has 400 bytes, and most of them hold something.
    number = np.where(rows["status"] == Status.CLOSED, 0, rows["segment"])
    if not number.any():
        return {}
    order = np.argsort(number, kind="stable")
    numbers, starts = np.unique(number[order], return_index=True)
    sums = np.add.reduceat(_columns(features, rows)[order], starts, axis=0)
    return {n: Holding(*row) for n, row in zip(numbers.tolist(), sums.tolist(), strict=True) if n}


def difference(after: Mapping[int, Holding], before: Mapping[int, Holding]) -> dict[int, Holding]:
    """What changed, by segment number, without those that did not."""
    changes = {n: after.get(n, NOBODY) - before.get(n, NOBODY) for n in sorted({*after, *before})}
    return {number: change for number, change in changes.items() if change != NOBODY}


def total(held: Mapping[int, Holding], change: Mapping[int, Holding]) -> dict[int, Holding]:
    """Both together, by segment number, without those of whom nothing is left."""
    sums = {n: held.get(n, NOBODY) + change.get(n, NOBODY) for n in sorted({*held, *change})}
    return {number: holding for number, holding in sums.items() if holding != NOBODY}


def written(held: Mapping[int, Holding]) -> list[list[int]]:
    """As plain data; ``read`` is the inverse."""
    return [[number, *astuple(holding)] for number, holding in sorted(held.items())]


def read(rows: Iterable[Sequence[Any]]) -> dict[int, Holding]:
    """Of plain data. Raises ``TypeError`` or ``ValueError`` for anything else."""
    return {index(n): Holding(**dict(zip(COLUMNS, map(index, row), strict=True))) for n, *row in rows}


def traded(features: FeatureSet) -> tuple[int | None, int | None, int | None]:
    """Slots of orders, spend and views, ``None`` for what is not declared."""
    wanted = (("count", "order", None), ("sum", "order", "amount"), ("count", "view", None))
    declared = {(a.kind, a.of, a.field): a.name for a in reversed(features.settings.accumulators) if a.when is None}
    first, second, third = (features.slots[declared[w]].total if w in declared else None for w in wanted)
    return first, second, third


def _columns(features: FeatureSet, rows: States) -> NDArray[np.int64]:
    """One row a customer, in order of the fields of ``Holding``."""
    active, dormant = in_population(rows), rows["status"] == Status.DORMANT
    first, newest, at = (np.where(active | dormant, rows[f], 0) for f in ("first_at", "newest_at", "looked_at"))
    decay = np.where(active, features.decay(newest, at), 0.0)
    columns = np.zeros((len(COLUMNS), len(rows)), np.int64)
    columns[0], columns[1], columns[2] = active, dormant, (newest - first) // 1000
    columns[3] = np.where(active, _milli(features.exposure_days(first, at)), 0)
    for column, slot in enumerate(traded(features), start=4):
        if slot is not None:
            columns[column] = _milli(rows["sums"][:, slot] * decay)
    ready = rows["status"] == Status.READY
    columns[7], columns[8] = ready, ready & (rows["margin"] < LOW_MARGIN)
    columns[9] = ready & ((rows["atypical"] & ATYPICAL) > 0)
    return columns.T


def _milli(values: FloatArray) -> NDArray[np.int64]:
    return np.clip(np.rint(values * MILLI), -_FARTHEST, _FARTHEST).astype(np.int64)
