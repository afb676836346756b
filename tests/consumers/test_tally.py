"""The tally: every record is accepted, rejected or a duplicate; latency is an event's, not a batch's."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from consumers.tally import Tally
from consumers.worker import Done
from stream.decision.assign import Assigner
from stream.decision.batch import Step
from stream.decision.clock import Clock
from stream.decision.step import Stepper
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, event, shop, shop_model
from tests.town import Town


@cache
def step() -> Step:
    """Four orders of one customer: two changes, ``first`` and one out of the cold."""
    batch = Town(shop()).batch([event("ann", MONDAY_MS + i * HOUR_MS, 20.0) for i in range(4)])
    return Stepper(shop(), Assigner(shop_model(version=5))).step(batch)


def done(records: int, rejected: int = 0, duplicates: int = 0, now_ms: int = 0) -> Done:
    made = replace(step(), duplicates=duplicates, timers=2, flaps=1, clocks=[Clock(0), Clock(now_ms)])
    return Done(records, rejected, made)


def test_records_are_accepted_rejected_or_duplicates() -> None:
    tally = Tally()
    tally.count(done(10, rejected=2, duplicates=3), 0.1)
    tally.count(done(5), 0.1)
    tally.count(Done(), 99.0)
    counts = tally.counts()
    assert tally.records == 15
    assert (counts["accepted"], counts["rejected"], counts["duplicates"]) == (10, 2, 3)
    assert (counts["timers"], counts["flaps"]) == (4, 2)


def test_changes_are_counted_by_cause() -> None:
    tally = Tally()
    tally.count(done(4), 0.1)
    causes = [change.cause.value for _, change in step().changes]
    assert tally.counts()["changes"] == len(causes) > 0
    assert tally.counts()["changes_by_cause"] == {cause: causes.count(cause) for cause in sorted(set(causes))}
    assert tally.model_version == 5


def test_the_latest_explained_changes_are_kept() -> None:
    tally = Tally()
    for _ in range(20):
        tally.count(done(4), 0.1)
    assert all(change.reasons and change.previous for change in tally.recent)
    assert len(tally.recent) <= 6


def test_latency_is_that_of_the_events() -> None:
    tally = Tally()
    assert tally.counts()["latency_ms"] == {"p50": 0.0, "p99": 0.0}
    tally.count(done(0), 60.0)  # a batch of timers only is nobody's latency
    assert tally.counts()["latency_ms"] == {"p50": 0.0, "p99": 0.0}
    tally.count(done(990), 0.25)
    tally.count(done(5), 0.5)
    tally.count(done(5), 2.0)
    assert tally.counts()["latency_ms"] == {"p50": 250.0, "p99": 250.0}
    tally.count(done(2), 4.0)
    assert tally.counts()["latency_ms"] == {"p50": 250.0, "p99": 500.0}


def test_where_the_run_is_in_a_few_words() -> None:
    tally = Tally()
    tally.count(done(1000, now_ms=MONDAY_MS + DAY_MS), 0.1)
    tally.count(done(234, now_ms=MONDAY_MS), 0.1)
    assert tally.said() == f"07 Jan 2025  1,234 events  {2 * len(step().changes)} changes"
