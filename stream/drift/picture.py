"""A picture of the population at one macro step, and how two of them differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stream.drift.blocks import FloatArray, IntArray
from stream.drift.histograms import GRID, binned, quantile_bins
from stream.drift.psi import floor, psi

DECISIONS = ("low_margin", "atypical", "flap")
"""How sure decisions are: of the customers whom distances decide, those nearly as near to another segment and those who
fit none; of the changes of segment, those that go back."""


@dataclass(frozen=True)
class Picture:
    """Where everybody stood, and where the segments did."""

    at_ms: int
    """Event time."""
    epoch: int
    """Of the model: another one has other segments."""
    grid: IntArray
    """Customers by feature and cell of the grid, (d, GRID)."""
    numbers: IntArray
    """Of the assignable segments, (k,)."""
    customers: IntArray
    """Nearest to each, (k,)."""
    centroids: FloatArray
    """In steps, (k, d)."""
    radii: FloatArray
    """In weighted standard deviations, (k,)."""
    per_step: FloatArray
    """Weighted standard deviations a step, (d,)."""
    decisions: IntArray
    """Of each of ``DECISIONS``, so many and of how many, (3, 2); changes are those of the week before."""

    @property
    def sample(self) -> int:
        """Customers in it."""
        return int(self.customers.sum())

    @cached_property
    def by_number(self) -> dict[int, int]:
        """Customers of each segment."""
        return dict(zip(self.numbers.tolist(), self.customers.tolist(), strict=True))


@dataclass(frozen=True)
class Difference:
    """How ``now`` differs from a ``reference``, over ``bins`` (d, GRID) of each feature."""

    reference: Picture
    now: Picture
    bins: IntArray

    @cached_property
    def share_psi(self) -> float:
        """Of the customers by segment; one that is not there any more, or was not yet, has none."""
        numbers = sorted({*self.reference.by_number, *self.now.by_number})
        now, then = (np.array([p.by_number.get(n, 0) for n in numbers]) for p in (self.now, self.reference))
        return psi(now, then)

    @cached_property
    def share_floor(self) -> float:
        """Noise of ``share_psi``."""
        segments = len({*self.reference.by_number, *self.now.by_number})
        return floor(segments, self.now.sample, self.reference.sample)

    @cached_property
    def feature_psi(self) -> list[float]:
        """Of the customers by bin, of each feature."""
        pairs = zip(self.now.grid, self.reference.grid, self.bins, strict=True)
        return [psi(binned(now, bins), binned(then, bins)) for now, then, bins in pairs]

    @cached_property
    def feature_floors(self) -> list[float]:
        """Noise of each ``feature_psi``."""
        return [floor(int(bins.max()) + 1, self.now.sample, self.reference.sample) for bins in self.bins]

    @cached_property
    def decision_psi(self) -> list[float]:
        """Of each of ``DECISIONS``, those against the others; 0 where there are no more than before: no drift."""
        return [_worse(now, then) for now, then in zip(self.now.decisions, self.reference.decisions, strict=True)]

    @cached_property
    def decision_floors(self) -> list[float]:
        """Noise of each ``decision_psi``."""
        pairs = zip(self.now.decisions.tolist(), self.reference.decisions.tolist(), strict=True)
        return [floor(2, now, then) for (_, now), (_, then) in pairs]

    @cached_property
    def shifts(self) -> dict[int, float]:
        """How far each segment's centroid is from where it was, in its radii then, by number."""
        then = {int(n): i for i, n in enumerate(self.reference.numbers)}
        shifts = {}
        for number, centroid in zip(self.now.numbers.tolist(), self.now.centroids, strict=True):
            if number in then:
                off = (centroid - self.reference.centroids[then[number]]) * self.reference.per_step
                shifts[number] = float(np.linalg.norm(off) / self.reference.radii[then[number]])
        return shifts


def bins_of(picture: Picture, bins: int) -> IntArray:
    """Quantile bins of each feature, (d, GRID)."""
    return np.array([quantile_bins(counts, bins) for counts in picture.grid], np.int64).reshape(-1, GRID)


def _worse(now: IntArray, then: IntArray) -> float:
    """PSI of so many of how many, (2,), if that is a greater share than it was."""
    (part, whole), (part_then, whole_then) = now.tolist(), then.tolist()
    if part * whole_then <= part_then * whole:
        return 0.0
    return psi(np.array([part, whole - part]), np.array([part_then, whole_then - part_then]))
