"""A migration over the network: half of the events before it, half after it, in topics of another width."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import cache

import pytest
from prometheus_client import CollectorRegistry

from benchmarks.chaos.world import same_accumulators
from consumers.auditing import audit
from consumers.build import Service, kafka_backend
from consumers.lockstep import Lockstep
from consumers.migrating import migrate, target_of
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from stream.errors import SettingsError
from stream.settings import Tree
from tests.brokers import brokers, eventually, joined
from tests.service.pair import SECONDS, Flags, Pair, create, live, looking, send, world_of

MODEL: Flags = {"warmup_customers": 60, "macro_rows": 300, "interval_seconds": 0, "cells": 24}
BEFORE, AFTER = 3, 8
# The embedded broker forgets everything when it ends: there is nothing to migrate.
on_apache = pytest.mark.parametrize("pair", brokers("apache"), indirect=True)


@cache
def events() -> tuple[Encoded, ...]:
    """Some 3,000 orders of 200 customers in 100 days."""
    return tuple(Personas(PersonasPlan(customers=200, days=100, seed=3)))


def flags(pair: Pair, partitions: int) -> Flags:
    return {"profile": "personas", **pair.flags(model=MODEL, topics={"partitions": partitions})}


def found(settings: Tree) -> list[str]:
    """What an audit says is wrong."""
    with looking(settings) as (tail, reader):
        parts = audit(settings, tail, reader, settings.topics.partitions, 0)
    return [f"{part.check}: {line}" for part in parts for line in part.first]


def fill(settings: Tree) -> None:
    """Let a service run until it has restored every partition."""
    service = Service(settings, kafka_backend(settings), CollectorRegistry())
    with closing(Lockstep(service.worker(), service.owner())) as lockstep, looking(settings) as (_, reader):

        def filled() -> bool | None:
            lockstep.run_once()
            return all(reader.watermark(p) for p in range(settings.topics.partitions)) or None

        eventually(filled, "a view of every partition", SECONDS)


@on_apache
def test_customers_move_between_topics_of_another_width(pair: Pair) -> None:
    first, second = events()[: len(events()) // 2], events()[len(events()) // 2 :]
    narrow = create(flags(pair, BEFORE))
    live(narrow, send(narrow, first))
    target = target_of(narrow.topics, AFTER)
    said: list[str] = []

    send(narrow, second[:1])
    with pytest.raises(SettingsError, match="were not processed"):
        migrate(narrow, kafka_backend(narrow), target, said.append)
    live(narrow, 1)
    old = world_of(narrow)
    moved = migrate(narrow, kafka_backend(narrow), target, said.append)
    assert moved.customers == len(old.accumulators)
    assert len(said) == BEFORE

    wide = narrow.model_copy(update={"topics": target.new})
    fill(wide)
    assert found(wide) == []
    assert same_accumulators([old, world_of(wide)])

    live(wide, send(wide, second[1:]))
    assert found(wide) == []
    end = world_of(wide)
    told = {customer: list(changes) for customer, changes in old.changes.items()}
    for customer, changes in end.changes.items():
        mine = told.setdefault(customer, [])
        mine += [change for change in changes if not mine or change.version > mine[-1].version]
    replace(end, changes=told).check()

    pair.empty_store()
    straight = create(flags(pair, 2))
    live(straight, send(straight, [*first, *second]))
    assert same_accumulators([end, world_of(straight)])


@on_apache
def test_a_running_service_is_not_moved(pair: Pair) -> None:
    settings = create(pair.flags())
    backend = kafka_backend(settings)
    source = backend.source(settings.topics.events, settings.kafka.group)
    try:
        joined(source, set(range(settings.topics.partitions)))
        assert backend.members(settings.kafka.group) == 1
        with pytest.raises(SettingsError, match="stop segstream first"):
            migrate(settings, backend, target_of(settings.topics, 2), lambda _: None)
    finally:
        source.close()
    assert backend.members(settings.kafka.group) == 0
