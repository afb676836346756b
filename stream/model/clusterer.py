"""Population cells as an estimator of river: the learner's own algorithm, on feature dicts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from river import base

from stream.model.grouping import Grouping, match, propose
from stream.model.population import Population
from stream.model.snapshot import NURSERY, OUT, FloatArray, IntArray, Scale, Vectors
from stream.model.sums import Sums

FeatureName = Hashable
Features = Mapping[Any, float]
_FARTHEST_STEP = 32_767


class Frame(Protocol):
    """What is read of a data frame, be it of pandas or of polars."""

    @property
    def columns(self) -> Sequence[Any]:
        """Names of the columns."""
        ...

    def to_numpy(self) -> NDArray[Any]:
        """The values, (rows, columns)."""
        ...

    def __len__(self) -> int: ...


class PopulationCells(base.Clusterer):
    """Clusters a population that moves: k-means over micro-clusters that can also forget where somebody was.

    Each customer counts once, where it stands now. ``learn_one`` is for customers who come and stay where
    they are; whoever moves is told by ``move``, which takes the old vector out of its cell and puts the new
    one into the nearest. Features are quantised, so that this is exact: per cell n, sum and sum of squares in
    integers (BIRCH: Zhang et al., 1996). Every ``macro_rows`` rows the cells are grouped by weighted k-means
    (Lloyd 1982), warm-started and challenged by k-means++ (Arthur and Vassilvitskii 2007). Group numbers live
    on with their customers (Kuhn 1955) and are never reused; distances are between features in standard
    deviations of the population, clipped.

    As in river's own clusterers a missing feature counts as 0, and features may appear at any time.

    Parameters
    ----------
    n_clusters
        Number of groups.
    n_cells
        Number of cells; about 20 a group make the grouping as good as k-means over the customers.
    step
        Features are rounded to multiples of this, and clipped at 32,767 of them on either side of 0.
    clip
        Standard deviations from the mean beyond which a customer is just "far".
    warmup
        Customers to wait for before the first grouping.
    macro_rows
        Rows between two groupings.
    challenger_tries
        Cold starts that each grouping is challenged by.
    challenger_gain
        By which share of the inertia a challenger must be better.
    seed
        Of the random starts.

    Examples
    --------
    >>> model = PopulationCells(n_clusters=2, n_cells=8, step=0.01, warmup=6, macro_rows=1)
    >>> visits = [("ann", 1.0), ("bob", 1.1), ("cid", 0.9), ("dan", 9.0), ("eve", 9.1), ("fay", 8.9)]
    >>> for name, spend in visits:
    ...     model.learn_one({"spend": spend})
    >>> model.predict_one({"spend": 1.05}) == model.predict_one({"spend": 0.5})
    True
    >>> model.predict_one({"spend": 1.0}) == model.predict_one({"spend": 8.0})
    False
    """

    def __init__(
        self,
        n_clusters: int = 5,
        n_cells: int = 100,
        *,
        step: float = 0.001,
        clip: float = 3.0,
        warmup: int = 500,
        macro_rows: int = 2000,
        challenger_tries: int = 4,
        challenger_gain: float = 0.02,
        seed: int = 7,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_cells = n_cells
        self.step = step
        self.clip = clip
        self.warmup = warmup
        self.macro_rows = macro_rows
        self.challenger_tries = challenger_tries
        self.challenger_gain = challenger_gain
        self.seed = seed
        self._columns: dict[FeatureName, int] = {}
        self._population = Population.none(0)
        self._grouping: Grouping | None = None
        self._macro_steps = 0
        self._rows = 0
        self._next_number = 1

    def learn_one(self, x: Features) -> None:
        """A customer comes in at ``x``."""
        self.move(OUT, None, x)

    def predict_one(self, x: Features) -> int:
        """Number of the nearest group, from 1; 0 as long as there is none. Changes nothing."""
        return int(self._numbers(self._vector(x))[0])

    def learn_many(self, X: Frame) -> None:  # noqa: N803 - river's name
        """Customers come in, one a row of a data frame."""
        self._meet(X.columns)
        self._enter(self._vectors(X))
        self._count(len(X))

    def predict_many(self, X: Frame) -> IntArray:  # noqa: N803 - river's name
        """Number of the nearest group of each row, (n,)."""
        return self._numbers(self._vectors(X))

    def move(self, old_cell: int, old_x: Features | None, x: Features | None) -> int:
        """A customer moves from ``old_x``, counted in ``old_cell``, to ``x``. Returns the cell it is in now.

        Pass ``OUT`` (-1) and ``None`` for somebody who was not there before, ``x=None`` for somebody who
        leaves; keep the cell that is returned. Raises ``ValueError`` for a cell that never was.
        """
        if old_cell not in (OUT, NURSERY) and not self._population.cells.knows(np.array([old_cell])):
            raise ValueError(f"there is no cell {old_cell}")
        if old_x is not None and old_cell != OUT:
            self._put(old_cell, self._vector(old_x), -1)
        cell = OUT
        if x is not None:
            self._meet(x)
            cell = int(self._enter(self._vector(x))[0])
        self._count(1)
        return cell

    @property
    def centers(self) -> dict[int, dict[FeatureName, float]]:
        """Centroids by group number, in the units of the features."""
        if self._grouping is None:
            return {}
        rows = (self._grouping.scale.steps(self._grouping.centroids) * self.step).tolist()
        numbers = self._grouping.numbers
        return {n: dict(zip(self._columns, row, strict=True)) for n, row in zip(numbers, rows, strict=True)}

    def _meet(self, names: Iterable[FeatureName]) -> None:
        """Make room for new features: everybody stands at 0 there, and they count from the next grouping."""
        new = sorted((name for name in names if name not in self._columns), key=repr)
        if not new:
            return
        self._columns |= {name: len(self._columns) + i for i, name in enumerate(new)}
        cells, nursery = self._population.cells, self._population.nursery
        d = len(self._columns)
        self._population = Population(cells.widened(d), nursery.widened(d))
        if self._grouping is not None:
            pad, scale = (0, len(new)), self._grouping.scale
            wide = Scale(
                np.pad(scale.mean, pad),
                np.pad(scale.sd, pad, constant_values=1.0),
                np.pad(scale.weight, pad),
                scale.clip,
            )
            self._grouping = replace(
                self._grouping, scale=wide, centroids=np.pad(self._grouping.centroids, ((0, 0), pad))
            )

    def _vector(self, x: Features) -> Vectors:
        return self._quantised(np.array([[float(x.get(name, 0.0)) for name in self._columns]]))

    def _vectors(self, frame: Frame) -> Vectors:
        matrix, given = np.zeros((len(frame), len(self._columns))), frame.to_numpy()
        for column, name in enumerate(frame.columns):
            if name in self._columns:
                matrix[:, self._columns[name]] = given[:, column]
        return self._quantised(matrix)

    def _quantised(self, matrix: FloatArray) -> Vectors:
        if not np.isfinite(matrix).all():
            raise ValueError("a feature is not a finite number")
        return np.clip(np.rint(matrix / self.step), -_FARTHEST_STEP, _FARTHEST_STEP).astype(np.int16)

    def _numbers(self, y: Vectors) -> IntArray:
        if self._grouping is None:
            return np.zeros(len(y), np.int64)
        return np.array(self._grouping.numbers)[self._grouping.labels(y)]

    def _enter(self, y: Vectors) -> IntArray:
        """Put customers into the nearest cells; the cells, (n,)."""
        if self._grouping is None:
            self._population.nursery.add(np.ones(len(y), np.int64), y)
            return np.full(len(y), NURSERY)
        cells = self._population.cells
        rows = self._population.nearest_cells(y, self._grouping.scale)
        cells.add(cells.ids, Sums.of(y, np.ones(len(y), np.int64), rows, len(cells)))
        return cells.ids[rows]

    def _put(self, cell: int, y: Vectors, count: int) -> None:
        counts = np.array([count])
        if cell == NURSERY:
            self._population.nursery.add(counts, y)
        else:
            self._population.cells.add(np.array([cell]), Sums.of(y, counts, np.zeros(1, np.int64), 1))

    def _count(self, rows: int) -> None:
        """A macro step, when it is time."""
        self._rows += rows
        first = self._grouping is None
        is_due = self._population.nursery.customers >= self.warmup if first else self._rows >= self.macro_rows
        if is_due and self._population.total.n[0] > 0:
            self._rows = 0
            self._macro_steps += 1
            self._regroup(np.random.default_rng((self.seed, self._macro_steps)))

    def _regroup(self, rng: np.random.Generator) -> None:
        population, d = self._population, len(self._columns)
        scale = population.scale(np.ones(d), np.ones(d), self.clip)
        if self._grouping is None:
            population.settle(self.n_cells, scale, rng)
        masses = population.masses(scale)
        filled = masses[masses.n > 0]
        proposals = propose(
            filled,
            scale,
            self._grouping,
            rng,
            k=self.n_clusters,
            tries=self.challenger_tries,
            gain=self.challenger_gain,
        )
        regrouping = match(filled, scale, self._grouping, proposals.best, self._next_number)
        self._grouping = regrouping.grouping
        self._next_number = max(self._next_number, *(number + 1 for number in regrouping.grouping.numbers))
        population.cells.revive(masses, scale, self.n_cells, rng)
