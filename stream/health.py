"""The metrics that alarms stand on: what keeps a worker from its work, and what would keep it from coming back.

Each has a page in docs/runbooks.md.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class WorkerHealth:
    """How one worker is. Gauges of 0 and 1 are flags: 1 is what somebody should hear of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.paused = Gauge("segstream_paused", "1 while an operator has paused the workers.", registry=registry)
        self.circuit_open = Gauge(
            "segstream_circuit_open", "1 while too many bad records hold the worker.", registry=registry
        )
        self.commit_stuck = Gauge(
            "segstream_commit_stuck", "1 while the same batch fails to commit again and again.", registry=registry
        )
        self.restore_remaining = Gauge(
            "segstream_restore_remaining_customers", "Customers that a restore has still to write.", registry=registry
        )
        self.timers_backlog = Gauge(
            "segstream_timers_backlog", "1 while more timers are due than one batch has room for.", registry=registry
        )
        self.floor_age = Gauge(
            "segstream_journal_floor_age_seconds",
            "Age of the oldest journal record that a restore needs, the oldest of the owned partitions.",
            registry=registry,
        )
        self.lag = Gauge(
            "segstream_input_lag_records", "Records not yet processed, of all owned partitions.", registry=registry
        )
        self.largest_lag = Gauge(
            "segstream_input_lag_largest_records",
            "Records not yet processed, of the owned partition that has most of them.",
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "segstream_input_lag_seconds",
            "Age of the oldest record not yet processed, at most; of the owned partition that is most behind.",
            registry=registry,
        )
        self.model_version = Gauge(
            "segstream_worker_model_version", "Version of the model the worker decides with.", registry=registry
        )
        self.snapshots_refused = Counter(
            "segstream_snapshots_refused_total", "Model snapshots that did not check.", registry=registry
        )
        self._refused = 0

    def holding(self, *, paused: bool, circuit_open: bool) -> None:
        """What holds the worker."""
        self.paused.set(paused)
        self.circuit_open.set(circuit_open)

    def model(self, version: int, refused: int) -> None:
        """The model in use, and how many snapshots have been refused so far."""
        self.model_version.set(version)
        self.snapshots_refused.inc(refused - self._refused)
        self._refused = refused
