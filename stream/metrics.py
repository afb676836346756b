"""The metrics: names, labels and buckets, and how a batch is counted. Counted per batch, never per event."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from stream.certainty import Certainty
from stream.contracts.segments import LedgerKind, SegmentProfile
from stream.decision.batch import Batch, Step
from stream.drift_metrics import DriftMetrics
from stream.errors import BrokerUnavailable, StoreUnavailable
from stream.health import WorkerHealth
from stream.model.snapshot import Snapshot
from stream.pace import Pace

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series and nobody reads them

_LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Decoded(Protocol):
    """What the metrics read of one partition's decoded records."""

    @property
    def events(self) -> Sequence[object]:
        """Accepted."""
        ...

    @property
    def reasons(self) -> Sequence[str]:
        """Why the others were rejected."""
        ...

    @property
    def unknown_fields(self) -> int:
        """Fields that nobody declared."""
        ...


class WorkerMetrics:
    """What a worker counts. Additive over workers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "segstream_events_total", "Input records by what became of them.", ["outcome"], registry=registry
        )
        self.rejected = Counter(
            "segstream_rejected_total", "Rejected records by reason.", ["reason"], registry=registry
        )
        self.unknown_fields = Counter(
            "segstream_unknown_fields_total", "Fields of accepted events that no contract declares.", registry=registry
        )
        self.looks = Counter(
            "segstream_looks_total", "Evaluations of a customer by what caused them.", ["by"], registry=registry
        )
        self.changes = Counter("segstream_changes_total", "Published changes by cause.", ["cause"], registry=registry)
        self.transitions = Counter(
            "segstream_transitions_total", "Changes of segment.", ["from_segment", "to_segment"], registry=registry
        )
        self.flaps = Counter(
            "segstream_flaps_total",
            "Changes back to the segment held before the last one, within five typical gaps.",
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "segstream_batch_seconds", "From poll to applied, a batch.", registry=registry, buckets=_LATENCY_SECONDS
        )
        self.batch_events = Histogram(
            "segstream_batch_events",
            "Events a batch.",
            registry=registry,
            buckets=(1, 10, 50, 100, 250, 500, 1000, 2000, 4000),
        )
        self.commit_failures = Counter(
            "segstream_commit_failures_total", "Transactions without a known commit.", registry=registry
        )
        self.outages = Counter(
            "segstream_outages_total", "Rounds that waited for a broker or store.", ["kind"], registry=registry
        )
        self.partitions = Gauge("segstream_assigned_partitions", "Input partitions owned.", registry=registry)
        self.event_time = Gauge(
            "segstream_event_time_seconds",
            "Event time reached (now), the newest of the owned partitions.",
            registry=registry,
        )
        self.last_batch = Gauge(
            "segstream_last_batch_timestamp_seconds", "Wall clock of the last batch.", registry=registry
        )
        self.rebalances = Counter(
            "segstream_rebalances_total", "Assignments of input partitions, also unchanged ones.", registry=registry
        )
        self.health = WorkerHealth(registry)
        self.certainty, self.pace = Certainty(registry), Pace(registry)
        self._outcomes = {name: self.events.labels(name) for name in ("accepted", "duplicate", "rejected")}
        self._looks = {name: self.looks.labels(name) for name in ("timer", "event")}
        for outage in (StoreUnavailable, BrokerUnavailable):
            self.outages.labels(outage.__name__)  # a counter that begins with 1 has not increased, to Prometheus
        self._now_ms = 0
        self._epoch = -1

    def assigned(self, partitions: Collection[int]) -> None:
        """A new assignment."""
        self.rebalances.inc()
        self.partitions.set(len(partitions))
        self._now_ms = 0

    def follow(self, snapshot: Snapshot) -> None:
        """The model in use. Where its structure is new, transitions of segments that are no more lose their series.

        Ids are never reused: without this a worker would have more series each month.
        """
        if snapshot.epoch == self._epoch:
            return
        self._epoch = snapshot.epoch
        known = {segment.id for segment in snapshot.segments} | {"none"}
        for sample in next(iter(self.transitions.collect())).samples:
            ends = (sample.labels["from_segment"], sample.labels["to_segment"])
            if not known.issuperset(ends):
                self.transitions.remove(*ends)

    def observe(
        self, intakes: Mapping[int, Decoded], batch: Batch, step: Step, started_seconds: float, now_seconds: float
    ) -> None:
        """Count one committed batch."""
        reasons = Tally(reason for intake in intakes.values() for reason in intake.reasons)
        accepted = len(batch.events) - step.duplicates
        for outcome, n in (("accepted", accepted), ("duplicate", step.duplicates), ("rejected", reasons.total())):
            self._outcomes[outcome].inc(n)
        for reason, n in reasons.items():
            self.rejected.labels(reason).inc(n)
        self.unknown_fields.inc(sum(intake.unknown_fields for intake in intakes.values()))
        self._looks["timer"].inc(step.timers)
        self._looks["event"].inc(step.looks - step.timers)
        self._observe_changes(step)
        self.batch_seconds.observe(now_seconds - started_seconds)
        self.batch_events.observe(len(batch.events))
        self.certainty.observe(step.rows, step.touched)
        self._now_ms = max([self._now_ms, *(c.now_ms for c in step.clocks)])
        self.event_time.set(self._now_ms / 1000)
        self.last_batch.set(now_seconds)

    def _observe_changes(self, step: Step) -> None:
        for cause, n in Tally(change.cause.value for _, change in step.changes).items():
            self.changes.labels(cause).inc(n)
        ids = ((c.previous.id if c.previous else "", c.current.id if c.current else "") for _, c in step.changes)
        for (old, new), n in Tally((old or "none", new or "none") for old, new in ids if old != new).items():
            self.transitions.labels(old, new).inc(n)
        self.flaps.inc(step.flaps)


_VALUE = {
    "retention": "Estimated share of a segment's active customers who are so 30 days later.",
    "orders": "Orders of an active customer of a segment in 30 days.",
    "spend": "Spend of an active customer of a segment in 30 days.",
    "conversion": "Orders per view in a segment.",
    "order_value": "Money per order in a segment.",
    "clv": "Discounted margin that an active customer of a segment will yet bring.",
}
"""Fields of a segment's value that are gauges. One that is null has no series."""


class OwnerMetrics:
    """What the model owner knows of the whole population."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.version = Gauge("segstream_model_version", "Version of the newest snapshot.", registry=registry)
        self.published = Gauge(
            "segstream_model_timestamp_seconds", "Wall clock of the newest snapshot.", registry=registry
        )
        self.macro_seconds = Histogram(
            "segstream_macro_step_seconds", "Duration of a macro step.", registry=registry, buckets=_LATENCY_SECONDS
        )
        self.customers = Gauge(
            "segstream_segment_customers",
            "Customers of the population nearest to a segment.",
            ["segment"],
            registry=registry,
        )
        self.info = Gauge(
            "segstream_segment_info",
            "Plain-language name of a segment; always 1.",
            ["segment", "name"],
            registry=registry,
        )
        self.holders = Gauge(
            "segstream_segment_holders",
            "Customers who hold a segment, active or dormant.",
            ["segment", "status"],
            registry=registry,
        )
        self.value = {
            name: Gauge(f"segstream_segment_{name}", said, ["segment"], registry=registry)
            for name, said in _VALUE.items()
        }
        self.alike = Gauge(
            "segstream_segments_alike",
            "Two segments that do not differ in outcome, each pair twice; always 1.",
            ["segment", "other"],
            registry=registry,
        )
        self.ledger = Counter("segstream_ledger_entries_total", "Ledger entries by kind.", ["kind"], registry=registry)
        self.drift = DriftMetrics(registry)
        for kind in LedgerKind:
            self.ledger.labels(kind.value)
        self.refused = Counter(
            "segstream_learning_refused_total", "Learning records that could not be learnt.", ["why"], registry=registry
        )

    def observe(self, snapshot: Snapshot, kinds: Sequence[str], seconds: float, now_seconds: float) -> None:
        """A new snapshot was published."""
        self.show(snapshot, now_seconds)
        self.macro_seconds.observe(seconds)
        for kind, n in Tally(kinds).items():
            self.ledger.labels(kind).inc(n)

    def show(self, snapshot: Snapshot, published_seconds: float) -> None:
        """The newest snapshot, also when it was found at a take-over."""
        self.version.set(snapshot.version)
        self.published.set(published_seconds)
        self.customers.clear()
        self.info.clear()
        for segment in snapshot.segments:
            self.customers.labels(segment.id).set(segment.customers)
            self.info.labels(segment.id, segment.name).set(1)

    def show_value(self, profiles: Iterable[SegmentProfile]) -> None:
        """What the segments are worth, and which are alike in that; those that are no more have no series."""
        for gauge in (self.holders, self.alike, *self.value.values()):
            gauge.clear()
        for profile in profiles:
            for other in profile.alike:
                self.alike.labels(profile.id, other).set(1)
            if profile.value is None:
                continue
            self.holders.labels(profile.id, "active").set(profile.value.active)
            self.holders.labels(profile.id, "dormant").set(profile.value.dormant)
            for name, gauge in self.value.items():
                value = getattr(profile.value, name)
                if value is not None:
                    gauge.labels(profile.id).set(value)
