"""The whole service on the twins: what holds after crashes, rebalances and lost stores."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC
from functools import cache
from itertools import chain

import pytest

from benchmarks.chaos.world import World, causes, read_world, same_accumulators
from consumers.lockstep import Lockstep
from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.orders import Encoded, encode_order
from producers.personas import Personas, PersonasPlan
from stream.customer.features import DAY_MS
from stream.errors import Disagreement, IncompleteJournal, SettingsError
from stream.settings import Tree, load

BATCH = 400


@cache
def events() -> tuple[Encoded, ...]:
    """Some 5,000 orders of 300 customers in 200 days."""
    return tuple(Personas(PersonasPlan(customers=300, days=200, seed=3)))


def settings(**flags: object) -> Tree:
    model = {"warmup_customers": 100, "macro_rows": 500, "interval_seconds": 0, "cells": 40}
    kafka = {"max_poll_records": BATCH}
    return load(flags={"profile": "personas", "model": model, "kafka": kafka, **flags})


def world_of(twins: Twins) -> World:
    return read_world(twins.settings, MemoryTail(twins.broker), twins.store.reader)


Disturb = Callable[[Twins, Lockstep], Lockstep]


def live(disturb: Disturb | None = None, every: int = 3, **flags: object) -> World:
    """Live through all events, disturbed before every ``every``-th batch."""
    twins = Twins(settings(**flags))
    lockstep = twins.lockstep()
    drain(lockstep.run_once)
    for number, start in enumerate(range(0, len(events()), BATCH)):
        twins.send(events()[start : start + BATCH])
        if disturb is not None and number % every == 1:
            lockstep = disturb(twins, lockstep)
        drain(lockstep.run_once)
    drain(lockstep.run_once)
    return world_of(twins)


@cache
def undisturbed() -> World:
    return live()


def test_an_undisturbed_life() -> None:
    world = undisturbed()
    world.check()
    assert len(world.hashes) == len({key for key, _, _ in events()})
    assert {"first", "behaviour", "time"} <= set(causes(world))
    assert world.learner is not None
    assert world.learner.snapshot is not None


def crash(twins: Twins, lockstep: Lockstep) -> Lockstep:
    """The process is gone; another one starts. Nothing is closed."""
    twins.broker.expel(twins.settings.kafka.group)
    twins.broker.expel(f"{twins.settings.kafka.group}-owner")
    return twins.lockstep()


def commit_without_reply(twins: Twins, lockstep: Lockstep) -> Lockstep:
    twins.broker.fail_next("committed")
    return lockstep


def abort(twins: Twins, lockstep: Lockstep) -> Lockstep:
    twins.broker.fail_next("aborted")
    return lockstep


def rebalance(twins: Twins, lockstep: Lockstep) -> Lockstep:
    twins.broker.rebalance(twins.settings.kafka.group)
    return lockstep


def flush(twins: Twins, lockstep: Lockstep) -> Lockstep:
    twins.store.lose()
    return lockstep


def committed_and_crashed_and_flushed(twins: Twins, lockstep: Lockstep) -> Lockstep:
    twins.broker.fail_next("committed")
    lockstep.run_once()
    twins.store.lose()
    return crash(twins, lockstep)


disturbances = pytest.mark.parametrize(
    "disturb", [crash, commit_without_reply, abort, rebalance, flush, committed_and_crashed_and_flushed]
)


@disturbances
def test_a_disturbed_life_leaves_the_same_accumulators(disturb: Disturb) -> None:
    world = live(disturb)
    world.check()
    assert same_accumulators([world, undisturbed()])


@disturbances
def test_so_does_one_with_a_backlog(disturb: Disturb) -> None:
    """With more to read at every moment, a round that comes to nothing must not skip what it had polled."""
    twins = Twins(settings(kafka={"max_poll_records": 70}))
    twins.send(events())
    lockstep = twins.lockstep()
    for number in range(60):
        if number % 7 == 5:
            lockstep = disturb(twins, lockstep)
        lockstep.run_once()
    drain(lockstep.run_once)
    world = world_of(twins)
    world.check()
    assert same_accumulators([world, undisturbed()])


def fell_asleep(disturb: Disturb | None) -> list[tuple[str, str]]:
    """Others come 90 days later, and everybody's deadline is passed at once; who fell dormant, and when."""
    twins = Twins(settings())
    twins.send(events())
    lockstep = twins.lockstep()
    drain(lockstep.run_once)
    later_ms = events()[-1].occurred_at_ms + 90 * DAY_MS
    twins.send(encode_order(f"late{i}", f"late{i}", later_ms + i, UTC, 9.5) for i in range(40))
    for _ in range(3):
        lockstep.run_once()
        if disturb is not None:
            lockstep = disturb(twins, lockstep)
    drain(lockstep.run_once)
    twins.wall.wait(1.0)  # partitions without events are looked at once a second
    drain(lockstep.run_once)
    world = world_of(twins)
    world.check()
    told = [c for c in chain(*world.changes.values()) if c.current and c.current.status == "dormant"]
    return sorted((c.customer_id, c.occurred_at) for c in told if not c.previous or c.previous.status != "dormant")


@disturbances
def test_a_mass_of_deadlines_survives_in_the_middle_of_it(disturb: Disturb) -> None:
    disturbed, plain = fell_asleep(disturb), fell_asleep(None)
    assert disturbed == plain
    assert len(set(plain)) == len(plain) >= 200


def test_a_random_life() -> None:
    chance = random.Random(11)
    kinds = [crash, commit_without_reply, abort, rebalance, flush]

    def any_of_them(twins: Twins, lockstep: Lockstep) -> Lockstep:
        return chance.choice(kinds)(twins, lockstep)

    world = live(any_of_them, every=2)
    world.check()
    assert same_accumulators([world, undisturbed()])


def test_batching_and_partitions_do_not_touch_accumulators() -> None:
    small = live(kafka={"max_poll_records": 37})
    one = live(topics={"partitions": 1})
    for world in (small, one):
        world.check()
    assert same_accumulators([small, one, undisturbed()])


@pytest.mark.parametrize("kind", ["kmeans", "streamkmeans", "clustream", "dbstream", "denstream"])
def test_every_kind_of_model_runs_end_to_end(kind: str) -> None:
    model = {"kind": kind, "warmup_customers": 100, "macro_rows": 500, "interval_seconds": 0, "cells": 40}
    world = live(crash, every=6, model=model)
    world.check()
    assert same_accumulators([world, undisturbed()])


def test_a_frozen_model_gives_the_same_timers_paced_or_at_once() -> None:
    def year(chunk: int) -> list[tuple[str, str, str | None]]:
        twins = Twins(settings())
        lockstep = twins.lockstep()
        half = len(events()) // 2
        twins.send(events()[:half])
        drain(lockstep.run_once)
        lockstep.close()
        frozen = settings(
            model={"frozen": True, "warmup_customers": 100, "cells": 40},
            kafka={"max_poll_records": chunk},
        )
        twins.settings = frozen
        lockstep = twins.lockstep()
        for start in range(half, len(events()), chunk):
            twins.send(events()[start : start + chunk])
            drain(lockstep.run_once)
        changes = [c for told in world_of(twins).changes.values() for c in told if c.cause == "time"]
        return sorted((c.customer_id, c.occurred_at, c.current.id if c.current else None) for c in changes)

    paced, at_once = year(50), year(len(events()))
    assert paced == at_once
    assert len(paced) > 50


def test_frozen_from_an_empty_start_the_first_model_is_the_only_one() -> None:
    model = {"frozen": True, "warmup_customers": 100, "macro_rows": 500, "interval_seconds": 0, "cells": 40}
    world = live(crash, every=6, model=model)
    world.check()
    assert world.learner is not None
    assert world.learner.snapshot is not None
    assert world.learner.snapshot.version == 1
    assert {"first", "behaviour", "time"} <= set(causes(world))
    assert same_accumulators([world, undisturbed()])


def test_duplicates_are_counted_and_change_nothing() -> None:
    twins = Twins(settings())
    lockstep = twins.lockstep()
    some = events()[:BATCH]
    twins.send([event for event in some for _ in range(2)])
    rounds = drain(lockstep.run_once)
    assert sum(done.step.duplicates for done in rounds if done.step) == len(some)
    assert sum(done.records for done in rounds) == 2 * len(some)
    once = Twins(settings())
    once.send(some)
    drain(once.lockstep().run_once)
    assert same_accumulators([world_of(twins), world_of(once)])


def test_a_recreated_topic_refuses_to_start() -> None:
    twins = lived_a_little()
    twins.broker.delete(twins.settings.topics.events)
    twins.broker.create(twins.settings.topics.events, twins.settings.topics.partitions)
    with pytest.raises(SettingsError, match="recreated"):
        drain(twins.lockstep().run_once)


def test_other_declarations_refuse_to_start() -> None:
    twins = lived_a_little()
    twins.settings = settings(customers={"half_life_days": 31})
    with pytest.raises(SettingsError, match="declarations changed"):
        drain(twins.lockstep().run_once)


def test_a_journal_that_does_not_reach_back_refuses_to_restore() -> None:
    twins = lived_a_little()
    lockstep = twins.lockstep()
    for some in (events()[1200:1300], events()[1300:1400]):
        twins.send(some)
        drain(lockstep.run_once)
    journal = twins.settings.topics.journal
    for partition in range(twins.settings.topics.partitions):
        _, end = twins.broker.bounds(journal, partition)
        twins.broker.delete_before(journal, partition, end - 2)
    twins.store.lose()
    with pytest.raises((IncompleteJournal, Disagreement)):
        drain(twins.lockstep().run_once)


def lived_a_little() -> Twins:
    twins = Twins(settings())
    lockstep = twins.lockstep()
    for start in range(0, 1200, BATCH):
        twins.send(events()[start : start + BATCH])
        drain(lockstep.run_once)
    lockstep.close()
    return twins


def test_a_live_clock_lets_an_idle_stream_fall_silent_but_not_beyond_its_cap() -> None:
    day = 86_400.0
    worker = {"clock": "live", "idle_cap_seconds": 60 * day}
    twins = Twins(settings(worker=worker, topics={"partitions": 1}))
    lockstep = twins.lockstep()
    newest_ms = max(at for _, _, at in events()[:BATCH])
    twins.wall.seconds = newest_ms / 1000
    twins.send(events()[:BATCH])
    drain(lockstep.run_once)
    awake = sum(fields["status"] != "dormant" for _, fields in twins.store.reader.customers())
    assert awake > 0
    twins.wall.wait(59 * day)
    drain(lockstep.run_once)
    quiet = world_of(twins)
    quiet.check()
    fell_asleep = [c for told in quiet.changes.values() for c in told if c.current and c.current.status == "dormant"]
    assert len(fell_asleep) > awake / 2
    twins.wall.wait(5000 * day)
    drain(lockstep.run_once)
    assert all(mark.now_ms <= newest_ms + 60 * day * 1000 for mark in world_of(twins).marks.values())
