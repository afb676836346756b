"""Assignment: the nearest segment of an immutable model, held by the stabiliser until a rival is clearly nearer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stream.model.snapshot import FloatArray, IntArray, Snapshot, Vectors

NONE = 0
"""Segment number of a customer without a segment."""
_CHUNK = 128
"""Vectors a pass of ``cells``: with 400 cells what is at work then fits a processor's cache, which halves the time."""


@dataclass(frozen=True)
class Decision:
    """What the model says of n customers. All arrays (n,)."""

    segment: IntArray
    """The segment to hold."""
    margin: FloatArray
    """(d_rival - d_held) / max of both, for the held segment after the decision; 1 when there is no rival."""


@dataclass(frozen=True)
class Assigner:
    """A snapshot, ready for arithmetic. Distances are summed feature by feature, so batching cannot change a bit."""

    snapshot: Snapshot

    @cached_property
    def centroids(self) -> FloatArray:
        """Centroids in z, shape (k, d)."""
        return np.array([s.centroid for s in self.snapshot.segments], dtype=np.float64)

    @cached_property
    def numbers(self) -> IntArray:
        """Segment numbers, (k,)."""
        return np.array([s.number for s in self.snapshot.segments], dtype=np.int64)

    @cached_property
    def enterable(self) -> NDArray[np.bool_]:
        """Whether a customer may move there and stay: not in a retiring segment, unless all are, (k,)."""
        staying = np.array([not s.retiring for s in self.snapshot.segments])
        return staying if staying.any() else ~staying

    @cached_property
    def radii(self) -> FloatArray:
        """Radii in z, (k,)."""
        return np.array([s.radius for s in self.snapshot.segments])

    def distances(self, y: Vectors | FloatArray) -> FloatArray:
        """Euclidean distances in z of vectors (..., d) to the k centroids, shape (..., k)."""
        return self.distances_z(self.snapshot.scale.z(y))

    def distances_z(self, z: FloatArray) -> FloatArray:
        """The same from scaled vectors."""
        # In memory one centroid's distances stand side by side: numpy's inner loops are then long.
        squared = np.moveaxis(np.zeros((len(self.centroids), *z.shape[:-1])), 0, -1)
        difference = np.empty_like(squared)
        for feature in range(z.shape[-1]):
            np.subtract(z[..., feature, None], self.centroids[:, feature], out=difference)
            difference *= difference
            squared += difference
        return np.sqrt(squared, out=squared)

    def decide(self, distances: FloatArray, held: IntArray) -> Decision:
        """Hold or move, from distances (n, k) and the numbers of segments held (n,), ``NONE`` for none."""
        index = self.index(held)
        others, margin = self._others(distances, index)
        leaves = np.flatnonzero(~self._stays(index, margin))
        chosen = index.copy()
        chosen[leaves] = others[leaves].argmin(axis=-1)
        _, margin[leaves] = self._others(distances[leaves], chosen[leaves])
        return Decision(self.numbers[chosen], margin)

    def moves(self, distances: FloatArray, held: IntArray) -> NDArray[np.bool_]:
        """Whether ``decide`` would answer another segment than the one held, (..., n) from (..., n, k)."""
        index = self.index(held)
        _, margin = self._others(distances, index)
        return ~self._stays(index, margin)

    def stay(self, distances: FloatArray, held: IntArray) -> Decision:
        """As ``decide``, but of customers who stay in the segments they hold, which must be there."""
        index = self.index(held)
        _, margin = self._others(distances, index)
        return Decision(held, margin)

    def fit(self, y: Vectors, held: IntArray) -> FloatArray:
        """Distance of vectors (n, d) to the segments they hold, in their radii, (n,).

        Without the clip: it keeps heavy tails from bending the segments, but how odd somebody is must not end at it.
        """
        scale, index = self.snapshot.scale, self.index(held)
        squared = np.zeros(len(y))
        for feature in range(y.shape[1]):
            z = (y[:, feature] - scale.mean[feature]) / scale.sd[feature] * scale.weight[feature]
            squared += (z - self.centroids[index, feature]) ** 2
        return np.asarray(np.sqrt(squared) / self.radii[index])

    def may_hold(self, numbers: IntArray) -> NDArray[np.bool_]:
        """Whether customers can be in these segments and stay, (n,): the model has them, and they are not retiring."""
        index = self.index(numbers)
        return np.asarray((index >= 0) & self.enterable[index])

    @cached_property
    def open_ids(self) -> frozenset[str]:
        """Ids of the segments that customers can be in and stay."""
        return frozenset(s.id for s, enters in zip(self.snapshot.segments, self.enterable, strict=True) if enters)

    def index(self, numbers: IntArray) -> IntArray:
        """Positions of segment numbers in the snapshot, -1 where it does not have them."""
        matches = np.asarray(numbers)[:, None] == self.numbers[None, :]
        return np.where(matches.any(axis=1), matches.argmax(axis=1), -1)

    def cells(self, y: Vectors) -> IntArray:
        """Nearest cell of each vector, (n,) cell ids; of equally near ones the first."""
        z, positions = self.snapshot.scale.z(y), self._cells_z
        squares, doubled = (positions**2).sum(axis=1), 2.0 * positions
        nearest = np.empty(len(z), np.int64)
        product = np.empty((min(len(z), _CHUNK), len(positions)))
        nearness = np.empty_like(product)
        for at in range(0, len(z), _CHUNK):
            rows = z[at : at + _CHUNK]
            mine, part = nearness[: len(rows)], product[: len(rows)]
            mine[:] = squares
            for feature in range(z.shape[1]):
                np.multiply(rows[:, feature, None], doubled[:, feature], out=part)
                mine -= part
            mine.argmin(axis=1, out=nearest[at : at + _CHUNK])
        return np.asarray(self.snapshot.cell_ids[nearest])

    @cached_property
    def _cells_z(self) -> FloatArray:
        return self.snapshot.scale.z(self.snapshot.cell_positions)

    def _stays(self, index: IntArray, margin: FloatArray) -> NDArray[np.bool_]:
        held_on = (index >= 0) & self.enterable[index] & (margin >= -self.snapshot.margin)
        return np.asarray(held_on)

    def _others(self, distances: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray]:
        """Distances to enterable segments other than ``index``, else infinite; margin over the nearest of them."""
        is_held = index[:, None] == np.arange(len(self.numbers))
        others = np.where(self.enterable & ~is_held, distances, np.inf)
        d_rival = others.min(axis=-1)
        d_held = np.where(is_held, distances, 0.0).max(axis=-1)
        alone = ~np.isfinite(d_rival) | (index < 0)
        larger = np.maximum(np.maximum(d_rival, d_held), np.finfo(float).tiny)
        gap = np.subtract(d_rival, d_held, out=np.ones_like(d_held), where=~alone)
        return others, np.divide(gap, larger, out=gap, where=~alone)
