"""The fold: how events add to a state. A commutative monoid, one event after the other, bit for bit.

Forward decay (Cormode, Shkapenyuk, Srivastava, Xu, 2009): an event at t adds x 2^((t - L) / H) to a sum, where the
landmark L is the start of the half-life that holds the customer's newest event. Moving the landmark by m half-lives
multiplies by 2^-m, which is exact. So the same order gives the same bits whatever the batching, crash or restore, and
any other order, or merging two states of one person, gives the same within rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import NEVER, FloatArray, TimeArray
from stream.customer.state import States

_EXACT = 1000
"""Shifts beyond this many half-lives leave nothing anyway."""


def add(rows: States, x: FloatArray, at_ms: TimeArray, active: NDArray[np.bool_], half_life_ms: int) -> None:
    """Add one event to each row, in place.

    ``x`` (n, width) is what the events contribute, ``at_ms`` (n,) when they happened, ``active`` (n,) whether they
    count as activity: only those move ``first_at`` and ``newest_at`` (a profile correction is no sign of life).
    """
    old = rows["newest_at"]
    new = np.where(active, np.maximum(old, at_ms), old)
    _rebase(rows, old, new, half_life_ms)
    landmark = np.where(new == NEVER, at_ms, new) // half_life_ms * half_life_ms
    # Activity is at most a half-life after the landmark; what is not may be any time after it.
    weight = np.exp2(np.minimum(at_ms - landmark, half_life_ms) / half_life_ms)
    rows["sums"] += x * np.where(active, weight, 0.0)[:, None]
    rows["newest_at"] = new
    first = np.where(rows["first_at"] == NEVER, at_ms, np.minimum(rows["first_at"], at_ms))
    rows["first_at"] = np.where(active, first, rows["first_at"])


def merge(left: States, right: States, half_life_ms: int) -> States:
    """States of one person kept under two names, joined: only the monoid part; the decision part is ``left``'s."""
    joined, other = left.copy(), right.copy()
    newest = np.maximum(left["newest_at"], right["newest_at"])
    for side in (joined, other):
        _rebase(side, side["newest_at"], newest, half_life_ms)
    joined["sums"] += other["sums"]
    joined["newest_at"] = newest
    firsts = np.stack([left["first_at"], right["first_at"]])
    known = np.where(firsts == NEVER, np.iinfo(np.int64).max, firsts).min(axis=0)
    joined["first_at"] = np.where(known == np.iinfo(np.int64).max, NEVER, known)
    return joined


def _rebase(rows: States, old: TimeArray, new: TimeArray, half_life_ms: int) -> None:
    shift = np.where(old == NEVER, 0, new // half_life_ms - old // half_life_ms)
    if shift.any():
        rows["sums"] = np.ldexp(rows["sums"], -np.minimum(shift, _EXACT).astype(np.int32)[:, None])
