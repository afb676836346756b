"""A tally of what a run did, for people and for ``--json``."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from consumers.worker import Done
from stream.contracts.changes import SegmentChange


@dataclass
class Tally:
    """Adds up rounds of a worker."""

    records: int = 0
    duplicates: int = 0
    rejected: int = 0
    timers: int = 0
    flaps: int = 0
    model_version: int = 0
    now_ms: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    recent: deque[SegmentChange] = field(default_factory=lambda: deque(maxlen=6))
    _batches: list[tuple[float, int]] = field(default_factory=list)

    def count(self, done: Done, seconds: float) -> None:
        """One round, and how long it took."""
        if done.step is None:
            return
        self.records += done.records
        self.rejected += done.rejected
        self.duplicates += done.step.duplicates
        self.timers += done.step.timers
        self.flaps += done.step.flaps
        self.now_ms = max([self.now_ms, *(c.now_ms for c in done.step.clocks)])
        self._batches.append((seconds, done.records))
        for _, change in done.step.changes:
            self.causes[change.cause.value] += 1
            self.model_version = max(self.model_version, change.model_version)
            if change.reasons and change.previous is not None:
                self.recent.append(change)

    def said(self) -> str:
        """Where the run is, in a few words."""
        reached = datetime.fromtimestamp(self.now_ms / 1000, UTC)
        return f"{reached:%d %b %Y}  {self.records:,} events  {self.causes.total():,} changes"

    def counts(self) -> dict[str, Any]:
        """The numbers. Latency is from poll to applied in the store, an event of the batch counting each."""
        return {
            "accepted": self.records - self.rejected - self.duplicates,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "timers": self.timers,
            "changes": self.causes.total(),
            "changes_by_cause": dict(sorted(self.causes.items())),
            "flaps": self.flaps,
            "latency_ms": {"p50": self._latency_ms(50), "p99": self._latency_ms(99)},
        }

    def _latency_ms(self, percent: float) -> float:
        if not self.records:
            return 0.0
        seconds, events = (np.array(column) for column in zip(*sorted(self._batches), strict=True))
        reached = np.cumsum(events) >= percent / 100 * events.sum()
        return float(seconds[reached.argmax()] * 1000)
