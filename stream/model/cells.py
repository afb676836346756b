"""Cells: about a hundred micro-clusters that together hold every customer of the population exactly once.

A cell is a clustering feature (``sums``) with an id that is never reused and a position: the mean of its
customers, or where it was put when it has none. Mass moves only by a customer's own row, so the sums always
equal those over the customers; a macro step may give a cell a place, never a customer. Compare the
micro-clusters of Aggarwal et al. (2003, CluStream), which count events and fade them.
"""

from __future__ import annotations

import numpy as np

from stream.model.snapshot import NURSERY, FloatArray, IntArray, Scale
from stream.model.sums import Sums

REVIVED_AT_MOST = 5
"""Cells that find a new place in one macro step: more would reshuffle what workers are just assigning to."""


class Cells:
    """The cells of one population; rows of all arrays are cells in order of creation or return."""

    def __init__(self, ids: IntArray, sums: Sums, positions: FloatArray, next_id: int) -> None:
        self.ids = ids
        self.sums = sums
        self.next_id = next_id
        self._positions = positions

    @classmethod
    def none(cls, dimensions: int) -> Cells:
        """No cells yet."""
        return cls(np.zeros(0, np.int64), Sums.none(0, dimensions), np.zeros((0, dimensions)), NURSERY + 1)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def positions(self) -> FloatArray:
        """Where the cells are, in steps, (q, d): the mean of its customers, or an empty one's last place."""
        filled = self.sums.n > 0
        self._positions[filled] = self.sums[filled].mean
        return self._positions.copy()

    def knows(self, ids: IntArray) -> bool:
        """Whether all ``ids`` have been cells at some time."""
        return bool(((ids > NURSERY) & (ids < self.next_id)).all())

    def add(self, ids: IntArray, change: Sums) -> None:
        """Add exact changes to cells. A cell given up while customers were on their way to it comes back."""
        returned, first = np.unique(ids, return_index=True)
        is_gone = ~np.isin(returned, self.ids)
        came = change[first[is_gone]]
        self._append(returned[is_gone], came.sums / np.maximum(came.n, 1)[:, None])
        order = np.argsort(self.ids)
        rows = order[np.searchsorted(self.ids, ids, sorter=order)]
        self.sums += change.grouped(rows, len(self))

    def place(self, positions: FloatArray) -> None:
        """New, empty cells at ``positions`` (m, d) in steps, under ids never used before."""
        self._append(np.arange(self.next_id, self.next_id + len(positions)), positions)
        self.next_id += len(positions)

    def skip(self, macro_steps: int) -> None:
        """Never use the ids that so many lost macro steps may have given away: customers may already be there."""
        self.next_id += macro_steps * REVIVED_AT_MOST

    def revive(self, masses: Sums, scale: Scale, limit: int, rng: np.random.Generator) -> None:
        """Give empty cells a new life beside the heaviest ones, and let those above ``limit`` go.

        ``masses`` (q groups) is what each cell stands for; a cell that stands for nobody is empty. Its
        successor, under a new id, is put one standard deviation off the heavy cell's mean, on the axis where
        that is widest.
        """
        held = self.sums.sums.any(axis=1) | self.sums.squares.any(axis=1)
        empty = np.flatnonzero((masses.n == 0) & (self.sums.n == 0) & ~held)
        surplus = min(max(len(self) - limit, 0), len(empty))
        around = _beside_the_heaviest(masses, scale, min(len(empty) - surplus, REVIVED_AT_MOST), rng)
        gone = empty[: surplus + len(around)]
        self._keep(np.setdiff1d(np.arange(len(self)), gone))
        self.place(around)

    def widened(self, dimensions: int) -> Cells:
        """The same cells with further features, in which all customers stand at 0."""
        pad = ((0, 0), (0, dimensions - self._positions.shape[1]))
        sums = Sums(self.sums.n, np.pad(self.sums.sums, pad), np.pad(self.sums.squares, pad))
        return Cells(self.ids, sums, np.pad(self._positions, pad), self.next_id)

    def _append(self, ids: IntArray, positions: FloatArray) -> None:
        none, old = Sums.none(len(ids), positions.shape[1]), self.sums
        parts = ((old.n, none.n), (old.sums, none.sums), (old.squares, none.squares))
        self.sums = Sums(*(np.concatenate(part) for part in parts))
        self._positions = np.concatenate([self._positions, positions])
        self.ids = np.concatenate([self.ids, ids])

    def _keep(self, rows: IntArray) -> None:
        self.ids, self.sums, self._positions = self.ids[rows], self.sums[rows], self._positions[rows]


def _beside_the_heaviest(masses: Sums, scale: Scale, wanted: int, rng: np.random.Generator) -> FloatArray:
    """Up to ``wanted`` places in steps, (w, d), beside the heaviest of the cells that can be split."""
    filled = masses[masses.n > 1]
    sd = np.sqrt(filled.variance)
    spread = sd / scale.sd * scale.weight
    splittable = np.asarray(spread.any(axis=1))
    by_weight = np.flatnonzero(splittable)[np.argsort(-filled.n[splittable], kind="stable")][:wanted]
    places, rows = filled.mean[by_weight], np.arange(len(by_weight))
    widest = spread[by_weight].argmax(axis=1)
    places[rows, widest] += sd[by_weight, widest] * rng.choice([-1.0, 1.0], len(by_weight))
    return np.asarray(places)
