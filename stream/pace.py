"""The pace of a worker: how long an event waits for its segment, and where a batch spends its time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Histogram, Summary

from stream.batch_histogram import BatchHistogram

STAGES = ("decode", "load", "decide", "commit", "apply")
"""Of a batch, in their order."""
OPERATIONS = ("load", "apply", "other")
"""What is asked of the store."""


class Pace:
    """Additive over workers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.event_to_segment = BatchHistogram(
            "segstream_event_to_segment_seconds",
            "From the broker's timestamp of an input record to its result in the store.",
            registry=registry,
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0),
        )
        stages = Summary(
            "segstream_stage_seconds", "Time of a batch in each of its stages.", ["stage"], registry=registry
        )
        operations = Histogram(
            "segstream_store_seconds",
            "Duration of an operation on the store, failed ones too.",
            ["operation"],
            registry=registry,
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
        )
        self.stages = {name: stages.labels(name) for name in STAGES}
        self.operations = {name: operations.labels(name) for name in OPERATIONS}

    def observe(self, laps: Mapping[str, float], stamps_ms: NDArray[np.int64], now_seconds: float) -> None:
        """A batch was applied: seconds by stage, and when the broker got each of its records."""
        for stage, seconds in laps.items():
            self.stages[stage].observe(seconds)
        # A producer's clock may be ahead of ours; and records of old formats have no time at all (-1).
        self.event_to_segment.observe_all(np.maximum(now_seconds - stamps_ms[stamps_ms >= 0] / 1000, 0.0))
