"""One look at n customers: where does each stand at this moment?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import NEVER, FeatureSet, TimeArray
from stream.customer.state import ATYPICAL, States, Status, empty
from stream.decision import locks
from stream.decision.assign import NONE, Assigner
from stream.decision.silence import dormant_at, forgotten_at

ATYPICAL_RADII = 3.0
"""Farther than this many radii is atypical, when two looks in a row say so."""
_LEFT_OF_CLOSED = (
    "version",
    "looked_at",
    "since",
    "change_cause",
    "model_version",
    "epoch",
    "seen_low",
    "seen_high",
    "seen_next",
)
_WAS_FAR = 2
"""Bit of ``atypical``: at the last look."""


def look(features: FeatureSet, rows: States, at_ms: TimeArray, assigner: Assigner | None) -> None:
    """Bring vector, status, segment, margin and fit of each row up to ``at_ms``, in place.

    ``looks`` must already count this look. A late event is looked at where its customer stands, not in the past. Who is
    locked is looked at like everybody, and stays.
    """
    at = np.maximum(np.maximum(at_ms, rows["looked_at"]), rows["newest_at"])
    asleep, forgotten = dormant_at(features, rows), forgotten_at(features, rows, at)
    rows["looked_at"] = at
    rows["y"] = features.y(rows["sums"], rows["first_at"], rows["newest_at"], at)
    is_ready = (rows["looks"] >= features.settings.cold_looks) & (assigner is not None)
    let_go = locks.settle(rows, at, assigner)
    awake = np.where(rows["lock"] != NONE, Status.LOCKED, np.where(is_ready, Status.READY, Status.COLD))
    status = np.where((asleep != NEVER) & (at >= asleep), Status.DORMANT, awake)
    rows["status"] = np.where(at >= forgotten, Status.CLOSED, status)
    if assigner is not None:
        _assign(rows, assigner, let_go & (rows["looks"] >= features.settings.cold_looks))
        rows["model_version"] = assigner.snapshot.version
        rows["epoch"] = assigner.snapshot.epoch
    closed = rows["status"] == Status.CLOSED
    if closed.any():
        rows[closed] = _closed(features, rows[closed])


def _assign(rows: States, assigner: Assigner, let_go: NDArray[np.bool_]) -> None:
    status, held = rows["status"], rows["segment"].astype(np.int64)
    distances = assigner.distances(rows["y"])
    decision = locks.held(rows, assigner, distances, assigner.decide(distances, held))
    # Who sleeps keeps the segment for as long as there is such a segment, or the lock.
    homeless = (status == Status.DORMANT) & ((held != NONE) & ~assigner.may_hold(held) | let_go)
    ready = status == Status.READY
    moving = ready | homeless
    rows["segment"] = np.where(moving, decision.segment, held)
    rows["provisional"] = np.where(status == Status.COLD, decision.segment, NONE)
    told = ready | (status == Status.LOCKED)
    rows["margin"] = np.where(told, decision.margin, np.nan)
    fit = assigner.fit(rows["y"], decision.segment)
    rows["fit"] = np.where(told, fit, np.nan)
    far = ready & (fit > ATYPICAL_RADII)
    was_far, was_atypical = (rows["atypical"] & _WAS_FAR) > 0, (rows["atypical"] & ATYPICAL) > 0
    atypical = np.where(far == was_far, far, was_atypical)
    rows["atypical"] = far * _WAS_FAR + atypical * ATYPICAL


def _closed(features: FeatureSet, rows: States) -> States:
    """What is left of a customer who was closed: the version goes on, should the person come back."""
    left = empty(features, len(rows))
    for field in _LEFT_OF_CLOSED:
        left[field] = rows[field]
    left["status"] = Status.CLOSED
    return left
