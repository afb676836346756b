"""The nursery, cell 0: everybody's vector before there is a model, one by one.

One sum could not be split into cells later, so the vectors themselves are kept: an exact multiset that
forgets nothing and is empty again once everybody was looked at under the first model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.model.snapshot import IntArray, Vectors
from stream.model.sums import Sums

_STORED = np.dtype("<i2")


class Nursery:
    """A multiset of int16 vectors of one dimension.

    Counts may pass below zero on the way when records of one customer arrive out of order; the end is the
    same.

    >>> nursery = Nursery(2)
    >>> nursery.add(np.array([1, 1, -1], np.int8), np.array([[1, 2], [3, 4], [1, 2]], np.int16))
    >>> nursery.customers, nursery.vectors()[0].tolist()
    (1, [[3, 4]])
    """

    def __init__(self, dimensions: int) -> None:
        self._counts: dict[bytes, int] = {}
        self.total = Sums.none(1, dimensions)
        """Everybody here, as one group."""

    @property
    def customers(self) -> int:
        """Number of customers here."""
        return int(self.total.n[0])

    def add(self, counts: NDArray[np.int8] | IntArray, y: Vectors) -> None:
        """Put in (+) or take out (-) ``counts`` (m,) customers at vectors ``y`` (m, d)."""
        self.total += Sums.of(y, counts.astype(np.int64), np.zeros(len(y), np.int64), 1)
        for count, row in zip(counts.tolist(), np.ascontiguousarray(y, _STORED), strict=True):
            key = row.tobytes()
            now = self._counts.get(key, 0) + count
            if now:
                self._counts[key] = now
            else:
                self._counts.pop(key, None)

    def vectors(self, *, owed: bool = False) -> tuple[Vectors, IntArray]:
        """Distinct vectors (m, d) and how many customers stand there (m,).

        In byte order, so that the order of arrival does not matter. ``owed`` includes those whose count is
        negative so far.
        """
        kept = sorted(item for item in self._counts.items() if owed or item[1] > 0)
        y = np.frombuffer(b"".join(key for key, _ in kept), _STORED).reshape(len(kept), self.total.sums.shape[1])
        return y.astype(np.int16), np.array([count for _, count in kept], dtype=np.int64)

    def widened(self, dimensions: int) -> Nursery:
        """The same customers with further features, in which all stand at 0."""
        y, counts = self.vectors(owed=True)
        wider = Nursery(dimensions)
        wider.add(counts, np.pad(y, ((0, 0), (0, dimensions - y.shape[1]))))
        return wider
