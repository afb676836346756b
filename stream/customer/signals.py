"""Raw signals: what is watched of the orders themselves, before any memory of the customer smooths it.

Read off the declarations: each sum as a logarithm, for money has a heavy tail, and each value of a mix as its share of
the basket. Counts are not signals: that an order was placed at a weekend says when it was, and not what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stream.customer.features import FeatureSet, FloatArray


@dataclass(frozen=True)
class RawSignals:
    """The signals of one set of declarations."""

    features: FeatureSet

    @cached_property
    def names(self) -> tuple[str, ...]:
        """``spend``, or ``departments.MEAT``: the accumulator, and the value of a mix."""
        sums = tuple(name for name, _ in self._sums)
        return sums + tuple(f"{name}.{value}" for name, values in self._mixes for value in values)

    def values(self, x: FloatArray) -> FloatArray:
        """Of each order, (n, s), from what it adds to the accumulators, (n, width) (``contributions``)."""
        amounts = x[:, [slot for _, slot in self._sums]]
        columns = [np.sign(amounts) * np.log1p(np.abs(amounts))]
        for name, values in self._mixes:
            slots = self.features.slots[name]
            total = x[:, slots.total, None]
            parts = x[:, slots.first : slots.first + len(values)]
            columns.append(np.divide(parts, total, out=np.zeros_like(parts), where=total > 0))
        return np.concatenate(columns, axis=1)

    @cached_property
    def _sums(self) -> list[tuple[str, int]]:
        declared = self.features.settings.accumulators
        return [(a.name, self.features.slots[a.name].first) for a in declared if a.kind == "sum"]

    @cached_property
    def _mixes(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(a.name, a.values) for a in self.features.settings.accumulators if a.kind == "mix"]
