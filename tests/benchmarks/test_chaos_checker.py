"""The checker of the chaos harness: it is silent about a sound run, and finds whatever is lost, repeated or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any

import pytest

from benchmarks.chaos.checker import (
    Verdict,
    broken_chain,
    broken_world,
    examine,
    misdecided,
    misnumbered,
    models_of,
    unlike_fold,
    unlike_formulas,
    unordered_models,
)
from benchmarks.chaos.inputs import read_inputs
from benchmarks.chaos.load import plan
from benchmarks.chaos.world import World, enumerate_values, read_world
from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.personas import Personas
from producers.sink import Outgoing
from stream.contracts.events import Event
from stream.model.learner import Learner
from stream.settings import load
from stream.view.journal import JournalPart

MODEL = {"warmup_customers": 60, "macro_rows": 300, "interval_seconds": 0, "cells": 40}
EVENTS = 2500


def lived() -> Twins:
    """A service in memory that has processed everything."""
    twins = Twins(load(flags={"profile": "personas", "model": MODEL, "kafka": {"max_poll_records": 200}}))
    twins.send(islice(Personas(plan(seed=1, customers=100)), EVENTS))
    drain(twins.lockstep().run_once)
    return twins


def verdict_on(twins: Twins) -> Verdict:
    return examine(twins.settings, MemoryTail(twins.broker), twins.store.reader)


@cache
def world() -> World:
    twins = lived()
    return read_world(twins.settings, MemoryTail(twins.broker), twins.store.reader)


@cache
def parts() -> list[tuple[int, JournalPart]]:
    twins = lived()
    records = enumerate_values(MemoryTail(twins.broker), twins.settings.topics.journal, 0)
    return [(offset, JournalPart.unpack(value)) for offset, value in records]


def test_of_a_sound_run_there_is_nothing_to_say() -> None:
    verdict = verdict_on(lived())
    assert verdict.passed, verdict
    assert verdict.events == EVENTS


def test_an_event_that_was_not_processed_is_lost() -> None:
    twins = lived()
    twins.send(islice(Personas(plan(seed=1, customers=100)), EVENTS, EVENTS + 1))
    verdict = verdict_on(twins)
    assert (verdict.lost, verdict.features_equal, verdict.passed) == (1, False, False)


def test_an_event_that_was_counted_although_nobody_sent_it_is_one_too_many() -> None:
    twins = lived()
    partition = next(p for p in range(4) if twins.broker.bounds(twins.settings.topics.events, p)[1])
    twins.broker.delete_before(twins.settings.topics.events, partition, 1)
    verdict = verdict_on(twins)
    assert (verdict.repeated, verdict.passed) == (1, False)


def test_a_change_that_came_twice_is_repeated() -> None:
    twins = lived()
    topic = twins.settings.topics.changes
    told = next(iter(enumerate_values(MemoryTail(twins.broker), topic, 0)))[1]
    twins.broker.append(Outgoing(topic, 0, None, told))
    verdict = verdict_on(twins)
    assert (verdict.repeated, verdict.lost, verdict.passed) == (1, 0, False)


def test_a_change_that_is_missing_is_lost() -> None:
    customer, told = next((c, told) for c, told in world().changes.items() if len(told) > 2)
    less = replace(world(), changes={**world().changes, customer: [told[0], *told[2:]]})
    assert misnumbered(less) == (1, 0)
    assert misnumbered(world()) == (0, 0)


def test_a_bad_record_that_was_not_rejected_shows() -> None:
    twins = lived()
    topics = twins.settings.topics
    twins.broker.append(Outgoing(topics.events, 0, b"c1", b"{garbage"))
    assert any("not rejected" in breach for breach in verdict_on(twins).breaches)


def test_a_good_record_that_was_rejected_shows() -> None:
    twins = lived()
    headers = {"reason": b"x", "detail": b"x", "topic": b"x", "partition": b"0", "offset": b"0", "timestamp_ms": b"0"}
    said = tuple((f"rejected_{name}", value) for name, value in headers.items())
    twins.broker.append(Outgoing(twins.settings.topics.rejected, 0, None, b"", said))
    assert any("wrongly rejected" in breach for breach in verdict_on(twins).breaches)


def test_a_sound_chain_is_not_broken() -> None:
    assert len(parts()) > 2
    assert list(broken_chain(parts())) == []


@pytest.mark.parametrize(
    "broken",
    [
        lambda chain: chain[:1] + chain[2:],
        lambda chain: [*chain[:2], *chain[1:]],
        lambda chain: [chain[0], (chain[1][0], replace(chain[1][1], start=chain[1][1].start + 1)), *chain[2:]],
        lambda chain: [chain[0], (chain[1][0], replace(chain[1][1], previous=-1)), *chain[2:]],
    ],
    ids=["a batch missing", "a batch repeated", "a record skipped", "a link elsewhere"],
)
def test_a_broken_chain_is_found(broken: Any) -> None:
    assert list(broken_chain(broken(parts())))


def test_a_store_that_shows_something_else_is_found() -> None:
    viewed = {p: dict(states) for p, states in world().viewed.items()}
    customer = next(iter(viewed[0]))
    viewed[0][customer] = next(state for name, state in viewed[0].items() if name != customer)
    assert any(breach.startswith("view") for breach in broken_world(replace(world(), viewed=viewed)))
    assert list(broken_world(world())) == []


def test_a_hash_that_lags_behind_is_found() -> None:
    customer, fields = next(iter(world().hashes.items()))
    stale = {**world().hashes, customer: {**fields, "version": "0"}}
    assert any(breach.startswith("hashes") for breach in broken_world(replace(world(), hashes=stale)))


def test_a_learner_that_missed_somebody_is_found() -> None:
    empty = Learner(world().features, world().settings.model)
    assert any(breach.startswith("population") for breach in broken_world(replace(world(), learner=empty)))


def test_documents_that_do_not_follow_from_the_log_are_found() -> None:
    events, documents = asked()
    settings = world().settings.customers
    assert list(unlike_formulas(settings, events, documents)) == []
    customer = next(c for c, mine in events.items() if len(mine) > 2)
    assert list(unlike_formulas(settings, {**events, customer: events[customer][1:]}, documents))
    assert list(unlike_formulas(settings, events, {**documents, customer: None}))


def test_accumulators_in_another_order_are_found() -> None:
    events, _ = asked()
    assert list(unlike_fold(world(), events)) == []
    turned = {customer: mine[::-1] for customer, mine in events.items()}
    assert list(unlike_fold(world(), turned))


@cache
def asked() -> tuple[Mapping[str, list[Event]], Mapping[str, dict[str, Any] | None]]:
    """The input by customer, and every customer's document."""
    twins = lived()
    events = read_inputs(twins.settings, MemoryTail(twins.broker)).by_customer()
    return events, {customer: twins.store.reader.features(customer.encode()) for customer in events}


def test_models_out_of_order_are_found() -> None:
    twins = lived()
    tail = MemoryTail(twins.broker)
    models = models_of(twins.settings, tail, ())
    assert len(models) > 2
    assert list(unordered_models(world(), models)) == []
    assert list(unordered_models(world(), [models[0], *models]))
    assert list(unordered_models(world(), [models[0], *models[2:]]))
    assert len(models_of(twins.settings, tail, {models[0].offset})) == len(models) - 1


def test_decisions_that_were_not_due_are_found() -> None:
    twins = lived()
    tail, topics = MemoryTail(twins.broker), twins.settings.topics
    assert list(misdecided(world(), tail, ())) == []
    told = enumerate_values(tail, topics.changes, 0)[0][1]
    twins.broker.append(Outgoing(topics.changes, 0, None, told))
    assert [what for what in misdecided(world(), tail, ()) if "not those that are due" in what]
    last = models_of(twins.settings, tail, ())[-2]
    assert [what for what in misdecided(world(), tail, {last.offset}) if "cannot be decided again" in what]
