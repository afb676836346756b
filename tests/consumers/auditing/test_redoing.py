"""Every decision can be had again from the topics alone; and one that was not due is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consumers.assembling import decode_rules
from consumers.auditing.redoing import JournaledBatch, Redoing, Redone, batches, decided_again, state_differences
from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.personas import Personas, PersonasPlan
from stream.contracts.changes import decode_change
from stream.customer.features import FeatureSet
from stream.customer.state import pack, unpack
from stream.decision.assign import Assigner
from stream.model.snapshot_record import snapshot_of
from stream.settings import Tree, load

PARTITIONS = 2


def settings(**changes: Any) -> Tree:
    model = {"warmup_customers": 30, "macro_rows": 150, "interval_seconds": 0, "cells": 20, **changes.pop("model", {})}
    kafka = {"max_poll_records": 40}
    topics = {"partitions": PARTITIONS}
    return load(flags={"profile": "personas", "model": model, "kafka": kafka, "topics": topics, **changes})


@pytest.fixture(scope="module")
def lived() -> Twins:
    """A year of sixty customers: models come and go, timers fire, structures change."""
    twins = Twins(settings())
    twins.send(Personas(PersonasPlan(customers=60, days=365, seed=8)))
    drain(twins.lockstep().run_once)
    return twins


def redoing(twins: Twins, partition: int) -> Redoing:
    tree, features = twins.settings, FeatureSet(twins.settings.customers)
    entries, _ = twins.broker.read(tree.topics.model, 0, 0, 10_000)
    models = [Assigner(snapshot_of(entry.value or b"", features.features_id, 0)) for _, entry in entries]
    by_version = {model.snapshot.version: model for model in models}
    return Redoing(tree, features, partition, decode_rules(tree, PARTITIONS), by_version.get)


def redone(twins: Twins, partition: int) -> list[tuple[JournaledBatch, Redone]]:
    again = list(decided_again(redoing(twins, partition), MemoryTail(twins.broker)))
    return [(batch, result) for batch, result in again if result is not None]


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_every_batch_is_decided_again_to_the_bit(lived: Twins, partition: int) -> None:
    again = redone(lived, partition)
    assert len(again) > 40
    assert [*(what for batch, result in again for what in state_differences(batch, result))] == []
    versions = {batch.mark.model_version for batch, _ in again}
    assert len(versions) > 3
    told = [change for _, result in again for change in result.changes]
    entries, _ = lived.broker.read(lived.settings.topics.changes, partition, 0, 1 << 62)
    assert told == [decode_change(entry.value or b"") for _, entry in entries]
    assert {change.cause.value for change in told} >= {"first", "behaviour", "time", "model"}


@pytest.mark.parametrize("kind", ["kmeans", "dbstream"])
def test_whatever_learns(kind: str) -> None:
    twins = Twins(settings(model={"kind": kind}))
    twins.send(Personas(PersonasPlan(customers=40, days=90, seed=8)))
    drain(twins.lockstep().run_once)
    assert [*(what for batch, result in redone(twins, 0) for what in state_differences(batch, result))] == []


def test_who_came_with_duplicates_only_may_have_been_swept() -> None:
    twins = Twins(settings(worker={"sweep_seconds": 1}))
    events = list(Personas(PersonasPlan(customers=40, days=60, seed=8)))
    lockstep = twins.lockstep()
    for start in range(0, len(events), 40):
        twins.send(events[start : start + 40])
        drain(lockstep.run_once, 1)
        twins.wall.wait(5.0)
        twins.send(events[start : start + 40])
        drain(lockstep.run_once, 1)
    for partition in range(PARTITIONS):
        again = redone(twins, partition)
        assert [*(what for batch, result in again for what in state_differences(batch, result))] == []
        told = [change for _, result in again for change in result.changes]
        entries, _ = twins.broker.read(twins.settings.topics.changes, partition, 0, 1 << 62)
        assert told == [decode_change(entry.value or b"") for _, entry in entries], "in their order, too"


def _another_segment(batch: JournaledBatch, features: FeatureSet) -> JournaledBatch:
    rows, registers = unpack(features, list(batch.states.values()))
    rows["segment"][0] += 1
    return replace(batch, states=dict(zip(batch.states, pack(rows, registers), strict=True)))


def _one_less(batch: JournaledBatch, features: FeatureSet) -> JournaledBatch:
    return replace(batch, states=dict(list(batch.states.items())[1:]))


@pytest.mark.parametrize(
    ("spoil", "said"), [(_another_segment, "is decided otherwise"), (_one_less, "but it was not written")]
)
def test_a_decision_that_was_not_due_is_found(
    lived: Twins, spoil: Callable[[JournaledBatch, FeatureSet], JournaledBatch], said: str
) -> None:
    redo, tail, topics = redoing(lived, 0), MemoryTail(lived.broker), lived.settings.topics
    records, _ = tail.read(topics.journal, 0, 0, 0.0)
    some = [batch for batch in batches(iter(records)) if batch.states][:5]
    events, _ = tail.read(topics.events, 0, 0, 0.0)
    for batch in some[:4]:
        redo.redo(batch, [r for r in events if batch.start <= r.offset < batch.mark.next])
    spoilt = spoil(some[4], redo.features)
    result = redo.redo(spoilt, [r for r in events if spoilt.start <= r.offset < spoilt.mark.next])
    assert [what for what in state_differences(spoilt, result) if said in what]


def test_a_journal_that_was_cut_off_is_taken_up_when_it_has_everybody_again(lived: Twins) -> None:
    whole = redone(lived, 1)
    tail = MemoryTail(lived.broker)
    first = whole[0][0].mark.journal + 1

    class Cut(MemoryTail):
        def bounds(self, topic: str, partition: int) -> tuple[int, int]:
            begin, end = tail.bounds(topic, partition)
            return (first if topic == lived.settings.topics.journal else begin), end

    rest = list(decided_again(redoing(lived, 1), Cut(lived.broker)))
    assert len(rest) == len(whole) - 1
    assert rest[0][1] is None, "who was there before is not known"
    again = [(batch, result) for batch, result in rest if result is not None]
    assert again, "a sweep has written everybody again"
    assert min(batch.mark.floor for batch, _ in again[1:]) >= first
    assert [*(what for batch, result in again for what in state_differences(batch, result))] == []
