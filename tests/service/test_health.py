"""How the service is: what the broker refuses, what one customer does to it, and what its gauges say of it."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks.chaos.world import read_world, same_accumulators
from consumers.assembling import take_in
from consumers.build import kafka_backend
from consumers.insisting import _is_too_large
from consumers.memory_source import MemoryTail
from consumers.source import Record
from consumers.topics import create, shapes
from consumers.twins import drain
from producers.orders import Encoded
from producers.sink import Outgoing
from stream.contracts.events import DecodeRules
from stream.errors import CommitFailed
from stream.pace import STAGES
from stream.settings import TopicSettings, Tree
from tests.brokers import Broker, fresh
from tests.consumers.unsteady import UnsteadyTwins
from tests.service.floor import PARTITIONS, Floor, events, half_way, settings, undisturbed

# What the broker refuses


def test_a_batch_that_fails_again_and_again_is_said_aloud_and_insisted_on(caplog: pytest.LogCaptureFixture) -> None:
    twins = UnsteadyTwins(settings())
    twins.send(events())
    service = twins.service()
    worker = service.worker()
    twins.faults.order("sink.commit", CommitFailed("MessageSizeTooLargeError"), times=7, after=1)
    began = twins.wall.now()
    stuck = []
    for _ in range(20):
        worker.run_once()
        stuck.append(service.registry.get_sample_value("segstream_commit_stuck"))
    assert stuck.count(1.0) >= 3
    assert stuck[-1] == 0.0
    assert twins.wall.now() - began == pytest.approx(0.5 + 1 + 2 + 4 + 8 + 10, abs=0.5)
    assert [said for said in caplog.messages if "max.message.bytes" in said]
    drain(worker.run_once)
    world = read_world(twins.settings, MemoryTail(twins.broker), twins.store.reader)
    world.check()
    assert same_accumulators([world, undisturbed()])


@pytest.mark.parametrize("client", ["kafka-python", "librdkafka"])
def test_whatever_was_refused_fits_the_rejected_topic(apache_kafka: Broker, client: str) -> None:
    """And uncut it would not: the broker says so in words that we know."""
    topics = TopicSettings(**{name: fresh(name) for name in ("events", "rejected")})
    tree = Tree(profile="none", kafka=apache_kafka.kafka(client=client), topics=topics)
    create(tree.kafka, {topics.rejected: shapes(topics)[topics.rejected]})
    noise = random.Random(4)  # it cannot be compressed
    original = Record(0, 17, 0, noise.randbytes(1_000_000), noise.randbytes(5_000_000))
    with closing(kafka_backend(tree).sink(fresh("sink"))) as sink:
        rules = DecodeRules(partitions=4, max_event_bytes=65_536, future_tolerance_ms=0)
        (cut,) = take_in([original], 0, rules, topics).rejected
        assert sink.commit([cut], None) == [0]
        with pytest.raises(CommitFailed) as refused:
            sink.commit([replace(cut, value=original.value)], None)
    assert _is_too_large(refused.value)


# A hot key


def hot() -> list[Encoded]:
    """Every second event is one customer's."""
    star = b"star"
    return [
        e._replace(key=star, payload=e.payload.replace(b'"' + e.key + b'"', b'"star"')) if number % 2 else e
        for number, e in enumerate(events())
    ]


def test_half_of_the_traffic_on_one_key_is_in_order_and_counted_once() -> None:
    floor, one_by_one = Floor(), Floor(settings(kafka={"max_poll_records": 7}))
    worlds = []
    for each in (floor, one_by_one):
        each.twins.send(hot())
        worlds.append(each.finish())
    document = floor.twins.store.reader.features(b"star")
    assert document is not None
    assert document["events"] == len(events()) // 2
    assert same_accumulators(worlds), "however the batches were cut"
    times = [change.occurred_at for change in worlds[0].changes["star"]]
    assert times == sorted(times)


# Health


def test_a_worker_says_which_model_it_decides_with_and_which_it_refused() -> None:
    floor = half_way()
    floor.finish()
    assert floor.lockstep.assigner is not None
    assert floor.metric("segstream_worker_model_version") == floor.lockstep.assigner.snapshot.version > 0
    assert floor.metric("segstream_snapshots_refused_total") == 0.0
    floor.twins.broker.append(Outgoing(floor.topics.model, 0, b"0", b"noise"))
    floor.rounds(3)
    assert floor.metric("segstream_snapshots_refused_total") == 1.0


def test_lag_and_the_age_of_the_floor_are_measured_while_it_runs_and_while_it_holds() -> None:
    floor = half_way()
    floor.say(True)
    floor.twins.wall.wait(10.0)
    floor.rounds(1)
    done = sum(at.offset for at in floor.committed().values())
    assert floor.metric("segstream_input_lag_records") == len(events()) - done > 0
    assert 0 < floor.metric("segstream_input_lag_largest_records") < len(events()) - done
    assert floor.metric("segstream_journal_floor_age_seconds") == pytest.approx(11.0, abs=1.0)
    floor.say(False)
    floor.finish()
    floor.twins.wall.wait(10.0)
    floor.rounds(1)
    assert floor.metric("segstream_input_lag_records") == 0.0


def test_every_event_is_timed_and_every_batch_by_its_stages() -> None:
    floor = Floor()
    floor.twins.send(events())
    floor.finish()
    batches = floor.metric("segstream_batch_seconds_count")
    assert floor.metric("segstream_event_to_segment_seconds_count") == len(events())
    registry = floor.service.registry
    stages = {registry.get_sample_value("segstream_stage_seconds_count", {"stage": stage}) for stage in STAGES}
    assert stages == {batches}
    applied = registry.get_sample_value("segstream_store_seconds_count", {"operation": "apply"})
    assert applied is not None
    assert applied >= batches
    looks = floor.metric("segstream_fit_radii_count")
    assert looks == floor.metric("segstream_margin_ratio_count") > 0
    assert 0 < floor.metric("segstream_changes_suppressed_total") < looks
    assert floor.metric("segstream_rebalances_total") >= 1


def test_a_restore_says_how_many_are_left() -> None:
    twins = UnsteadyTwins(settings())
    twins.send(events())
    worker = twins.service().worker()
    drain(worker.run_once)
    worker.close()
    twins.store.lose()
    service, left = twins.service(), list[float | None]()
    name = "segstream_restore_remaining_customers"
    twins.faults.order("store.apply", lambda: left.append(service.registry.get_sample_value(name)), times=PARTITIONS)
    drain(service.worker().run_once)
    customers = len({e.key for e in events()})
    assert sum(filter(None, left)) == customers
    assert service.registry.get_sample_value(name) == 0.0


def test_more_timers_than_a_batch_has_room_for_are_a_backlog_until_they_are_done() -> None:
    day = 86_400.0
    floor = Floor(settings(worker={"clock": "live", "idle_cap_seconds": 400 * day, "timer_share": 0.02}))
    floor.twins.wall.seconds = max(at for _, _, at in events()) / 1000
    floor.twins.send(events())
    drain(floor.lockstep.run_once)
    floor.twins.wall.wait(300 * day)
    seen = []
    for _ in range(200):
        floor.lockstep.run_once()
        seen.append(floor.metric("segstream_timers_backlog"))
    assert 1.0 in seen
    assert seen[-1] == 0.0
