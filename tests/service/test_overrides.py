"""Overrides in the whole service on the twins: what is held after crashes and lost stores, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import pytest

from benchmarks.chaos.world import World, causes, same_accumulators
from consumers.assembling import decode_rules
from consumers.auditing.population import Census
from consumers.auditing.redoing import Redoing, decided_again, state_differences
from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.orders import Encoded, encode_override
from stream.contracts.changes import Cause, decode_change
from stream.contracts.rejected import read_rejected
from stream.customer.features import DAY_MS, FeatureSet
from stream.customer.registers import Word
from stream.customer.state import Status, unpack
from stream.decision.assign import Assigner
from stream.model.snapshot_record import snapshot_of
from tests.service.floor import LIMIT, PARTITIONS, Floor, events, settings, undisturbed


@cache
def spoken() -> tuple[Encoded, ...]:
    """The events, and from the middle on some 200 words among them: held, held otherwise, released, for a while."""
    chance, mixed = Random(5), list[Encoded]()
    for number, event in enumerate(events()):
        mixed.append(event)
        if number > len(events()) // 3 and chance.random() < 0.1:
            at = event.occurred_at_ms - chance.choice([0, 0, 1, 3 * DAY_MS])
            segment = chance.choice(["s1", "s2", "s3", "s4", "s99", None])
            until = chance.choice([None, at + DAY_MS, at + 20 * DAY_MS])
            who = chance.choice([event.key, chance.choice(events()).key]).decode()
            mixed.append(encode_override(f"w{number}", who, at, segment, until, "anna", "knows"))
    return tuple(mixed)


def words() -> int:
    return len(spoken()) - len(events())


Disturb = Callable[[Floor], None]


def live(disturb: Disturb | None = None, **flags: object) -> tuple[Floor, World]:
    """Everything is said and done, disturbed in every third batch."""
    floor = Floor(settings(**flags))
    for number, start in enumerate(range(0, len(spoken()), LIMIT)):
        floor.twins.send(spoken()[start : start + LIMIT])
        if disturb is not None and number % 3 == 1:
            disturb(floor)
        drain(floor.lockstep.run_once)
    return floor, floor.finish()


@cache
def lived() -> tuple[Floor, World]:
    return live()


def test_a_life_with_overrides_keeps_every_invariant() -> None:
    """Versions, view, hashes; and the learner's cells and holders are those of the journaled states."""
    floor, world = lived()
    assert {"override", "first", "time", "behaviour"} <= set(causes(world))
    assert words() > 100
    locked = [row for row in world.hashes.values() if row["status"] == "locked"]
    assert len(locked) > 10
    rejected = [read_rejected(e.headers).reason for p in range(PARTITIONS) for _, e in rejects(floor, p)]
    assert set(rejected) == {"unknown_segment"}
    outcomes = {
        name: floor.service.registry.get_sample_value("segstream_events_total", {"outcome": name})
        for name in ("accepted", "duplicate", "rejected")
    }
    assert outcomes == {"accepted": len(spoken()) - len(rejected), "duplicate": 0, "rejected": len(rejected)}


def rejects(floor: Floor, partition: int) -> list[tuple[int, Any]]:
    return list(floor.entries(floor.topics.rejected, partition))


def test_who_is_locked_counts_where_it_stands_and_as_a_holder_of_its_segment() -> None:
    _, world = lived()
    features = FeatureSet(world.settings.customers)
    rows, _ = unpack(features, [blob for states in world.journaled.values() for blob in states.values()])
    locked = rows[rows["status"] == Status.LOCKED]
    assert (locked["segment"] == locked["lock"]).all()
    assert (locked["cell"] > 0).all()
    assert world.learner is not None
    census = Census(features)
    census.count(rows)
    assert world.learner.state.held == dict(census.held)


def test_words_change_no_accumulator() -> None:
    assert same_accumulators([lived()[1], undisturbed()])


def crash(floor: Floor) -> None:
    floor.start()


def lose_the_store(floor: Floor) -> None:
    floor.twins.store.lose()


def commit_without_reply(floor: Floor) -> None:
    floor.twins.broker.fail_next("committed")


@pytest.mark.parametrize("disturb", [crash, lose_the_store, commit_without_reply])
def test_a_disturbed_life_keeps_the_words(disturb: Disturb) -> None:
    """Which model met a word depends on timing; that it was rejected, or counts by its time, does not."""
    floor, world = live(disturb)
    assert same_accumulators([world, undisturbed()])
    rejected = floor.rejected()
    latest = dict[str, tuple[int, str]]()
    for key, payload, at_ms in spoken():
        event = json.loads(payload)
        if event["type"] == "override" and payload not in rejected:
            customer = key.decode()
            latest[customer] = max(latest.get(customer, (0, "")), (at_ms, event["event_id"]))
    assert {c: (word.at_ms, word.event_id) for c, word in last_words(world).items()} == latest


def last_words(world: World) -> dict[str, Word]:
    said = dict[str, Word]()
    for states in world.journaled.values():
        _, registers = unpack(world.features, list(states.values()))
        said |= {c: r.override for c, r in zip(states, registers, strict=True) if r.override is not None}
    return said


def test_under_a_frozen_model_a_lost_store_leaves_every_bit() -> None:
    def end(disturb: Disturb | None) -> World:
        floor = Floor(settings())
        half = len(events()) // 3
        floor.twins.send(spoken()[:half])
        drain(floor.lockstep.run_once)
        model = {"frozen": True, "warmup_customers": 60, "macro_rows": 300, "cells": 30}
        floor.twins.settings = settings(model=model)
        floor.start()
        for start in range(half, len(spoken()), LIMIT):
            floor.twins.send(spoken()[start : start + LIMIT])
            if disturb is not None:
                disturb(floor)
            drain(floor.lockstep.run_once)
        return floor.finish()

    plain, restored = end(None), end(lose_the_store)
    assert last_words(plain) == last_words(restored)
    told = [
        {c: [(t.version, t.cause, t.current, t.override) for t in w.changes[c]] for c in w.changes}
        for w in (plain, restored)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_every_batch_with_words_is_decided_again_to_the_bit(partition: int) -> None:
    """Also what was rejected: a batch is decoded again under the model that it was decided with."""
    floor, _ = lived()
    twins, tree = floor.twins, floor.twins.settings
    features = FeatureSet(tree.customers)
    entries, _ = twins.broker.read(tree.topics.model, 0, 0, 10_000)
    models = [Assigner(snapshot_of(entry.value or b"", features.features_id, 0)) for _, entry in entries]
    by_version = {model.snapshot.version: model for model in models}
    redoing = Redoing(tree, features, partition, decode_rules(tree, PARTITIONS), by_version.get)
    again = [
        (batch, result) for batch, result in decided_again(redoing, MemoryTail(twins.broker)) if result is not None
    ]
    assert [*(what for batch, result in again for what in state_differences(batch, result))] == []
    told = [change for _, result in again for change in result.changes]
    changes, _ = twins.broker.read(tree.topics.changes, partition, 0, 1 << 62)
    assert told == [decode_change(entry.value or b"") for _, entry in changes]
    assert sum(change.cause == Cause.OVERRIDE for change in told) > 10


def test_the_change_topic_is_the_audit_trail() -> None:
    """Every change of an analyst's says who, why and until when; every locked state has a word behind it."""
    _, world = lived()
    trail = [c for told in world.changes.values() for c in told if c.cause == Cause.OVERRIDE]
    assert len(trail) > 50
    assert all(c.override is not None and (c.override.by, c.override.reason) == ("anna", "knows") for c in trail)
    begun = [c for c in trail if c.current and c.current.status == "locked"]
    assert all(c.trigger_event_id == c.override.event_id for c in begun if c.override)
    over = [c for c in trail if c.trigger_event_id is None]
    assert over
    assert all(c.override is not None and c.override.until == c.occurred_at for c in over)


def test_an_override_before_there_is_a_model_is_rejected_and_not_lost() -> None:
    twins = Twins(settings())
    word = encode_override("w1", "c1", events()[0].occurred_at_ms, "s1")
    twins.send([events()[0], word])
    drain(twins.lockstep().run_once)
    entries = [e for p in range(PARTITIONS) for _, e in twins.broker.read(twins.settings.topics.rejected, p, 0, 99)[0]]
    assert [entry.value for entry in entries] == [word.payload]
    assert read_rejected(entries[0].headers).reason == "unknown_segment"
