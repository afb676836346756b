"""A picture of the population at one macro step, and how two of them differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stream.drift.blocks import FloatArray, IntArray
from stream.drift.histograms import GRID, binned, quantile_bins
from stream.drift.psi import floor, psi


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
