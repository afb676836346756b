"""The frozen reference: what block means are like while nothing drifts, by hour of the day, and how far an EWMA strays.

A chart's limits are only as good as its reference. Four things make a textbook chart cry wolf, and widen the limits
here by what the reference itself shows: block means that are still alike their neighbours (Schmid 1997), slower waves
than that (the EWMA of the reference, measured), a mean that is itself estimated, and a standard deviation that is
(Jones, Champ and Rigdon 2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from stream.drift.blocks import FloatArray, IntArray

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
HOURS = 24
FARTHEST_SD = 4.0
"""A block counts at most so many standard deviations: one of them alone, however odd, is no drift."""
LEAST_SD = 0.01
"""Of a block mean. Signals are logarithms and shares: below a hundredth nobody wants to be told."""
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Reference:
    """Of s signals, never changed."""

    by_hour: FloatArray
    """Expected block mean at each hour of the day (UTC), (24, s)."""
    sd: FloatArray
    """Of a block mean about it, (s,)."""
    limit: FloatArray
    """Of the EWMA of standardised block means, (s,)."""

    @classmethod
    def fit(cls, means: FloatArray, at_ms: IntArray, smoothing: float, limit_sd: float) -> Reference:
        """From the block means (n, s) at ``at_ms`` (n,), n > 2. ``limit_sd``: the limit, if all were known."""
        hours, n = hour_of(at_ms), len(means)
        centred = _winsorised(means)
        effects, spent = _hour_effects(centred, hours) if at_ms[-1] - at_ms[0] >= DAY_MS else _no_effects(centred)
        by_hour = centred.mean(axis=0) + effects
        residual = centred - by_hour[hours]
        free = n - 1.0 - spent
        sd = np.maximum(np.sqrt((residual**2).sum(axis=0) / free), LEAST_SD)
        z = residual / sd
        alike = _likeness(z)
        # What the reference does not know: its own mean and hours, from n blocks that count as fewer if alike.
        fewer = (1 + alike) / (1 - alike)
        doubt = (1.0 + spent) / n * fewer
        stray = np.maximum(schmid(smoothing, alike), _strayed(z, smoothing))
        tail = t.isf(norm.sf(limit_sd), np.maximum(free / fewer, 3.0))
        return cls(by_hour, sd, np.asarray(tail * np.sqrt(stray + doubt)))

    def standardised(self, means: FloatArray, at_ms: int) -> FloatArray:
        """Block means (s,) as standard deviations from what is usual at that hour, at most ``FARTHEST_SD``."""
        z = (means - self.by_hour[int(hour_of(np.array([at_ms]))[0])]) / self.sd
        return np.asarray(np.clip(z, -FARTHEST_SD, FARTHEST_SD))


def hour_of(at_ms: IntArray) -> IntArray:
    """Hour of the day, UTC, 0 to 23.

    >>> hour_of(np.array([0, 90 * 60_000, DAY_MS])).tolist()
    [0, 1, 0]
    """
    return np.asarray(at_ms // HOUR_MS % HOURS)


def schmid(smoothing: float, alike: FloatArray) -> FloatArray:
    """Variance of the EWMA of an AR(1) series of variance 1 and lag-1 correlation ``alike`` (Schmid 1997).

    >>> schmid(0.2, np.array([0.0, 0.5])).round(4).tolist()
    [0.1111, 0.2593]
    """
    kept = alike * (1.0 - smoothing)
    return np.asarray(smoothing / (2.0 - smoothing) * (1.0 + kept) / (1.0 - kept))


def ewma(z: FloatArray, smoothing: float) -> FloatArray:
    """EWMA of each column from 0, (n, s)."""
    smooth, now = np.empty_like(z), np.zeros(z.shape[1])
    for i, row in enumerate(z):
        now = now + smoothing * (row - now)
        smooth[i] = now
    return smooth


def _winsorised(means: FloatArray) -> FloatArray:
    """No farther than ``FARTHEST_SD`` robust standard deviations from the median (Hampel 1974), where there are any."""
    median = np.median(means, axis=0)
    spread = _MAD_TO_SD * np.median(np.abs(means - median), axis=0)
    reach = np.where(spread > 0, FARTHEST_SD * spread, np.inf)
    return np.asarray(np.clip(means, median - reach, median + reach))


def _no_effects(means: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.zeros((HOURS, means.shape[1])), np.zeros(means.shape[1])


def _hour_effects(means: FloatArray, hours: IntArray) -> tuple[FloatArray, FloatArray]:
    """How each hour differs from all, (24, s), shrunk to what is not noise; and the parameters spent on it, (s,).

    Variance components of a one-way layout (Searle, Casella and McCulloch 1992): where hours do not differ, nothing
    is taken off, and so no noise is put in.
    """
    n = np.bincount(hours, minlength=HOURS).astype(np.float64)[:, None]
    used = int((n > 0).sum())
    if used < 2 or len(means) <= used + 1:
        return _no_effects(means)
    sums = np.zeros((HOURS, means.shape[1]))
    np.add.at(sums, hours, means)
    mean = means.mean(axis=0)
    off = np.where(n > 0, sums / np.maximum(n, 1) - mean, 0.0)
    within = ((means - mean - off[hours]) ** 2).sum(axis=0) / (len(means) - used)
    between = ((n * off**2).sum(axis=0) - (used - 1) * within) / (len(means) - (n**2).sum() / len(means))
    between = np.maximum(between, 0.0)
    noise = np.where(n > 0, within / np.maximum(n, 1), np.inf)
    kept = np.divide(between, between + noise, out=np.zeros_like(off), where=between + noise > 0)
    return kept * off, kept.sum(axis=0)


def _likeness(z: FloatArray) -> FloatArray:
    """Lag-1 autocorrelation, without the bias of a short series (Marriott and Pope 1954), from 0 to .95."""
    n = len(z)
    raw = (z[1:] * z[:-1]).sum(axis=0) / np.maximum((z**2).sum(axis=0), 1e-12)
    return np.asarray(np.clip(raw + (1.0 + 3.0 * raw) / n, 0.0, 0.95))


def _strayed(z: FloatArray, smoothing: float) -> FloatArray:
    """Variance of the EWMA over the reference, once it has swung in."""
    settled = int(np.ceil(2.0 / smoothing))
    if len(z) < 4 * settled:
        return np.zeros(z.shape[1])
    return np.asarray((ewma(z, smoothing)[settled:] ** 2).mean(axis=0))
