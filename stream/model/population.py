"""The population: every customer who is not out, once, where it stands now. Cells and the nursery."""

from __future__ import annotations

import numpy as np

from stream.drift.histograms import GRID
from stream.errors import BadRecord
from stream.model.cells import Cells
from stream.model.kmeans import nearest, seeds
from stream.model.learning import LearningRecord
from stream.model.nursery import Nursery
from stream.model.snapshot import FloatArray, IntArray, Scale, Vectors
from stream.model.sums import Sums


class Population:
    """What the learner knows of the customers: exact, order-free sums."""

    def __init__(self, cells: Cells, nursery: Nursery, grid: IntArray | None = None) -> None:
        self.cells = cells
        self.nursery = nursery
        self.grid = np.zeros((self.dimensions, GRID), np.int64) if grid is None else grid
        """Customers by feature and cell of the grid (``drift.histograms``), (d, GRID)."""

    @classmethod
    def none(cls, dimensions: int) -> Population:
        """Nobody yet."""
        return cls(Cells.none(dimensions), Nursery(dimensions))

    def add(self, record: LearningRecord) -> None:
        """Take in a record's movements, or none: raises ``BadRecord`` if they cannot be this population's."""
        c, m, g, d = len(record.cells), len(record.nursery_sign), len(record.grid_cells), self.dimensions
        expected = (
            (record.cells, np.int64, (c,)),
            (record.n, np.int64, (c,)),
            (record.sums, np.int64, (c, d)),
            (record.squares, np.int64, (c, d)),
            (record.nursery_sign, np.int8, (m,)),
            (record.nursery_y, np.int16, (m, d)),
            (record.grid_cells, np.int64, (g,)),
            (record.grid_n, np.int64, (g,)),
        )
        if any(array.dtype != dtype or array.shape != shape for array, dtype, shape in expected):
            raise BadRecord(f"learning record is not of {d} features")
        if not self.cells.knows(record.cells):
            raise BadRecord("learning record names a cell that never was")
        if g and not 0 <= record.grid_cells.min() <= record.grid_cells.max() < self.grid.size:
            raise BadRecord("learning record counts outside of the grid")
        self.cells.add(record.cells, Sums(record.n, record.sums, record.squares))
        self.nursery.add(record.nursery_sign, record.nursery_y)
        np.add.at(self.grid.ravel(), record.grid_cells, record.grid_n)

    @property
    def dimensions(self) -> int:
        """Number of features d."""
        return int(self.cells.sums.sums.shape[1])

    @property
    def total(self) -> Sums:
        """Everybody, as one group."""
        return self.cells.sums.total() + self.nursery.total

    def scale(self, weight: FloatArray, min_sd: FloatArray, clip: float) -> Scale:
        """Mean and standard deviation of everybody, from the exact sums; there must be somebody.

        ``weight`` and ``min_sd`` (d,), the latter in steps: a feature that varies less counts 0, for its
        distances would be noise blown up to the size of the others.
        """
        total = self.total
        sd = np.sqrt(total.variance[0])
        return Scale(total.mean[0], np.maximum(sd, 1.0), np.where(sd < min_sd, 0.0, weight), clip)

    def settle(self, cells: int, scale: Scale, rng: np.random.Generator) -> None:
        """Place the first cells at up to ``cells`` vectors of the nursery, far apart (k-means++)."""
        y, counts = self.nursery.vectors()
        chosen = seeds(scale.z(y), counts.astype(np.float64), cells, rng)
        self.cells.place(y[chosen].astype(np.float64))

    def masses(self, scale: Scale) -> Sums:
        """What each cell stands for in a macro step: its customers, and the nursery's nearest to it."""
        y, counts = self.nursery.vectors()
        if not len(y):
            return self.cells.sums
        return self.cells.sums + Sums.of(y, counts, self.nearest_cells(y, scale), len(self.cells))

    def nearest_cells(self, y: Vectors, scale: Scale) -> IntArray:
        """Row of the nearest cell of each vector, (m,)."""
        return nearest(scale.z(y), scale.z(self.cells.positions))
