"""Why a customer changed: the cause, the reasons, and the smallest change that would have kept the old segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import STEPS, FeatureSet
from stream.customer.state import States
from stream.decision.assign import NONE, Assigner
from stream.model.snapshot import FloatArray, IntArray, Vectors


class Reason(NamedTuple):
    """One feature's part in a change. ``contribution`` is its share of what spoke for the new segment."""

    feature: int
    before: float
    after: float
    contribution: float


class Otherwise(NamedTuple):
    """``feature`` at ``value`` instead of ``now``, and the stabilised answer is the old segment."""

    feature: int
    value: float
    now: float


@dataclass(frozen=True)
class Explainer:
    """Explains changes of segment under one model."""

    features: FeatureSet
    assigner: Assigner

    def rungs(self, before: States, at_ms: IntArray) -> tuple[IntArray, IntArray]:
        """The first two rungs of the cause ladder, as segment numbers (n,).

        What the present model says of the last vector (the model moved), and of the state as it was, only aged to the
        look (time moved); both from the segment held before. The first rung that has the final answer is the cause.
        """
        held = before["segment"].astype(np.int64)
        aged = self.features.y(before["sums"], before["first_at"], before["newest_at"], at_ms)
        first, second = (self.assigner.decide(self.assigner.distances(y), held).segment for y in (before["y"], aged))
        return first, second

    def reasons(self, entry: Vectors, now: Vectors, old: IntArray, new: IntArray, most: int = 3) -> list[list[Reason]]:
        """For each change the features that spoke most for the new segment, strongest first.

        A feature speaks with its part of d_old^2 - d_new^2, and of that only what came since the old segment was
        entered with ``entry``. From no segment (``old`` = ``NONE``): against the average customer.
        """
        scale, centroids = self.assigner.snapshot.scale, self.assigner.centroids
        has_old = self.assigner.index(old) >= 0
        c_old = np.where(has_old[:, None], centroids[self.assigner.index(old)], 0.0)
        c_new = centroids[self.assigner.index(new)]
        average = np.broadcast_to(scale.mean, now.shape)
        start = np.where(has_old[:, None], entry, average)
        gained = 2.0 * (scale.z(now) - scale.z(start)) * (c_new - c_old)
        if_still = (scale.z(now) - c_old) ** 2 - (scale.z(now) - c_new) ** 2
        moved = np.asarray(gained > 0).any(axis=1, keepdims=True)
        speaks = np.where(moved, gained, if_still)
        share = np.maximum(speaks, 0.0)
        total = share.sum(axis=1, keepdims=True)
        share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
        before_natural, now_natural = self.features.natural(start), self.features.natural(now)
        order = np.argsort(-share, axis=1, kind="stable")[:, :most]
        return [
            [
                Reason(int(f), float(before_natural[i, f]), float(now_natural[i, f]), float(share[i, f]))
                for f in order[i]
                if share[i, f] > 0
            ]
            for i in range(len(now))
        ]

    def counterfactuals(self, now: Vectors, old: IntArray) -> list[Otherwise | None]:
        """For each change the smallest move of one feature after which the old segment would have been held.

        Along one feature the condition d_rival >= (1 - margin) d_old is quadratic for every rival, so the nearest
        admissible value is a root of one of them, rounded outward to a step; every candidate is checked by the
        decision's own inequality. ``None`` where no single feature within its bounds can do it.
        """
        index = self.assigner.index(old)
        possible = np.flatnonzero((old != NONE) & (index >= 0) & self.assigner.enterable[index])
        found: list[Otherwise | None] = [None] * len(now)
        if not len(possible):
            return found
        y = now[possible].astype(np.float64)
        candidates = self._candidates(y, index[possible])
        admissible = self._keeps(y, candidates, index[possible])
        cost = np.abs(candidates - y[:, :, None]) / self.assigner.snapshot.scale.sd[None, :, None]
        cost = np.where(admissible & (self.assigner.snapshot.scale.weight > 0)[None, :, None], cost, np.inf)
        row, best = np.arange(len(y)), cost.reshape(len(y), -1).argmin(axis=1)
        feature, which = np.divmod(best, candidates.shape[2])
        changed = y.copy()
        changed[row, feature] = candidates[row, feature, which]
        value, was = (self.features.natural(steps)[row, feature].tolist() for steps in (changed, y))
        for i in np.flatnonzero(np.isfinite(cost[row, feature, which])).tolist():
            found[possible[i]] = Otherwise(int(feature[i]), value[i], was[i])
        return found

    def _terms(self, z: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray, float]:
        """Squared distances without each feature: (n, d, k) to everybody, (n, d) to the old one; and (1 - margin)^2."""
        parts = (z[:, :, None] - self.assigner.centroids.T[None]) ** 2
        rest = parts.sum(axis=1, keepdims=True) - parts
        return rest, rest[np.arange(len(z)), :, index], (1.0 - self.assigner.snapshot.margin) ** 2

    def _candidates(self, y: FloatArray, index: IntArray) -> FloatArray:
        """Steps where an inequality may turn, shape (n, d, 4k)."""
        scale, centroids = self.assigner.snapshot.scale, self.assigner.centroids
        rest, rest_old, g = self._terms(scale.z(y), index)
        c, c_old = centroids.T[None], centroids[index][:, :, None]
        a, b = 1.0 - g, 2.0 * (g * c_old - c)
        constant = rest + c**2 - g * (rest_old[:, :, None] + c_old**2)
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(b * b - 4.0 * a * constant)
            roots = [(-b - root) / (2 * a), (-b + root) / (2 * a)] if a > 0 else [-constant / b] * 2
            z = np.concatenate(roots, axis=2)
            steps = z / scale.weight[None, :, None] * scale.sd[None, :, None] + scale.mean[None, :, None]
        steps = np.concatenate([np.floor(steps), np.ceil(steps)], axis=2)
        return np.where(np.abs(steps) <= STEPS // 2, steps, np.nan)

    def _keeps(self, y: FloatArray, candidates: FloatArray, index: IntArray) -> NDArray[np.bool_]:
        """Whether the old segment is held with one feature at its candidate, shape as ``candidates``."""
        scale, centroids = self.assigner.snapshot.scale, self.assigner.centroids
        rest, rest_old, g = self._terms(scale.z(y), index)
        standard = (candidates - scale.mean[None, :, None]) / scale.sd[None, :, None]
        z = np.clip(standard, -scale.clip, scale.clip) * scale.weight[None, :, None]
        allowed = g * (rest_old[:, :, None] + (z - centroids[index][:, :, None]) ** 2) * (1 + 1e-12)
        keeps = np.isfinite(candidates)
        for rival in np.flatnonzero(self.assigner.enterable):
            nearer = rest[:, :, rival, None] + (z - centroids[rival][None, :, None]) ** 2 < allowed
            keeps &= ~nearer | (index == rival)[:, None, None]
        return np.asarray(keeps)
