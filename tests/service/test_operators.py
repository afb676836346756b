"""What operators do to the running service, and what stops it for them, loses nothing: on the twins."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from prometheus_client import CollectorRegistry

from benchmarks.chaos.world import same_accumulators
from consumers import operating
from consumers.build import Service, kafka_backend
from consumers.lockstep import Lockstep
from consumers.memory_source import MemorySource
from consumers.source import Poll
from consumers.twins import drain
from stream.contracts.rejected import read_rejected
from tests.brokers import eventually
from tests.service.floor import LIMIT, PARTITIONS, Floor, events, half_way, settings, undisturbed
from tests.service.pair import SECONDS, Pair, create, looking, send, world_of

# Pause


def test_a_paused_service_holds_says_why_and_goes_on_where_it_was() -> None:
    floor = half_way()
    floor.say(True, "moving the store")
    before, generation = floor.everything(), floor.generation()
    assert floor.rounds(20) == 0
    assert floor.everything() == before
    assert floor.generation() == generation, "it stays in the group"
    assert all(said is not None and "moving the store" in said and "resume" in said for said in floor.statuses())
    assert floor.metric("segstream_paused") == 1.0
    floor.say(False)
    world = floor.finish()
    assert floor.statuses() == [None] * PARTITIONS
    assert floor.metric("segstream_paused") == 0.0
    assert same_accumulators([world, undisturbed()])


def test_a_restart_stays_paused() -> None:
    floor = half_way()
    floor.say(True)
    floor.rounds(3)
    before = floor.everything()
    floor.start()
    assert floor.rounds(20) == 0
    assert floor.everything() == before
    assert floor.metric("segstream_paused") == 1.0
    floor.say(False)
    assert same_accumulators([floor.finish(), undisturbed()])


def test_a_service_that_was_paused_before_it_ever_ran_begins_at_the_beginning() -> None:
    floor = Floor()
    floor.say(True)
    floor.start()
    floor.twins.send(events())
    assert floor.rounds(10) == 0
    floor.say(False)
    assert same_accumulators([floor.finish(), undisturbed()])


def lose_the_store(floor: Floor) -> None:
    floor.twins.store.lose()


def rebalance(floor: Floor) -> None:
    floor.twins.broker.rebalance(floor.twins.settings.kafka.group)


def expel(floor: Floor) -> None:
    floor.twins.broker.expel(floor.twins.settings.kafka.group)


@pytest.mark.parametrize("disturb", [lose_the_store, rebalance, expel, Floor.start])
def test_whatever_happens_in_a_pause_nothing_is_lost(disturb: Callable[[Floor], None]) -> None:
    floor = half_way()
    floor.say(True)
    before = floor.everything()
    floor.rounds(3)
    disturb(floor)
    assert floor.rounds(8) == 0
    assert floor.everything() == before
    floor.say(False)
    assert same_accumulators([floor.finish(), undisturbed()])


def test_no_timer_fires_in_a_pause_and_all_do_after_it() -> None:
    day = 86_400.0
    floor = Floor(settings(worker={"clock": "live", "idle_cap_seconds": 100 * day}))
    newest_ms = max(at for _, _, at in events()[:LIMIT])
    floor.twins.wall.seconds = newest_ms / 1000
    floor.twins.send(events()[:LIMIT])
    drain(floor.lockstep.run_once)
    floor.say(True)
    floor.twins.wall.wait(90 * day)
    before = floor.everything()
    assert floor.rounds(10) == 0
    assert floor.everything() == before
    floor.say(False)
    world = floor.finish()
    asleep = {c for c, told in world.changes.items() if told[-1].current and told[-1].current.status == "dormant"}
    assert len(asleep) > len(world.changes) / 2


def test_over_the_network_too(pair: Pair) -> None:
    sections = pair.flags(model={"warmup_customers": 60, "interval_seconds": 0}, kafka={"max_poll_records": 20})
    tree = create({**sections, "profile": "personas"})
    sent, done = send(tree, events()), 0
    service = Service(tree, kafka_backend(tree), CollectorRegistry())
    lockstep = Lockstep(service.worker(), service.owner())

    def rounds_until(reached: Callable[[], bool], what: str) -> None:
        def probe() -> bool | None:
            nonlocal done
            done += lockstep.run_once().records
            return reached() or None

        eventually(probe, what, SECONDS)

    with closing(lockstep), looking(tree) as (_, reader):
        rounds_until(lambda: done >= 500, "some batches")
        operating.pause(tree, "moving house")
        rounds_until(lambda: all(reader.status(p) for p in range(PARTITIONS)), "everybody is told")
        held = done
        for _ in range(20):
            done += lockstep.run_once().records
        assert done == held < sent
        operating.resume(tree)
        rounds_until(lambda: done == sent, "the rest")
        assert not any(reader.status(p) for p in range(PARTITIONS))
    world = world_of(tree)
    world.check()
    assert same_accumulators([world, undisturbed()])


class TimedSource(MemorySource):
    """A member of the group that remembers how long it was to wait."""

    waits: ClassVar[list[float]] = []

    def poll(self, timeout_seconds: float) -> Poll:
        self.waits.append(timeout_seconds)
        return super().poll(timeout_seconds)


def test_a_worker_that_holds_takes_its_time_also_with_timers_waiting() -> None:
    """It would else spin: timers that are due let a round begin at once."""
    day = 86_400.0
    floor = Floor(settings(worker={"clock": "live", "idle_cap_seconds": 400 * day, "timer_share": 0.02}))

    def source(topic: str, group: str, instance: str | None = None) -> TimedSource:
        return TimedSource(floor.twins.broker, topic, group, LIMIT)

    backend = replace(floor.service.backend, source=source)
    floor.service = replace(floor.service, backend=backend, registry=CollectorRegistry())
    worker = floor.service.worker()
    floor.lockstep.close()
    floor.twins.wall.seconds = max(at for _, _, at in events()) / 1000
    floor.twins.send(events())
    drain(worker.run_once)
    floor.twins.wall.wait(300 * day)
    worker.run_once()
    floor.say(True)
    TimedSource.waits.clear()
    for _ in range(5):
        worker.run_once()
    assert floor.metric("segstream_timers_backlog") == 1.0
    assert min(TimedSource.waits) > 0.0


# Poison


def test_a_minute_of_nothing_but_poison_stops_the_feed_and_offsets_hold() -> None:
    floor = half_way()
    drain(floor.lockstep.run_once)
    floor.twins.wall.wait(61.0)  # the good ones are out of the window
    floor.poison(4000)
    assert floor.rounds(10) > 0
    before = floor.everything()
    assert len(floor.rejected()) < 500, "only what had been committed when there was no evidence yet"
    floor.twins.wall.wait(600.0)
    assert floor.rounds(20) == 0
    assert floor.everything() == before
    assert all(said is not None and "not_json" in said and "segstream resume" in said for said in floor.statuses())
    assert floor.metric("segstream_circuit_open") == 1.0


def test_resumed_it_drains_the_poison_and_nothing_is_lost() -> None:
    floor = Floor()
    third = len(events()) // 3
    floor.twins.send(events()[:third])
    drain(floor.lockstep.run_once)
    floor.poison(4000)
    floor.twins.send(events()[third:])
    floor.rounds(30)
    assert floor.metric("segstream_circuit_open") == 1.0
    floor.say(False)
    world = floor.finish()
    assert floor.metric("segstream_circuit_open") == 0.0
    assert floor.statuses() == [None] * PARTITIONS
    assert sorted(v or b"" for v in floor.rejected()) == sorted(b"poison %d" % n for n in range(4000))
    assert same_accumulators([world, undisturbed()])
    where = [(s.partition, s.offset) for p in range(PARTITIONS) for s in said(floor, p)]
    assert len(set(where)) == len(where) == 4000


def said(floor: Floor, partition: int) -> list[Any]:
    return [read_rejected(entry.headers) for _, entry in floor.entries(floor.topics.rejected, partition)]


def test_a_restart_with_the_same_poison_at_hand_stops_again() -> None:
    floor = Floor()
    floor.poison(8000)
    floor.rounds(10)
    floor.start()
    floor.rounds(10)
    assert floor.metric("segstream_circuit_open") == 1.0
    assert len(floor.rejected()) <= 2 * 500


def test_one_bad_record_in_fifty_is_drained() -> None:
    floor = Floor()
    for start in range(0, 2000, 50):
        floor.twins.send(events()[start : start + 50])
        floor.poison(1)
        floor.rounds(1)
    floor.twins.send(events()[2000:])
    assert same_accumulators([floor.finish(), undisturbed()])
    assert len(floor.rejected()) == 40


def test_duplicates_are_no_poison() -> None:
    floor = Floor()
    floor.twins.send(event for event in events()[:600] for _ in range(10))
    floor.finish()
    assert floor.metric("segstream_circuit_open") == 0.0
    assert len(floor.committed()) == PARTITIONS
