"""Clustering features: what is kept of a group of customers instead of the customers.

``(n, sum y, sum y^2)`` of Zhang, Ramakrishnan and Livny (1996, BIRCH). Here ``y`` are int16 steps and the
sums int64, so adding a customer, removing one and merging two groups are exact and order-free: 10^9 customers
at the far end of the range still fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.model.snapshot import FloatArray, IntArray, Vectors


@dataclass(frozen=True)
class Sums:
    """Exact sums of g groups of customers over d features."""

    n: IntArray
    """Customers, (g,)."""
    sums: IntArray
    """Sum y, (g, d)."""
    squares: IntArray
    """Sum y^2, (g, d)."""

    @classmethod
    def none(cls, groups: int, dimensions: int) -> Sums:
        """Groups without customers."""
        shape = (groups, dimensions)
        return cls(np.zeros(groups, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64))

    @classmethod
    def of(cls, y: Vectors, counts: IntArray, labels: IntArray, groups: int) -> Sums:
        """Sums of m vectors (m, d), each standing for ``counts`` customers of group ``labels``, both (m,).

        >>> y = np.array([[1, 2], [3, -4]], dtype=np.int16)
        >>> Sums.of(y, np.array([1, 2]), np.array([0, 0]), 1).sums.tolist()
        [[7, -6]]
        """
        wide = y.astype(np.int64)
        weighted = wide * counts[:, None]
        return cls(counts, weighted, weighted * wide).grouped(labels, groups)

    def grouped(self, labels: IntArray, groups: int) -> Sums:
        """The sums of every label 0 .. groups - 1; ``labels`` (g,)."""
        total = Sums.none(groups, self.sums.shape[1])
        np.add.at(total.n, labels, self.n)
        np.add.at(total.sums, labels, self.sums)
        np.add.at(total.squares, labels, self.squares)
        return total

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.n + other.n, self.sums + other.sums, self.squares + other.squares)

    def __len__(self) -> int:
        return len(self.n)

    def __getitem__(self, groups: IntArray | NDArray[np.bool_]) -> Sums:
        """The sums of some groups: indices or a mask."""
        return Sums(self.n[groups], self.sums[groups], self.squares[groups])

    def total(self) -> Sums:
        """All groups as one."""
        return Sums(*(part.sum(axis=0, keepdims=True) for part in (self.n, self.sums, self.squares)))

    @property
    def mean(self) -> FloatArray:
        """Mean vectors in steps, (g, d). Groups must have customers."""
        return self.sums / self.n[:, None]

    @property
    def variance(self) -> FloatArray:
        """Variances within the groups in steps^2, (g, d). Groups must have customers."""
        return np.maximum(self.squares / self.n[:, None] - self.mean**2, 0.0)
