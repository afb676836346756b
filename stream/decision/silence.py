"""Silence: when a customer would be dormant, or somewhere else, if nothing happened any more.

Decay is a known function of time, so the moment can be computed at the last look and filed as a deadline; no ticker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import DAY_MS, FOREVER, NEVER, FeatureSet, TimeArray
from stream.customer.state import States, Status
from stream.decision.assign import NONE, Assigner

_GRID = np.array([1 / 32, 1 / 8, 3 / 8, 3 / 4])
"""Where the way to dormancy is probed for a crossing, as shares of it: denser at first, where rates fall fastest."""
_QUARTERS = np.array([1, 2, 3])
_QUARTERINGS = 4
"""A crossing is then found to 1/256 of its interval: an hour in ten days."""
_AT_ONCE = 2048
"""Vectors of one go: enough for numpy, and few enough for the processor's cache."""


def silent_from(features: FeatureSet, rows: States) -> TimeArray:
    """From when on each customer counts as silent.

    What decays within the usual time to the next event moves nobody: that event would only move it back.
    """
    own_gap = features.own_gap_days(rows["sums"], rows["first_at"], rows["newest_at"])
    usual = np.rint(own_gap * (features.settings.silent_own_gaps * DAY_MS)).astype(np.int64)
    return np.where(rows["newest_at"] == NEVER, NEVER, rows["newest_at"] + usual)


def dormant_at(features: FeatureSet, rows: States) -> TimeArray:
    """When each customer counts as dormant: after the floor, or some of its own gaps, whichever is longer."""
    own_gap = features.own_gap_days(rows["sums"], rows["first_at"], rows["newest_at"])
    own = np.rint(own_gap * (features.settings.dormancy_own_gaps * DAY_MS)).astype(np.int64)
    silence = np.maximum(own, features.settings.dormancy_floor_ms)
    return np.where(rows["newest_at"] == NEVER, NEVER, rows["newest_at"] + silence)


def forgotten_at(features: FeatureSet, rows: States, at_ms: TimeArray) -> TimeArray:
    """When each customer who is looked at ``at_ms`` is closed: so long after its last activity, or its arrival.

    Who never was active (only a profile) arrived when it was first looked at, or looked at again after being closed.
    """
    arrives = (rows["status"] == Status.NEW) | (rows["status"] == Status.CLOSED)
    arrived = np.where(arrives, at_ms, rows["since"])
    last_sign = np.where(rows["newest_at"] == NEVER, arrived, rows["newest_at"])
    return np.asarray(last_sign + round(features.settings.forget_after_days * DAY_MS))


def deadlines(features: FeatureSet, rows: States, assigner: Assigner | None, reach_ms: int = FOREVER) -> TimeArray:
    """The next moment worth a look at each customer, ``NEVER`` for none. Later than its last look, always.

    Those at or behind ``reach_ms`` are only somewhere there, which is found out faster.
    """
    asleep, forgotten = dormant_at(features, rows), forgotten_at(features, rows, rows["looked_at"])
    is_awake = (rows["status"] != Status.DORMANT) & (rows["status"] != Status.CLOSED)
    due = np.where(is_awake & (asleep != NEVER), np.minimum(asleep, forgotten), forgotten)
    due = np.where(rows["lock"] != NONE, np.minimum(due, rows["lock_until"]), due)
    if assigner is not None:
        ready = np.flatnonzero(rows["status"] == Status.READY)
        due[ready] = _crossings(features, rows[ready], assigner, due[ready], reach_ms)
    return np.where(rows["status"] == Status.CLOSED, NEVER, np.maximum(due, rows["looked_at"] + 1))


def _crossings(features: FeatureSet, rows: States, assigner: Assigner, until: TimeArray, reach_ms: int) -> TimeArray:
    """The first time after the look when the stabilised answer is another segment, or ``until``."""
    start = np.minimum(np.maximum(rows["looked_at"], silent_from(features, rows)), until)
    times = start + ((until - start) * _GRID[:, None]).astype(np.int64)
    times = times[: 1 + np.count_nonzero((times[:-1] < reach_ms).any(axis=1))]
    low, due = _around_first(start, times, until, _moves(features, rows, assigner, times))
    near = np.flatnonzero((due < until) & (low < reach_ms))
    if len(near):
        due[near] = _narrowed(features, rows[near], assigner, low[near], due[near])
    return due


def _narrowed(features: FeatureSet, rows: States, assigner: Assigner, low: TimeArray, high: TimeArray) -> TimeArray:
    """The end of the interval (low, high] that holds a first move, by quartering."""
    for _ in range(_QUARTERINGS):
        times = low + (high - low) * _QUARTERS[:, None] // 4
        low, high = _around_first(low, times, high, _moves(features, rows, assigner, times))
    return high


def _around_first(
    low: TimeArray, times: TimeArray, high: TimeArray, moved: NDArray[np.bool_]
) -> tuple[TimeArray, TimeArray]:
    """Of low < times (p, n) < high the neighbours with the first move between them; without one, the last two."""
    ends = np.concatenate([low[None], times, high[None]])
    first = np.where(moved.any(axis=0), moved.argmax(axis=0), len(times))
    column = np.arange(len(low))
    return ends[first, column], ends[first + 1, column]


def _moves(features: FeatureSet, rows: States, assigner: Assigner, times: TimeArray) -> NDArray[np.bool_]:
    """Whether each customer would be elsewhere at its ``times`` (p, n), if nothing happened until then."""
    moved = np.empty(times.shape, dtype=bool)
    size = _AT_ONCE // len(times)
    for start in range(0, len(rows), size):
        some = slice(start, start + size)
        y = features.y(rows["sums"][some], rows["first_at"][some], rows["newest_at"][some], times[:, some])
        moved[:, some] = assigner.moves(assigner.distances(y), rows["segment"][some].astype(np.int64))
    return moved
