"""The population stability index of counts, and what of it is noise.

PSI = sum (p - q) ln(p / q), symmetrised Kullback-Leibler (Lewis 1994, "An Introduction to Credit Scoring"). The usual
.10 and .25 do not know how many customers stand behind p and q: without drift PSI is about chi2(B - 1) times
(1 / n_now + 1 / n_reference) (Yurdakul and Naranjo 2020), which for 200 customers in ten bins is .10 by itself.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from stream.drift.blocks import FloatArray, IntArray

_HALF = 0.5
"""A customer, put into every bin on both sides: an empty bin is no infinite drift (Jeffreys 1946)."""
_SURE = 0.999


def psi(now: IntArray, reference: IntArray) -> float:
    """Of two counts over the same bins, (b,).

    >>> psi(np.array([50, 50]), np.array([50, 50])), round(psi(np.array([800, 200]), np.array([500, 500])), 2)
    (0.0, 0.41)
    """
    p, q = _shares(now), _shares(reference)
    return float(((p - q) * np.log(p / q)).sum())


def floor(bins: int, now: int, reference: int) -> float:
    """What PSI of so many customers stays below in 999 of 1,000 looks without drift.

    >>> round(floor(10, 10_000, 10_000), 4), floor(1, 5, 5), floor(10, 0, 10)
    (0.0056, 0.0, inf)
    """
    if now <= 0 or reference <= 0:
        return float("inf")
    return float(chi2.ppf(_SURE, bins - 1) * (1 / now + 1 / reference)) if bins > 1 else 0.0


def _shares(counts: IntArray) -> FloatArray:
    smoothed = np.maximum(counts, 0) + _HALF
    return np.asarray(smoothed / smoothed.sum())
