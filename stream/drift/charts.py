"""Charts: what follows standardised block means and says when they have drifted. Three kinds, one seam.

``ewma`` is ours and the default; ``adwin`` and ``page_hinkley`` are river's. All are fed standardised block means, so
they need no units. What they remember is plain data: river's detectors are rebuilt from the last blocks they saw.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from river import drift

from stream.drift.blocks import FloatArray
from stream.settings import Detector, DriftSettings

SLOW_REACH = 1.1
"""Limits that a slow EWMA goes at most: beyond, it only would not come back for a hundred blocks."""
KEPT_BLOCKS = 500
"""What river's detectors are rebuilt from. They forget what is older, at every restart and at every 500th block."""
ECHO_BLOCKS = 25
"""river's detectors say only when they change their mind: that counts as drift for so many blocks, then it is usual."""


class Charts(Protocol):
    """One chart a signal."""

    @property
    def level(self) -> FloatArray:
        """The statistic in its limits, (s,): from 1 on it has drifted."""
        ...

    def update(self, z: FloatArray) -> None:
        """One more block, standardised, (s,)."""
        ...

    def memory(self) -> FloatArray:
        """What ``restored`` needs, (rows, s)."""
        ...


class EwmaCharts:
    """Exponentially weighted moving averages against a frozen reference (Roberts 1959), a quick one and a slow one.

    The quick one sees a great shift within some blocks, the slow one a small one that the quick one forgets too soon to
    add up (Lucas and Saccucci 1990): on values as alike as AR(.95) half a standard deviation is such a one.
    """

    def __init__(self, smoothings: FloatArray, limit: FloatArray, now: FloatArray | None = None) -> None:
        self._smoothings, self._limit = smoothings[:, None], limit
        self._reach = np.where(np.arange(len(limit)) > 0, SLOW_REACH, np.inf)[:, None] * limit
        self._now = np.zeros(limit.shape) if now is None else now

    @property
    def level(self) -> FloatArray:
        """|EWMA| in limits, of the one that is farther."""
        return np.asarray((np.abs(self._now) / self._limit).max(axis=0))

    def update(self, z: FloatArray) -> None:
        """Move a ``smoothing`` of the way to ``z``."""
        moved = self._now + self._smoothings * (z - self._now)
        self._now = np.clip(moved, -self._reach, self._reach)

    def memory(self) -> FloatArray:
        """The EWMAs."""
        return self._now


class RiverCharts:
    """river's detectors, one a signal."""

    def __init__(self, build: Callable[[], Any], signals: int) -> None:
        self._build = build
        self._detectors = [build() for _ in range(signals)]
        self._seen: list[FloatArray] = []
        self._echo = np.zeros(signals)

    @property
    def level(self) -> FloatArray:
        """1 right after a detection, falling to 0."""
        return self._echo / ECHO_BLOCKS

    def update(self, z: FloatArray) -> None:
        """One value a detector."""
        if len(self._seen) >= 2 * KEPT_BLOCKS:
            self.restore(np.array(self._seen[-KEPT_BLOCKS:]), self._echo)
        self._seen.append(z)
        self._feed(z)

    def memory(self) -> FloatArray:
        """What they last saw, and under it how long ago each last spoke."""
        return np.array([*self._seen, self._echo])

    def restore(self, seen: FloatArray, echo: FloatArray) -> None:
        """Build them anew from what they saw, (n, s)."""
        self._detectors = [self._build() for _ in self._detectors]
        self._seen = []
        for z in seen:
            self._seen.append(z)
            self._feed(z)
        self._echo = echo

    def _feed(self, z: FloatArray) -> None:
        spoke = np.zeros(len(z), dtype=bool)
        for i, (detector, value) in enumerate(zip(self._detectors, z.tolist(), strict=True)):
            detector.update(value)
            spoke[i] = detector.drift_detected
        self._echo = np.where(spoke, float(ECHO_BLOCKS), np.maximum(self._echo - 1.0, 0.0))


_RIVER: dict[Detector, Callable[[DriftSettings], Any]] = {
    "adwin": lambda settings: drift.ADWIN(delta=settings.adwin_delta),
    "page_hinkley": lambda settings: drift.PageHinkley(threshold=settings.page_hinkley_threshold),
}


def charts_of(settings: DriftSettings, limit: FloatArray, memory: FloatArray | None = None) -> Charts:
    """The charts of these settings, as they were (``memory``) or new. ``limit`` (e, s) is that of each EWMA."""
    if settings.detector == "ewma":
        return EwmaCharts(np.array([smoothing for smoothing, _ in settings.ewmas]), limit, memory)
    build = _RIVER[settings.detector]
    charts = RiverCharts(lambda: build(settings), limit.shape[1])
    if memory is not None:
        charts.restore(memory[:-1], memory[-1])
    return charts
