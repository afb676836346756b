"""The frozen reference: what block means are like while nothing drifts, by hour of the day, and how far an EWMA strays.

A chart's limits are only as good as its reference. Four things make a textbook chart cry wolf, and widen the limits
here by what the reference itself shows: block means that are still alike their neighbours (Schmid 1997), slower waves
than that (the EWMA of the reference, measured), a mean that is itself estimated, and a standard deviation that is
(Jones, Champ and Rigdon 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from stream.drift.blocks import FloatArray, IntArray

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
HOURS, WEEK = 24, 7
FARTHEST_SD = 4.0
"""A block of the reference counts at most so many robust standard deviations: one odd block must not blind it."""
FARTHEST_LIMITS = 2.0
"""... and one of the chart so many limits of its quick EWMA: alone it is no drift, for that takes a fifth of it."""
LEAST_SD = 0.01
"""Of a block mean. Signals are logarithms and shares: below a hundredth nobody wants to be told."""
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Reference:
    """Of s signals, never changed."""

    by_hour: FloatArray
    """Expected block mean at each hour of the day (UTC), (24, s)."""
    by_weekday: FloatArray
    """What each day of the week, Thursday first, adds to it, (7, s): 0 unless the reference has two weeks."""
    sd: FloatArray
    """Of a block mean about it, (s,)."""
    limit: FloatArray
    """Of each EWMA of standardised block means, (e, s)."""

    @classmethod
    def fit(cls, means: FloatArray, at_ms: IntArray, ewmas: Sequence[tuple[float, float]]) -> Reference:
        """From the block means (n, s) at ``at_ms`` (n,), n > 2. ``ewmas``: smoothing of each, and its limit in standard
        deviations, if all were known.
        """
        hours, weekdays, n, span = hour_of(at_ms), weekday_of(at_ms), len(means), at_ms[-1] - at_ms[0]
        centred = _winsorised(means, weekdays, hours)
        effects, for_hours = _effects(centred, hours, HOURS, is_known=span >= DAY_MS)
        by_hour = centred.mean(axis=0) + effects
        residual = centred - by_hour[hours]
        by_weekday, for_weekdays = _effects(residual, weekdays, WEEK, is_known=span >= 2 * WEEK * DAY_MS)
        residual, spent = residual - by_weekday[weekdays], for_hours + for_weekdays
        free = n - 1.0 - spent
        sd = np.maximum(np.sqrt((residual**2).sum(axis=0) / free), LEAST_SD)
        z = residual / sd
        alike = _likeness(z)
        # What the reference does not know: its own mean, from n blocks that count as fewer if alike; its hours and
        # weekdays, from blocks that are a day or a week apart; its standard deviation (Bartlett 1946).
        doubt = ((1 + alike) / (1 - alike) + spent) / n
        free = free * (1 - alike**2) / (1 + alike**2)
        strays = [np.maximum(schmid(smoothing, alike), _strayed(z, smoothing)) for smoothing, _ in ewmas]
        tails = [t.isf(norm.sf(limit_sd), np.maximum(free, 3.0)) for _, limit_sd in ewmas]
        return cls(by_hour, by_weekday, sd, np.array(tails) * np.sqrt(np.array(strays) + doubt))

    def standardised(self, means: FloatArray, at_ms: int) -> FloatArray:
        """Block means (s,) as standard deviations from what is usual at that hour, at most ``FARTHEST_LIMITS``."""
        when = np.array([at_ms])
        usual = self.by_hour[hour_of(when)[0]] + self.by_weekday[weekday_of(when)[0]]
        z = (means - usual) / self.sd
        reach = FARTHEST_LIMITS * self.limit[0]
        return np.asarray(np.clip(z, -reach, reach))


def hour_of(at_ms: IntArray) -> IntArray:
    """Hour of the day, UTC, 0 to 23.

    >>> hour_of(np.array([0, 90 * 60_000, DAY_MS])).tolist()
    [0, 1, 0]
    """
    return np.asarray(at_ms // HOUR_MS % HOURS)


def weekday_of(at_ms: IntArray) -> IntArray:
    """Day of the week, UTC: 0 is a Thursday, as 1970-01-01 was.

    >>> weekday_of(np.array([0, 8 * DAY_MS])).tolist()
    [0, 1]
    """
    return np.asarray(at_ms // DAY_MS % WEEK)


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


def _winsorised(means: FloatArray, *groups: IntArray) -> FloatArray:
    """No farther than ``FARTHEST_SD`` robust standard deviations from the median (Hampel 1974), where there are any.

    The median of its weekday and hour: what is odd on every Saturday is not odd.
    """
    usual = np.tile(np.median(means, axis=0), (len(means), 1))
    for group in groups:
        for one in np.unique(group):
            rows = group == one
            usual[rows] += np.median(means[rows] - usual[rows], axis=0)
    spread = _MAD_TO_SD * np.median(np.abs(means - usual), axis=0)
    reach = np.where(spread > 0, FARTHEST_SD * spread, np.inf)
    return np.asarray(np.clip(means, usual - reach, usual + reach))


def _effects(means: FloatArray, group: IntArray, size: int, *, is_known: bool) -> tuple[FloatArray, FloatArray]:
    """How each hour or weekday differs from all, (size, s), shrunk to what is not noise; and parameters spent, (s,).

    Variance components of a one-way layout (Searle, Casella and McCulloch 1992): where groups do not differ, nothing
    is taken off, and so no noise is put in. Unless ``is_known``, the reference is too short for them.
    """
    n = np.bincount(group, minlength=size).astype(np.float64)[:, None]
    used = int((n > 0).sum())
    if not is_known or used < 2 or len(means) <= used + 1:
        return np.zeros((size, means.shape[1])), np.zeros(means.shape[1])
    sums = np.zeros((size, means.shape[1]))
    np.add.at(sums, group, means)
    mean = means.mean(axis=0)
    off = np.where(n > 0, sums / np.maximum(n, 1) - mean, 0.0)
    within = ((means - mean - off[group]) ** 2).sum(axis=0) / (len(means) - used)
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
