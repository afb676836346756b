"""Silence: when a customer would be dormant, or somewhere else, if nothing happened any more.

Decay is a known function of time, so the moment can be computed at the last look and filed as a deadline; no ticker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import DAY_MS, NEVER, FeatureSet, TimeArray
from stream.customer.state import States, Status
from stream.decision.assign import Assigner

_GRID = np.array([1 / 32, 1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4])
"""Where the way to dormancy is probed for a crossing, as shares of it: denser near the look, where rates fall fastest."""
_HALVINGS = 8
"""A crossing is then found to 1/256 of its interval: an hour in ten days."""


def dormant_at(features: FeatureSet, rows: States) -> TimeArray:
    """When each customer counts as dormant: after the floor, or some of its own gaps, whichever is longer."""
    own_gap = features.own_gap_days(rows["sums"], rows["first_at"], rows["newest_at"])
    own = np.rint(own_gap * (features.settings.dormancy_own_gaps * DAY_MS)).astype(np.int64)
    silence = np.maximum(own, features.settings.dormancy_floor_ms)
    return np.where(rows["newest_at"] == NEVER, NEVER, rows["newest_at"] + silence)


def deadlines(features: FeatureSet, rows: States, assigner: Assigner | None) -> TimeArray:
    """The next moment worth a look at each customer, ``NEVER`` for none. Later than its last look, always."""
    status = rows["status"]
    asleep = dormant_at(features, rows)
    due = np.where((status == Status.COLD) | (status == Status.READY), asleep, NEVER)
    last_sign = np.where(rows["newest_at"] == NEVER, rows["looked_at"], rows["newest_at"])
    forgotten = last_sign + round(features.settings.forget_after_days * DAY_MS)
    due = np.where((status == Status.DORMANT) | (due == NEVER) & (status != Status.CLOSED), forgotten, due)
    if assigner is not None:
        ready = np.flatnonzero((status == Status.READY) & (asleep > rows["looked_at"]))
        if len(ready):
            due[ready] = _crossings(features, rows[ready], assigner, asleep[ready])
    return np.where(due == NEVER, NEVER, np.maximum(due, rows["looked_at"] + 1))


def _crossings(features: FeatureSet, rows: States, assigner: Assigner, until: TimeArray) -> TimeArray:
    """The first time after the look when the stabilised answer is another segment, or ``until``."""
    start = rows["looked_at"]
    span = until - start
    times = np.concatenate([start[:, None] + (span[:, None] * _GRID).astype(np.int64), until[:, None]], axis=1)
    probes = times.shape[1] - 1
    moved = _moves(features, np.repeat(rows, probes), assigner, times[:, :-1].ravel()).reshape(-1, probes)
    crossing = np.flatnonzero(moved.any(axis=1))
    due = until.copy()
    if len(crossing):
        first = moved[crossing].argmax(axis=1)
        high = times[crossing, first]
        low = np.where(first > 0, times[crossing, first - 1], start[crossing])
        due[crossing] = _bisect(features, rows[crossing], assigner, low, high)
    return due


def _bisect(features: FeatureSet, rows: States, assigner: Assigner, low: TimeArray, high: TimeArray) -> TimeArray:
    for _ in range(_HALVINGS):
        middle = low + (high - low) // 2
        moved = _moves(features, rows, assigner, middle)
        low, high = np.where(moved, low, middle), np.where(moved, middle, high)
    return high


def _moves(features: FeatureSet, rows: States, assigner: Assigner, at_ms: TimeArray) -> NDArray[np.bool_]:
    y = features.y(rows["sums"], rows["first_at"], rows["newest_at"], at_ms)
    held = rows["segment"].astype(np.int64)
    return np.asarray(assigner.decide(assigner.distances(y), held).segment != held)
