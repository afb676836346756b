"""Shares over time: counts by place, sampled, and thinned as they grow old, so that any length fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST = 480
"""Points kept; more than a chart has room for. Every second one goes when there are more, and samples come half as
often from then on."""


@dataclass
class History:
    """Samples of how many customers are where, at event time and at the wall clock's."""

    points: list[dict[str, Any]] = field(default_factory=list)
    apart_seconds: float = 1.0

    def add(self, counts: Mapping[str, int], event_ms: int | None, wall_seconds: float) -> None:
        """Sample if it is time."""
        if self.points and wall_seconds * 1000 - self.points[-1]["wall"] < self.apart_seconds * 1000:
            return
        self.points.append(point(counts, event_ms, wall_seconds))
        if len(self.points) > MOST:
            self.points = self.points[::2]
            self.apart_seconds *= 2


def point(counts: Mapping[str, int], event_ms: int | None, wall_seconds: float) -> dict[str, Any]:
    """One sample."""
    return {"wall": round(wall_seconds * 1000), "event": event_ms, "counts": {k: n for k, n in counts.items() if n}}
