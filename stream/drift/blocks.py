"""Blocks: means of some hundred events. Single events of a stream are alike their neighbours; block means hardly are.

Fed event by event, ADWIN and Page-Hinkley alarm 8,000 to 19,000 times a million events of an AR(.95) stream that does
not drift; fed means of 200 events, hardly ever (``benchmarks.drift``). Compare batch means, Conway (1963).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Chunks:
    """What workers tell of raw event values: sums over some consecutive events, a row each. They simply add."""

    n: IntArray
    """Events, (c,)."""
    at_ms: IntArray
    """Newest event time of each, (c,)."""
    sums: FloatArray
    """Sums of every signal, (c, s)."""

    @classmethod
    def none(cls, signals: int) -> Chunks:
        """Of no events."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, signals)))

    @classmethod
    def of(cls, values: FloatArray, at_ms: IntArray, events: int) -> Chunks:
        """The chunks, of at most so many ``events`` each, of values (n, s) of events at ``at_ms`` (n,).

        >>> Chunks.of(np.array([[1.0], [2.0], [4.0]]), np.array([5, 7, 6]), 2).sums.tolist()
        [[3.0], [4.0]]
        """
        starts = np.arange(0, len(values), events)
        if not len(starts):
            return cls.none(values.shape[1])
        n = np.diff(np.append(starts, len(values)))
        return cls(n, np.maximum.reduceat(at_ms, starts), np.add.reduceat(values, starts, axis=0))


@dataclass(frozen=True)
class Block:
    """The means of one block."""

    at_ms: int
    """Newest event time."""
    means: FloatArray
    """Of each signal, (s,)."""


@dataclass
class Blocks:
    """Joins chunks, in the order in which they come, to blocks of at least ``events`` events.

    >>> blocks = Blocks(3, 1)
    >>> [b.means.tolist() for b in blocks.take(Chunks.of(np.arange(8.0)[:, None], np.arange(8), 2))]
    [[1.5], [5.5]]
    """

    events: int
    signals: int
    n: int = 0
    at_ms: int = 0
    sums: FloatArray | None = None

    def take(self, chunks: Chunks) -> list[Block]:
        """The blocks that these chunks complete."""
        done = []
        for n, at_ms, sums in zip(chunks.n.tolist(), chunks.at_ms.tolist(), chunks.sums, strict=True):
            self.n, self.at_ms = self.n + n, max(self.at_ms, at_ms)
            self.sums = sums.copy() if self.sums is None else self.sums + sums
            if self.n >= self.events:
                done.append(Block(self.at_ms, self.sums / self.n))
                self.n, self.sums = 0, None
        return done
