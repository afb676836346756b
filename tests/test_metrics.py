"""The metrics: what a batch did is counted once, and nothing in them grows with the number of customers."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from consumers.assembling import Intake
from stream.batch_histogram import BatchHistogram
from stream.contracts.changes import Cause
from stream.contracts.events import Event
from stream.contracts.examples import PROFILE
from stream.contracts.reasons import Reason
from stream.contracts.segments import LedgerKind, SegmentValue
from stream.customer.state import Status
from stream.decision.batch import Batch, Step
from stream.decision.clock import Clock
from stream.metrics import OwnerMetrics, WorkerMetrics
from stream.pace import OPERATIONS, STAGES
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, event, shop, shop_model
from tests.town import Town

STARTED, ENDED = 1_000_000.0, 1_000_000.25


class Counted:
    """A worker's metrics over the batches of a town."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = WorkerMetrics(self.registry)
        self.town = Town(shop(), shop_model())

    def batch(self, *events: Event, intake: Intake | None = None) -> Step:
        batch, step = self.town.batch(events), self.town.feed(events)
        self.observe({0: intake or Intake()}, batch, step)
        return step

    def observe(self, intakes: Mapping[int, Intake], batch: Batch, step: Step) -> None:
        self.metrics.observe(intakes, batch, step, STARTED, ENDED)

    def value(self, name: str, **labels: str) -> float:
        found = self.registry.get_sample_value(name, labels)
        assert found is not None, name
        return found

    def by(self, name: str, *labels: str) -> dict[str | tuple[str, ...], float]:
        """All series of a name, by the values of their labels, without zeros."""
        samples = (sample for family in self.registry.collect() for sample in family.samples if sample.name == name)
        keyed = ((tuple(sample.labels[label] for label in labels), sample.value) for sample in samples if sample.value)
        return {key if len(key) > 1 else key[0]: value for key, value in keyed}


def orders(name: str, count: int, amount: float = 20.0, start_ms: int = MONDAY_MS) -> list[Event]:
    return [event(name, start_ms + i * HOUR_MS, amount, items=3.0) for i in range(count)]


def test_every_record_is_accepted_rejected_or_a_duplicate() -> None:
    counted = Counted()
    first = orders("ann", 3)
    bad = Intake(reasons=[Reason.NULL_KEY, Reason.NOT_JSON, Reason.NULL_KEY], unknown_fields=5)
    counted.batch(*first, intake=bad)
    counted.batch(first[0], *orders("bob", 1), intake=Intake(reasons=[Reason.NOT_JSON], unknown_fields=1))
    assert counted.by("segstream_events_total", "outcome") == {"accepted": 4.0, "duplicate": 1.0, "rejected": 4.0}
    assert counted.by("segstream_rejected_total", "reason") == {"null_key": 2.0, "not_json": 2.0}
    assert counted.value("segstream_unknown_fields_total") == 6.0


def test_looks_changes_and_transitions_are_those_of_the_steps() -> None:
    counted = Counted()
    steps = [
        counted.batch(*orders("ann", 4), *orders("bob", 4, 3000.0)),
        counted.batch(*orders("bob", 40, 1.0, MONDAY_MS + 20 * DAY_MS)),
        counted.batch(*(event(name, MONDAY_MS + 300 * DAY_MS, 20.0) for name in ("eve", "fay", "gus"))),
    ]
    timers = sum(step.timers for step in steps)
    assert timers > 0
    looks = {"timer": float(timers), "event": float(sum(step.looks for step in steps) - timers)}
    assert counted.by("segstream_looks_total", "by") == looks
    changes = [change for step in steps for _, change in step.changes]
    causes = [change.cause.value for change in changes]
    assert {"first", "behaviour", "time"} <= set(causes)
    assert counted.by("segstream_changes_total", "cause") == {c: float(causes.count(c)) for c in causes}
    ends = [(c.previous.id if c.previous else "", c.current.id if c.current else "") for c in changes]
    moves = [(old or "none", new or "none") for old, new in ends if old != new]
    assert {("none", "s2"), ("none", "s3"), ("s3", "s2")} <= set(moves)
    assert counted.by("segstream_transitions_total", "from_segment", "to_segment") == Tally(moves)


def test_flaps_are_those_of_the_steps() -> None:
    counted = Counted()
    batch, step = counted.town.batch([]), counted.town.feed([])
    for flaps in (2, 3):
        counted.observe({}, batch, replace(step, flaps=flaps))
    assert counted.value("segstream_flaps_total") == 5.0


def test_latency_and_size_of_a_batch() -> None:
    counted = Counted()
    counted.batch(*orders("ann", 30))
    counted.batch(*orders("bob", 70))
    assert counted.value("segstream_batch_seconds_count") == 2.0
    assert counted.value("segstream_batch_seconds_sum") == pytest.approx(0.5)
    assert counted.value("segstream_batch_events_sum") == 100.0
    assert counted.value("segstream_batch_events_bucket", le="50.0") == 1.0
    assert counted.value("segstream_last_batch_timestamp_seconds") == ENDED


@pytest.mark.parametrize("buckets", [(-1.0, 0.0, 0.5), (0.0, 0.25, 0.5)])
def test_a_batch_of_values_is_counted_as_one_by_one(buckets: tuple[float, ...]) -> None:
    registry = CollectorRegistry()
    together = BatchHistogram("together", "x", registry=registry, buckets=buckets)
    single = Histogram("single", "x", registry=registry, buckets=buckets)
    values = np.array([-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 7.0, 0.5])
    together.observe_all(values)
    together.observe_all(values[:0])
    for value in values.tolist():
        single.observe(value)
    samples = [next(iter(histogram.collect())).samples for histogram in (together, single)]
    told = [[(sample.name.partition("_")[2], sample.labels, sample.value) for sample in of] for of in samples]
    assert told[0] == told[1]
    assert len({n for name, _, n in told[0] if name == "bucket"}) == 4


def test_the_margin_is_that_of_who_was_touched_and_has_one() -> None:
    counted = Counted()
    batch = counted.town.batch(orders("ann", 4) + orders("bob", 1))
    step = counted.town.feed(batch.events)
    step.rows["margin"][:] = [0.3, np.nan]
    counted.observe({0: Intake()}, batch, replace(step, touched=np.array([0, 1])))
    assert counted.value("segstream_margin_ratio_count") == 1.0
    assert counted.value("segstream_margin_ratio_bucket", le="0.2") == 0.0
    assert counted.value("segstream_margin_ratio_bucket", le="0.3") == 1.0


def test_fit_odd_customers_and_those_whom_the_margin_holds_are_of_who_was_touched() -> None:
    counted = Counted()
    batch = counted.town.batch(orders("ann", 4) + orders("bob", 4) + orders("eve", 4) + orders("fay", 1))
    step = counted.town.feed(batch.events)
    step.rows["status"][:] = [Status.READY, Status.READY, Status.LOCKED, Status.COLD]
    step.rows["margin"][:] = [0.3, -0.1, -0.2, np.nan]
    step.rows["fit"][:] = [0.8, 4.0, 5.0, np.nan]
    step.rows["atypical"][:] = [2, 3, 0, 0]
    counted.observe({0: Intake()}, batch, replace(step, touched=np.array([0, 1, 2, 3])))
    assert counted.value("segstream_fit_radii_count") == 3.0
    assert counted.value("segstream_fit_radii_bucket", le="1.0") == 1.0
    assert counted.value("segstream_atypical_total") == 1.0, "one far look is not yet odd"
    assert counted.value("segstream_changes_suppressed_total") == 1.0, "a lock is an analyst's"
    counted.observe({0: Intake()}, batch, replace(step, touched=np.array([0])))
    assert counted.value("segstream_fit_radii_count") == 4.0
    assert counted.value("segstream_changes_suppressed_total") == 1.0


def test_the_pace_is_from_the_brokers_time_to_applied_and_by_stage() -> None:
    counted = Counted()
    stamps_ms = np.array([ENDED - 0.2, ENDED - 40.0, ENDED + 3.0, -0.001]) * 1000
    counted.metrics.pace.observe({"decode": 0.5, "apply": 0.25}, stamps_ms.astype(np.int64), ENDED)
    name = "segstream_event_to_segment_seconds"
    assert counted.value(f"{name}_count") == 3.0, "a record without a time is passed over"
    assert counted.value(f"{name}_sum") == pytest.approx(40.2, abs=0.01), "a clock that is ahead is no negative time"
    assert counted.value(f"{name}_bucket", le="30.0") == 2.0
    assert counted.value("segstream_stage_seconds_sum", stage="decode") == 0.5
    assert counted.value("segstream_stage_seconds_count", stage="load") == 0.0


def test_transitions_of_segments_that_are_no_more_lose_their_series_with_the_structure() -> None:
    counted = Counted()
    pairs = (("s1", "s2"), ("none", "s3"), ("s2", "none"), ("s7", "s1"), ("s1", "s7"))
    for pair in pairs:
        counted.metrics.transitions.labels(*pair).inc(5)
    counted.metrics.follow(shop_model(epoch=4))
    ends = ("from_segment", "to_segment")
    assert counted.by("segstream_transitions_total", *ends) == dict.fromkeys(pairs[:3], 5.0)
    counted.metrics.transitions.labels("s7", "s1").inc()
    counted.metrics.follow(shop_model(epoch=4, version=9))
    assert ("s7", "s1") in counted.by("segstream_transitions_total", *ends)


def test_event_time_is_the_newest_of_the_owned_partitions() -> None:
    counted = Counted()
    batch, step = counted.town.batch([]), counted.town.feed([])
    name = "segstream_event_time_seconds"
    counted.observe({}, batch, step)
    assert counted.value(name) == 0.0, "before the first event there is none"
    counted.observe({}, batch, replace(step, clocks=[Clock(5_000), Clock(9_000)]))
    counted.observe({}, batch, replace(step, clocks=[Clock(7_000)]))
    assert counted.value(name) == 9.0
    counted.metrics.assigned([1, 2, 5])
    counted.observe({}, batch, replace(step, clocks=[Clock(7_000)]))
    assert counted.value(name) == 7.0
    assert counted.value("segstream_assigned_partitions") == 3.0


def test_no_customer_is_named_and_series_do_not_grow_with_customers() -> None:
    few, many = Counted(), Counted()
    for counted, customers in ((few, 20), (many, 400)):
        counted.batch(*(e for i in range(customers) for e in orders(f"customer{i}", 4, 20.0 * (1 + i % 20))))
        counted.batch(*(event(f"customer{i}", MONDAY_MS + 300 * DAY_MS, 20.0) for i in range(3)))
    said = [generate_latest(counted.registry).decode() for counted in (few, many)]
    assert not any("customer0" in text for text in said)
    names = [{line.rsplit(" ", 1)[0] for line in text.splitlines() if line[0] != "#"} for text in said]
    assert names[0] == names[1]


def test_labels_have_few_values() -> None:
    counted = Counted()
    counted.batch(*orders("ann", 6), intake=Intake(reasons=list(Reason)))
    segments = {segment.id for segment in shop_model().segments} | {"none"}
    allowed = {
        "outcome": {"accepted", "duplicate", "rejected"},
        "reason": {reason.value for reason in Reason},
        "by": {"timer", "event"},
        "cause": {cause.value for cause in Cause},
        "from_segment": segments,
        "to_segment": segments,
        "kind": {"StoreUnavailable", "BrokerUnavailable"},
        "stage": set(STAGES),
        "operation": set(OPERATIONS),
    }
    for family in counted.registry.collect():
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert label == "le" or value in allowed[label], sample


# The owner's


def test_the_owner_shows_the_newest_model_and_forgets_the_last() -> None:
    registry = CollectorRegistry()
    metrics = OwnerMetrics(registry)
    metrics.observe(shop_model(version=3), ["born", "born", "born"], 0.002, 50.0)
    newer = shop_model(version=4)
    one = replace(newer.segments[1], name="renamed", customers=77)
    metrics.observe(replace(newer, segments=(one,)), ["retired", "renamed"], 0.004, 60.0)
    samples = {(s.name, *s.labels.values()): s.value for family in registry.collect() for s in family.samples}
    shown = {key: value for key, value in samples.items() if key[0].startswith("segstream_segment_")}
    assert shown == {("segstream_segment_customers", "s2"): 77.0, ("segstream_segment_info", "s2", "renamed"): 1.0}
    assert samples["segstream_model_version",] == 4.0
    assert samples["segstream_model_timestamp_seconds",] == 60.0
    assert samples["segstream_macro_step_seconds_count",] == 2.0
    entries = {key[1]: value for key, value in samples.items() if key[0] == "segstream_ledger_entries_total"}
    assert set(entries) == {kind.value for kind in LedgerKind}, "what has not happened is 0 and not absent"
    assert {kind: n for kind, n in entries.items() if n} == {"born": 3.0, "retired": 1.0, "renamed": 1.0}


def test_an_owner_that_took_over_shows_the_model_it_found() -> None:
    registry = CollectorRegistry()
    OwnerMetrics(registry).show(shop_model(version=7), 40.0)
    samples = {(s.name, *s.labels.values()): s.value for family in registry.collect() for s in family.samples}
    assert samples["segstream_model_version",] == 7.0
    assert samples["segstream_model_timestamp_seconds",] == 40.0
    assert samples["segstream_segment_customers", "s2"] == 10.0
    assert samples["segstream_macro_step_seconds_count",] == 0.0


def test_a_segment_that_is_no_more_has_no_value_and_what_is_not_known_no_series() -> None:
    registry = CollectorRegistry()
    metrics = OwnerMetrics(registry)
    value = SegmentValue(40, 9, 0.96, 3.0, 90.0, None, 30.0, 700.0)
    metrics.show_value([replace(PROFILE, id=id_, value=value, alike=("s9",)) for id_ in ("s1", "s2")])
    metrics.show_value([replace(PROFILE, id="s2", value=value, alike=("s3",)), replace(PROFILE, id="s3", value=None)])
    samples = {(s.name, *s.labels.values()): s.value for family in registry.collect() for s in family.samples}
    prefix = "segstream_segment_"
    assert {(name[len(prefix) :], *of): n for (name, *of), n in samples.items() if name.startswith(prefix)} == {
        ("holders", "s2", "active"): 40.0,
        ("holders", "s2", "dormant"): 9.0,
        ("retention", "s2"): 0.96,
        ("orders", "s2"): 3.0,
        ("spend", "s2"): 90.0,
        ("order_value", "s2"): 30.0,
        ("clv", "s2"): 700.0,
    }
    assert {key[1:] for key in samples if key[0] == "segstream_segments_alike"} == {("s2", "s3")}
