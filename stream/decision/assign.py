"""Assignment: the nearest segment of an immutable model, held by the stabiliser until a rival is clearly nearer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stream.model.snapshot import FloatArray, IntArray, Snapshot, Vectors

NONE = 0
"""Segment number of a customer without a segment."""


@dataclass(frozen=True)
class Decision:
    """What the model says of n customers. All arrays (n,)."""

    segment: IntArray
    """The segment to hold."""
    margin: FloatArray
    """(d_rival - d_held) / max of both, for the held segment after the decision; 1 when there is no rival."""
    fit: FloatArray
    """Distance to the held segment in its radii."""


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
        """Whether a customer may move there: not into a retiring segment, (k,)."""
        return np.array([not s.retiring for s in self.snapshot.segments])

    @cached_property
    def radii(self) -> FloatArray:
        """Radii in z, (k,)."""
        return np.array([s.radius for s in self.snapshot.segments])

    def distances(self, y: Vectors | FloatArray) -> FloatArray:
        """Euclidean distances in z of n vectors to the k centroids, shape (n, k)."""
        return self.distances_z(self.snapshot.scale.z(y))

    def distances_z(self, z: FloatArray) -> FloatArray:
        """The same from scaled vectors."""
        squared = np.zeros((len(z), len(self.centroids)))
        for feature in range(z.shape[1]):
            difference = z[:, feature, None] - self.centroids[None, :, feature]
            squared += difference * difference
        return np.asarray(np.sqrt(squared))

    def decide(self, distances: FloatArray, held: IntArray) -> Decision:
        """Hold or move, from distances (n, k) and the numbers of the segments held (n,), ``NONE`` for none."""
        index = self.index(held)
        rival, margin = self._rival(distances, index)
        stays = (index >= 0) & self.enterable[index] & (margin >= -self.snapshot.margin)
        chosen = np.where(stays, index, rival)
        _, margin = self._rival(distances, chosen)
        return Decision(self.numbers[chosen], margin, distances[np.arange(len(chosen)), chosen] / self.radii[chosen])

    def index(self, numbers: IntArray) -> IntArray:
        """Positions of segment numbers in the snapshot, -1 where it does not have them."""
        matches = np.asarray(numbers)[:, None] == self.numbers[None, :]
        return np.where(matches.any(axis=1), matches.argmax(axis=1), -1)

    def cells(self, y: Vectors) -> IntArray:
        """Nearest cell of each vector, (n,) cell ids."""
        z = self.snapshot.scale.z(y)
        return self.snapshot.cell_ids[(self._cell_squares - 2.0 * (z @ self._cells_z.T)).argmin(axis=1)]

    @cached_property
    def _cells_z(self) -> FloatArray:
        return self.snapshot.scale.z(self.snapshot.cell_positions)

    @cached_property
    def _cell_squares(self) -> FloatArray:
        return np.asarray((self._cells_z**2).sum(axis=1))

    def _rival(self, distances: FloatArray, index: IntArray) -> tuple[IntArray, FloatArray]:
        """Nearest enterable segment other than ``index``, and the margin over it."""
        rows = np.arange(len(distances))
        known = index >= 0
        d_held = np.where(known, distances[rows, index], np.inf)
        others = np.where(self.enterable[None, :], distances, np.inf)
        others[rows[known], index[known]] = np.inf
        rival = others.argmin(axis=1)
        d_rival = others[rows, rival]
        alone = ~np.isfinite(d_rival) | ~known
        larger = np.maximum(np.maximum(d_rival, d_held), np.finfo(float).tiny)
        gap = np.subtract(d_rival, d_held, out=np.zeros_like(d_held), where=~alone)
        return rival, np.where(alone, 1.0, gap / np.where(alone, 1.0, larger))
