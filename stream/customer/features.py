"""Declared features, compiled: from accumulators to the vector ``y`` that the model sees, and back to natural units.

Column arithmetic only: a matrix product would give other bits for another batch size, and the same events must give
the same bits whatever the batching.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stream.settings import CustomerSettings, Feature

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.int64]

STEPS = 32_000
"""Steps of a feature's declared range; y runs from -STEPS / 2 to +STEPS / 2 and fits int16."""
NEVER = np.iinfo(np.int64).min
"""A time that never was."""
FOREVER = int(np.iinfo(np.int64).max)
"""A time that never comes."""
DAY_MS = 86_400_000
ACTIVITY = 0
"""Slot of the built-in accumulator: events that count as being there (orders and views)."""


@dataclass(frozen=True)
class Slots:
    """Where an accumulator's sums stand. A mix has one slot a value, one for "other", and then its total."""

    first: int
    values: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Slot of the whole."""
        return self.first + len(self.values) + 1 if self.values else self.first


@dataclass(frozen=True)
class FeatureSet:
    """The compiled declarations of ``CustomerSettings``. Immutable; ``features_id`` changes with any declaration."""

    settings: CustomerSettings

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The declarations, in order of the vector."""
        return self.settings.features

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Feature names, in order of the vector."""
        return tuple(f.name for f in self.features)

    @cached_property
    def features_id(self) -> str:
        """16 hex digits over everything that gives numbers their meaning; words may be changed freely."""
        shown = {"features": {"__all__": {"unit", "low", "high", "group"}}}
        said = self.settings.model_dump(mode="json", include={"accumulators", "features", "timezone"}, exclude=shown)
        said["half_life_ms"] = self.settings.half_life_ms
        return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()

    @cached_property
    def weight(self) -> FloatArray:
        """Declared weights, shape (d,)."""
        return np.array([f.weight for f in self.features])

    @cached_property
    def min_sd(self) -> FloatArray:
        """Least standard deviation that counts as variation, in steps, shape (d,)."""
        return np.array([f.min_sd for f in self.features])

    @cached_property
    def slots(self) -> dict[str, Slots]:
        """Slots by accumulator name."""
        placed, at = {}, ACTIVITY + 1
        for accumulator in self.settings.accumulators:
            placed[accumulator.name] = Slots(at, accumulator.values)
            at = placed[accumulator.name].total + 1
        return placed

    @cached_property
    def width(self) -> int:
        """Number of sums kept of a customer."""
        return 1 + max((s.total for s in self.slots.values()), default=ACTIVITY)

    def y(self, sums: FloatArray, first_at: TimeArray, newest_at: TimeArray, at_ms: TimeArray) -> NDArray[np.int16]:
        """Vectors of n customers from ``sums`` (n, width), at times ``at_ms`` (..., n).

        Shape (..., n, d), int16 steps.
        """
        steps = self._transformed(self.raw(sums, first_at, newest_at, at_ms))
        steps -= self._low
        steps *= self._per_unit
        np.rint(steps, out=steps)
        np.clip(steps, 0, STEPS, out=steps)
        steps -= STEPS // 2
        return steps.astype(np.int16)

    def natural(self, y: NDArray[np.int16] | FloatArray) -> FloatArray:
        """Natural units of vectors in steps, shape (..., d). Exact to half a step."""
        natural = (np.asarray(y, dtype=np.float64) + STEPS // 2) / self._per_unit + self._low
        natural[..., self._is_log] = np.expm1(natural[..., self._is_log])
        return natural

    def steps(self, natural: FloatArray) -> FloatArray:
        """Inverse of ``natural`` within the declared ranges, shape (..., d), before rounding."""
        return np.asarray((self._transformed(natural) - self._low) * self._per_unit - STEPS // 2)

    def raw(self, sums: FloatArray, first_at: TimeArray, newest_at: TimeArray, at_ms: TimeArray) -> FloatArray:
        """Features in natural units before clipping and rounding, shape (..., n, d)."""
        decay = self.decay(newest_at, at_ms)[..., None]
        exposure = self.exposure_days(first_at, at_ms)[..., None]
        # In memory customers stand side by side from here on: numpy's inner loops are then long.
        slots = np.ascontiguousarray(sums.T)
        above = slots[self._above[0]]
        for more in self._above[1:]:
            above += np.where(more[:, None] >= 0, slots[more], 0.0)
        below = np.where(self._is_rate, exposure, slots[self._below].T * decay) + self._prior_weight
        shrunk = above.T * decay + self._prior_weight * self._prior
        ratio = np.divide(shrunk, below, out=np.zeros_like(shrunk), where=below > 0)
        ratio *= self._factor
        for column, first, count, smoothing in self._entropies:
            ratio[..., column] = _entropy(slots[first : first + count].T * decay, smoothing)
        return ratio

    def bounded(self, natural: FloatArray) -> FloatArray:
        """Natural units within the declared ranges."""
        return np.asarray(np.clip(natural, self._bounds[0], self._bounds[1]))

    def decay(self, newest_at: TimeArray, at_ms: TimeArray) -> FloatArray:
        """Factor from stored sums to sums decayed to ``at_ms``. Stored sums are relative to the landmark."""
        half_life = self.settings.half_life_ms
        known = np.where(newest_at == NEVER, at_ms, newest_at)
        landmark = known // half_life * half_life
        return np.asarray(np.exp2((landmark - at_ms) / half_life))

    def exposure_days(self, first_at: TimeArray, at_ms: TimeArray) -> FloatArray:
        """Decayed days since the first event: the integral of the decay, so that a rate is a count over exposure."""
        half_life = self.settings.half_life_ms
        age = np.where(first_at == NEVER, 0, at_ms - first_at) / half_life
        return np.asarray((1.0 - np.exp2(-np.maximum(age, 0.0))) * (half_life / DAY_MS / np.log(2.0)))

    def own_gap_days(self, sums: FloatArray, first_at: TimeArray, newest_at: TimeArray) -> FloatArray:
        """Typical days between a customer's events as of its last one; silence does not change it. Shape (n,)."""
        count = sums[:, ACTIVITY] * self.decay(newest_at, newest_at)
        exposure = self.exposure_days(first_at, newest_at)
        return np.divide(exposure, count, out=np.zeros_like(count), where=count > 0)

    @cached_property
    def _above(self) -> list[NDArray[np.int64]]:
        columns = [self._numerator(f) for f in self.features]
        longest = max(map(len, columns), default=1)
        return [np.array([c[i] if i < len(c) else -1 for c in columns], np.int64) for i in range(longest)]

    def _numerator(self, feature: Feature) -> list[int]:
        slots = self.slots[feature.of]
        return [slots.first + slots.values.index(v) for v in feature.values] or [slots.total]

    @cached_property
    def _below(self) -> NDArray[np.int64]:
        return np.array([self.slots[f.per].total if f.per else ACTIVITY for f in self.features])

    @cached_property
    def _is_rate(self) -> NDArray[np.bool_]:
        return np.array([f.kind == "rate" for f in self.features])

    @cached_property
    def _factor(self) -> FloatArray:
        return np.array([f.per_days if f.kind == "rate" else 1.0 for f in self.features])

    @cached_property
    def _prior(self) -> FloatArray:
        return np.array([f.prior / (f.per_days if f.kind == "rate" else 1.0) for f in self.features])

    @cached_property
    def _prior_weight(self) -> FloatArray:
        return np.array([f.prior_weight for f in self.features])

    @cached_property
    def _entropies(self) -> list[tuple[int, int, int, float]]:
        return [
            (column, self.slots[f.of].first, len(self.slots[f.of].values) + 1, f.prior_weight)
            for column, f in enumerate(self.features)
            if f.kind == "entropy"
        ]

    @cached_property
    def _is_log(self) -> NDArray[np.bool_]:
        return np.array([f.transform == "log1p" for f in self.features])

    @cached_property
    def _bounds(self) -> FloatArray:
        return np.array([f.range for f in self.features]).T

    @cached_property
    def _low(self) -> FloatArray:
        return self._transformed(self._bounds[0])

    @cached_property
    def _per_unit(self) -> FloatArray:
        return np.asarray(STEPS / (self._transformed(self._bounds[1]) - self._low))

    def _transformed(self, natural: FloatArray) -> FloatArray:
        bounded = self.bounded(natural)
        for column in np.flatnonzero(self._is_log):
            np.log1p(bounded[..., column], out=bounded[..., column])
        return bounded


def _entropy(mix: FloatArray, smoothing: float) -> FloatArray:
    """Shannon entropy of shares (..., m) over its maximum, after adding ``smoothing`` to every category."""
    bounded = np.maximum(mix, 0.0) + smoothing
    total = _added_up(bounded)[..., None]
    share = np.divide(bounded, total, out=np.zeros_like(bounded), where=total > 0)
    entropy = 0.0 - _added_up(share * np.log(np.where(share > 0, share, 1.0)))
    return np.asarray(entropy / np.log(mix.shape[-1]))


def _added_up(columns: FloatArray) -> FloatArray:
    """Sum over the last axis, always from left to right."""
    total = columns[..., 0].copy()
    for column in range(1, columns.shape[-1]):
        total += columns[..., column]
    return total
