"""How a batch moved the population: from states before and after to the exact sums that the learner adds up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.customer import tenure
from stream.customer.features import STEPS, FeatureSet
from stream.customer.holdings import difference, holdings
from stream.customer.state import OUT_OF_POPULATION, States, Status, in_population
from stream.decision.assign import NONE
from stream.drift.blocks import Chunks
from stream.drift.histograms import grid_counts
from stream.model.learning import LearningRecord
from stream.model.snapshot import NURSERY, IntArray, Vectors


def movement(
    features: FeatureSet,
    now_ms: int,
    looks: int,
    before: States,
    after: States,
    rows: Vectors | None,
    raw: Chunks | None = None,
) -> LearningRecord | None:
    """The learning record of a batch, or ``None`` when nobody moved, nobody ordered (``raw``) and no ``rows`` are.

    A customer's old vector leaves its old cell, its new one enters its new cell; who stands still is left out. What
    it adds to the segment it holds is taken out and put in likewise.
    """
    moved = (before["cell"] != after["cell"]) | (before["y"] != after["y"]).any(axis=1)
    moved &= (before["cell"] != OUT_OF_POPULATION) | (after["cell"] != OUT_OF_POPULATION)
    held, change = _held(before, after), difference(holdings(features, after), holdings(features, before))
    tenures = _tenures(before, after)
    ordered = raw is not None and len(raw.n) > 0
    if not (moved.any() or held or change or tenures or ordered or (rows is not None and len(rows))):
        return None
    old, new = before[moved], after[moved]
    cell = np.concatenate([old["cell"], new["cell"]]).astype(np.int64)
    y = np.concatenate([old["y"], new["y"]])
    sign = np.repeat(np.array([-1, 1], dtype=np.int8), len(old))
    inside, nursery = cell > NURSERY, cell == NURSERY
    cells, n, sums, squares = _deltas(cell[inside], y[inside], sign[inside])
    counted = cell != OUT_OF_POPULATION
    grid = grid_counts(y[counted], sign[counted].astype(np.int64), STEPS).ravel()
    grid_cells = np.flatnonzero(grid)
    return LearningRecord(
        features_id=features.features_id,
        now_ms=now_ms,
        looks=looks,
        cells=cells,
        n=n,
        sums=sums,
        squares=squares,
        nursery_sign=sign[nursery],
        nursery_y=y[nursery],
        held=held,
        holdings=change,
        tenures=tenures,
        rows=y[:0] if rows is None else rows,
        grid_cells=grid_cells,
        grid_n=grid[grid_cells],
        raw=raw or Chunks.none(0),
    )


def _deltas(cell: IntArray, y: Vectors, sign: NDArray[np.int8]) -> tuple[IntArray, ...]:
    """Cells, and the signed sums of 1, y and y^2 of each. Whole numbers, so their order does not matter."""
    order = np.argsort(cell)
    cells, starts = np.unique(cell[order], return_index=True)
    wide, signed = y[order].astype(np.int64), sign[order].astype(np.int64)
    columns = (signed, wide * signed[:, None], wide * wide * signed[:, None])
    return cells, *(np.add.reduceat(column, starts, axis=0) for column in columns)


def _tenures(before: States, after: States) -> tenure.Counts:
    """Few enter or leave a segment, or fall asleep in it: only they are counted."""
    new = (before["segment"] != after["segment"]) | (before["entered_week"] != after["entered_week"])
    new |= in_population(before) != in_population(after)
    return tenure.difference(tenure.tenures(after[new]), tenure.tenures(before[new]))


def _held(before: States, after: States) -> dict[int, int]:
    numbers = np.concatenate([before["segment"], after["segment"]]).astype(np.int64)
    sign = np.repeat([-1, 1], len(before))
    alive = np.concatenate([before["status"], after["status"]]) != Status.CLOSED
    counted = (numbers != NONE) & alive
    segments, index = np.unique(numbers[counted], return_inverse=True)
    delta = np.zeros(len(segments), dtype=np.int64)
    np.add.at(delta, index, sign[counted])
    return {int(s): int(d) for s, d in zip(segments, delta, strict=True) if d}
