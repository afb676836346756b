"""The worker: whatever fails on the way, every event counts once, and nothing is shown that was not committed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from prometheus_client import generate_latest

import consumers.restoring
from benchmarks.chaos.world import World, read_world, same_accumulators
from consumers.build import Service
from consumers.gauging import LOOK_SECONDS
from consumers.memory_source import MemoryTail
from consumers.planning import WATCH_SECONDS
from consumers.recovering import BEAT_SECONDS
from consumers.twins import drain
from consumers.worker import Worker
from producers.memory_broker import MemorySink
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from producers.sink import Committed, Outgoing
from stream.contracts.partitioning import partition_of
from stream.errors import BrokerUnavailable, Disagreement, SettingsError, StoreUnavailable
from stream.settings import Tree
from stream.view.journal import JournalPart, Mark
from stream.view.store import Update
from tests.consumers.shop import settings
from tests.consumers.unsteady import UnsteadyTwins

PARTITIONS = 3


@cache
def events() -> tuple[Encoded, ...]:
    """Some 100 orders."""
    return tuple(Personas(PersonasPlan(customers=16, days=40, seed=4)))


def tree(**flags: Any) -> Tree:
    kafka = {"max_poll_records": 10, "session_timeout_seconds": 0.05}
    return settings(
        model={"warmup_customers": 10, "macro_rows": 40, "cells": 12},
        topics={"partitions": PARTITIONS},
        kafka=kafka,
        **flags,
    )


class Shop:
    """A shop whose first half has been processed and learnt, whose second half is waiting, and a new worker."""

    def __init__(self, **flags: Any) -> None:
        self.twins = UnsteadyTwins(tree(**flags))
        self.topics = self.twins.settings.topics
        half = len(events()) // 2
        self.twins.send(events()[:half])
        lockstep = self.twins.lockstep()
        drain(lockstep.run_once)
        lockstep.close()
        self.twins.send(events()[half:])
        self.service = self.twins.service()
        self.worker = self.service.worker()

    def finish(self, *workers: Worker) -> World:
        """Let the workers (our one) process the rest, taking turns; the world they leave is in order."""
        idle = 0
        while idle < 6:
            dones = [worker.run_once() for worker in workers or (self.worker,)]
            idle = 0 if any(done.step is not None for done in dones) else idle + 1
        return self.world()

    def world(self) -> World:
        world = read_world(self.twins.settings, MemoryTail(self.twins.broker), self.twins.store.reader)
        world.check()
        return world

    def metric(self, name: str, service: Service | None = None) -> float:
        lines = generate_latest((service or self.service).registry).decode().splitlines()
        return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.rsplit(" ", 1)[0] == name)

    def committed(self) -> dict[int, Committed]:
        return dict(self.twins.broker.group(self.twins.settings.kafka.group).committed(self.topics.events))

    def batches(self, partition: int) -> list[tuple[int, JournalPart]]:
        """The journal so far: offset and record."""
        entries, _ = self.twins.broker.read(self.topics.journal, partition, 0, 1000)
        return [(offset, JournalPart.unpack(entry.value or b"")) for offset, entry in entries]


@cache
def undisturbed() -> World:
    return Shop().finish()


@pytest.fixture
def shop() -> Shop:
    return Shop()


def same_as_undisturbed(world: World) -> bool:
    return same_accumulators([world, undisturbed()])


# Every event once


def test_offset_and_number_of_the_batch_are_committed_beside_each_other(shop: Shop) -> None:
    shop.finish()
    marks = shop.worker.marks
    assert shop.committed() == {p: Committed(mark.next, str(mark.sequence)) for p, mark in marks.items()}
    assert sum(mark.next for mark in marks.values()) == len(events())
    for partition in range(PARTITIONS):
        numbers = [part.mark.sequence for _, part in shop.batches(partition)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_quiet_partition_behind_a_transactional_producer_is_taken_up_when_all_of_it_is_gone() -> None:
    """Its last marker is no event: nobody is behind it, and retention may take it without taking our offset along."""
    shop = Shop()
    outbox = MemorySink(shop.twins.broker, "outbox")
    outbox.commit([Outgoing(shop.topics.events, p, b"who", b"noise") for p in range(PARTITIONS)], None)
    shop.finish()
    ends = {p: shop.twins.broker.bounds(shop.topics.events, p)[1] for p in range(PARTITIONS)}
    assert {p: mark.next + 1 for p, mark in shop.worker.marks.items()} == ends
    for _ in range(3):
        shop.twins.wall.wait(LOOK_SECONDS)
        shop.finish()
    assert {p: mark.next for p, mark in shop.worker.marks.items()} == ends
    assert shop.metric("segstream_input_lag_records") == 0.0
    for partition, end in ends.items():
        shop.twins.broker.delete_before(shop.topics.events, partition, end)
    shop.worker.close()
    successor = shop.twins.service().worker()
    shop.finish(successor)
    assert {p: mark.next for p, mark in successor.marks.items()} == ends
    assert same_as_undisturbed(shop.finish(successor))


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("store.load", 0),  # of a restore
        ("store.load", 4),  # of a batch
        ("store.apply", 1),
        ("store.apply", 4),
        ("store.publish_status", 1),
        ("source.poll", 2),
        ("source.committed", 0),
        ("sink.commit", 1),
        ("tail.bounds", 0),  # of the model topic
        ("tail.bounds", 2),  # of the journal
        ("tail.read", 3),
    ],
)
def test_an_outage_is_waited_for_and_nothing_is_lost(shop: Shop, call: str, after: int) -> None:
    kind = StoreUnavailable if call.startswith("store") else BrokerUnavailable
    shop.twins.store.lose()
    shop.twins.faults.order(call, kind("away"), times=2, after=after)
    began = shop.twins.wall.now()
    assert same_as_undisturbed(shop.finish())
    assert shop.metric(f'segstream_outages_total{{kind="{kind.__name__}"}}') == 2.0
    assert shop.twins.wall.now() - began == pytest.approx(2.0, abs=0.5)


def test_what_was_polled_while_the_store_was_away_comes_again(shop: Shop) -> None:
    shop.worker.run_once()
    for _ in range(4):
        shop.twins.faults.order("store.load", StoreUnavailable("away"), after=1)
        shop.worker.run_once()
        shop.worker.run_once()
    assert same_as_undisturbed(shop.finish())


def test_while_the_store_is_away_no_records_are_taken_and_the_place_in_the_group_is_kept(shop: Shop) -> None:
    shop.worker.run_once()
    faults, group = shop.twins.faults, shop.twins.broker.group(shop.twins.settings.kafka.group)
    faults.order("store.load", StoreUnavailable("away"), times=9)
    shop.worker.run_once()
    before, members = faults.polled, group.generation
    for _ in range(7):
        shop.worker.run_once()
    assert faults.polled == before
    assert group.generation == members
    assert same_as_undisturbed(shop.finish())


@pytest.mark.parametrize("fate", ["aborted", "committed"])
def test_a_commit_without_an_answer_is_asked_of_the_broker(shop: Shop, fate: Any) -> None:
    for _ in range(3):
        shop.twins.broker.fail_next(fate)
        for _ in range(3):
            shop.worker.run_once()
    assert same_as_undisturbed(shop.finish())
    assert shop.metric("segstream_commit_failures_total") == 3.0


def test_nothing_is_shown_before_it_is_committed(shop: Shop) -> None:
    shop.worker.run_once()
    shop.twins.store.applied.clear()
    shop.twins.faults.order("sink.commit", BrokerUnavailable("away"), times=5)
    for _ in range(4):
        shop.worker.run_once()
    assert shop.twins.store.applied == []


def test_a_bad_record_leaves_with_its_batch_or_not_at_all(shop: Shop) -> None:
    shop.twins.broker.append(Outgoing(shop.topics.events, 1, b"key", b"damaged"))
    shop.twins.broker.fail_next("aborted")
    shop.finish()
    entries = [shop.twins.broker.read(shop.topics.rejected, p, 0, 10)[0] for p in range(PARTITIONS)]
    assert [[entry.value for _, entry in found] for found in entries] == [[], [b"damaged"], []]
    assert shop.metric('segstream_events_total{outcome="rejected"}') == 1.0


def test_the_public_hash_is_written_only_where_something_was_told(shop: Shop) -> None:
    store, told = shop.twins.store, 0
    for _ in range(8):
        store.applied.clear()
        step = shop.worker.run_once().step
        written = {customer.decode() for _, update in store.applied for customer in update.hashes}
        changed = {change.customer_id for _, change in step.changes} if step else set()
        assert written == changed
        told += len(changed)
    assert told


# A store that is not where it was left


def test_a_store_that_was_lost_between_commit_and_apply_is_restored_in_the_next_round(shop: Shop) -> None:
    shop.finish()
    key, payload, _ = events()[-1]
    partition = partition_of(key, PARTITIONS)
    shop.twins.broker.append(Outgoing(shop.topics.events, partition, key, payload))  # a duplicate, but a batch
    states = dict(shop.twins.store.reader.states(partition))
    shop.twins.faults.order("store.apply", shop.twins.store.lose)
    shop.worker.run_once()
    assert dict(shop.twins.store.reader.states(partition)) == {}
    shop.worker.run_once()
    assert dict(shop.twins.store.reader.states(partition)) == states


def test_a_store_that_was_lost_on_a_quiet_stream_is_restored_within_a_second_or_so(shop: Shop) -> None:
    shop.finish()
    before = undisturbed().hashes
    shop.twins.store.lose()
    shop.worker.run_once()
    shop.worker.run_once()
    assert dict(shop.twins.store.reader.customers()) == {}
    shop.twins.wall.wait(1.0)
    shop.worker.run_once()
    shop.worker.run_once()
    found = shop.world()
    assert set(found.hashes) == set(before)
    assert same_as_undisturbed(found)


def test_nobody_is_decided_on_with_states_of_a_store_that_was_set_back(shop: Shop) -> None:
    shop.worker.run_once()
    shop.worker.run_once()
    for partition in range(PARTITIONS):
        offset, old = shop.batches(partition)[1]
        then = replace(old.mark, journal=offset)
        states: dict[str, bytes] = {}
        for _, part in shop.batches(partition)[:2]:
            states |= part.states
        held = shop.twins.store.reader.watermark(partition)
        backup = Update(then.to_bytes(), {name.encode(): blob for name, blob in states.items()})
        assert shop.twins.store.apply(partition, held, backup)
    shop.twins.wall.wait(WATCH_SECONDS)  # a partition that has nothing more to read is looked at, too
    assert same_as_undisturbed(shop.finish())


# Several workers


@pytest.mark.parametrize("call", ["store.load", "sink.commit", "store.apply"])
def test_of_two_workers_on_one_store_one_wins_and_the_other_restores(shop: Shop, call: str) -> None:
    others = replace(shop.twins.service(), slot=1)
    other = others.worker()
    shop.worker.run_once()

    def takes_over() -> None:
        for _ in range(4):
            other.run_once()

    shop.twins.faults.order(call, takes_over)
    shop.worker.run_once()
    assert other.marks, "the other has taken over some partitions in the middle of a batch of ours"
    world = shop.finish(shop.worker, other)
    assert same_as_undisturbed(world)
    assert set(shop.worker.marks) | set(other.marks) == set(range(PARTITIONS))
    assert not set(shop.worker.marks) & set(other.marks)
    assert shop.metric("segstream_assigned_partitions") == len(shop.worker.marks)
    assert shop.metric("segstream_assigned_partitions", others) == len(other.marks)


def test_who_takes_up_while_another_goes_on_finds_no_contradiction(shop: Shop) -> None:
    shop.worker.run_once()
    faults, others = shop.twins.faults, []

    def meanwhile() -> None:
        shop.twins.broker.expel(shop.twins.settings.kafka.group)
        others.append(shop.twins.service().worker())
        drain(others[0].run_once)

    faults.order("store.load", StoreUnavailable("away"))
    faults.order("store.load", meanwhile)
    shop.worker.run_once()
    shop.worker.run_once()
    assert len(others) == 1
    assert same_as_undisturbed(shop.finish(shop.worker, others[0]))


def test_who_leaves_hands_over_everything(shop: Shop) -> None:
    other = replace(shop.twins.service(), slot=1).worker()
    for _ in range(3):
        shop.worker.run_once()
        other.run_once()
    shop.worker.close()
    assert same_as_undisturbed(shop.finish(other))
    assert set(other.marks) == set(range(PARTITIONS))


def test_a_member_that_was_expelled_drops_what_it_had(shop: Shop) -> None:
    shop.worker.run_once()
    shop.twins.faults.order("sink.commit", lambda: shop.twins.broker.expel(shop.twins.settings.kafka.group))
    shop.worker.run_once()
    assert same_as_undisturbed(shop.finish())


# The model


def test_nobody_decides_with_an_older_model_than_was_decided_with(shop: Shop) -> None:
    decided_with = [
        Mark.from_bytes(shop.twins.store.reader.watermark(p) or b"").model_version for p in range(PARTITIONS)
    ]
    assert min(decided_with) >= 1
    written = [len(shop.batches(p)) for p in range(PARTITIONS)]
    shop.twins.faults.hide(shop.topics.model, 0, 5.0)
    for _ in range(4):
        assert shop.worker.run_once().step is None
    assert [len(shop.batches(p)) for p in range(PARTITIONS)] == written
    assert shop.metric('segstream_outages_total{kind="BrokerUnavailable"}') > 0
    shop.twins.wall.wait(5.0)
    assert same_as_undisturbed(shop.finish())
    for partition in range(PARTITIONS):
        versions = [part.mark.model_version for _, part in shop.batches(partition)]
        assert versions == sorted(versions)


def test_a_newer_model_is_used_from_the_next_batch_on(shop: Shop) -> None:
    owner = shop.service.owner()
    used = []
    for _ in range(12):
        shop.worker.run_once()
        for _ in range(3):
            if (step := owner.run_once()) is not None:
                shop.worker.run_once()
                assert shop.worker.assigner is not None
                used.append((shop.worker.assigner.snapshot.version, step.snapshot.version))
    assert used
    assert all(worker == owner for worker, owner in used)


# What a round says, and what a person must decide


def test_a_round_says_what_it_did(shop: Shop) -> None:
    shop.twins.broker.append(Outgoing(shop.topics.events, 0, b"key", b"damaged"))
    rounds = drain(shop.worker.run_once)
    half = len(events()) - len(events()) // 2
    assert sum(done.records for done in rounds) == half + 1
    assert sum(done.rejected for done in rounds) == 1
    learning = [done.learning_next for done in rounds if done.learning_next is not None]
    assert learning == sorted(learning)
    _, end = shop.twins.broker.bounds(shop.topics.learning, 0)
    assert learning[-1] == end - 1  # behind it is the marker of its transaction


@pytest.mark.parametrize(
    ("topic", "partitions", "setting"),
    [
        ("events", PARTITIONS, "topics.events: the input topic was recreated"),
        ("events", PARTITIONS + 1, "topics.events: the input topic was recreated"),
        ("journal", PARTITIONS, "topics.journal: the journal was recreated"),
    ],
)
def test_a_topic_that_is_replaced_while_we_run_is_not_gone_on_with(
    shop: Shop, topic: str, partitions: int, setting: str
) -> None:
    shop.worker.run_once()
    name, broker = getattr(shop.topics, topic), shop.twins.broker
    broker.delete(name)
    broker.create(name, partitions)
    broker.rebalance(shop.twins.settings.kafka.group)
    with pytest.raises(SettingsError, match=setting):
        drain(shop.worker.run_once)


def test_what_a_person_must_decide_is_not_waited_for(shop: Shop) -> None:
    group = shop.twins.broker.group(shop.twins.settings.kafka.group)
    at = group.offsets[shop.topics.events, 0]
    group.offsets[shop.topics.events, 0] = Committed(at.offset - 1, at.note)
    with pytest.raises(Disagreement, match="changed by hand"):
        shop.finish()


# Restores that take long


def test_a_restore_goes_on_polling_so_that_nobody_waits_for_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(consumers.restoring, "PAGE", 1)
    caplog.set_level("INFO")
    shop.worker.run_once()
    other = replace(shop.twins.service(), slot=1).worker()
    shop.twins.store.lose()
    faults = shop.twins.faults
    faults.order("store.apply", other.run_once)  # joins the group, after the first page of the first partition
    faults.order("store.apply", lambda: shop.twins.wall.wait(BEAT_SECONDS), times=100)
    for _ in range(3):
        shop.worker.run_once()
    assert "went to another worker while it was restored" in caplog.text
    assert "another worker wrote" not in caplog.text
    assert same_as_undisturbed(shop.finish(shop.worker, other))


def test_what_is_polled_in_the_middle_of_a_restore_is_not_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers.restoring, "PAGE", 1)
    for _ in range(2):
        shop.worker.run_once()
    shop.twins.store.lose()
    shop.twins.faults.order("store.apply", lambda: shop.twins.wall.wait(BEAT_SECONDS), times=1000)
    assert same_as_undisturbed(shop.finish())
