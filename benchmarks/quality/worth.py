"""Worth: does the segment of today tell what a customer will spend?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.data import Data, FloatArray, IntArray
from benchmarks.quality.history import NONE
from stream.customer.features import DAY_MS

AHEAD_DAYS = 56


def eta_squared(values: FloatArray, labels: IntArray) -> float:
    """Share of the variance that lies between the groups.

    >>> eta_squared(np.array([1.0, 1.0, 5.0, 5.0]), np.array([1, 1, 2, 2]))
    1.0
    """
    total = float(((values - values.mean()) ** 2).sum())
    _, group = np.unique(labels, return_inverse=True)
    means = np.bincount(group, values) / np.bincount(group)
    return float(((means[group] - values.mean()) ** 2).sum()) / total if total > 0 else 0.0


def next_spend(data: Data, ms: int) -> FloatArray:
    """What each customer spends in the eight weeks from a moment on, (customers,)."""
    window = slice(data.before(ms), data.before(ms + AHEAD_DAYS * DAY_MS))
    return np.asarray(np.bincount(data.customer[window], data.amount[window], len(data.names)), np.float64)


def eta2_next_spend(data: Data, held: IntArray, day: int, among: NDArray[np.bool_]) -> float | None:
    """Eta squared of the log of the next eight weeks' spend by segment; ``None`` where the data ends before."""
    ms = data.end_of_day_ms(day)
    who = among & (held != NONE)
    if day + AHEAD_DAYS >= data.days or not who.any():
        return None
    return eta_squared(np.log1p(np.maximum(next_spend(data, ms)[who], 0.0)), held[who])
