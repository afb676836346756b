"""A repair over the network: what was deleted comes back, what was counted twice is counted anew."""

from __future__ import annotations

import json
from contextlib import closing
from functools import cache

import pytest

from consumers import checking
from consumers.build import kafka_backend
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from producers.sink import Outgoing
from stream.settings import Tree
from stream.view.keys import FEATURES, SEGMENT, states_key
from tests.brokers import brokers
from tests.service.pair import Flags, Pair, create, live, looking, send, world_of

MODEL: Flags = {"warmup_customers": 40, "macro_rows": 200, "interval_seconds": 0, "cells": 24}
on_apache = pytest.mark.parametrize("pair", brokers("apache"), indirect=True)


@cache
def events() -> tuple[Encoded, ...]:
    """Some 1,000 orders of 100 customers in 60 days."""
    return tuple(Personas(PersonasPlan(customers=100, days=60, seed=5)))


def audited(settings: Tree, capsys: pytest.CaptureFixture[str], *, repair: bool) -> tuple[int, list[str], set[str]]:
    """Exit code, what was mended, and which checks fail."""
    code = (checking.repair if repair else checking.audit)(settings, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] == (code == 0)
    return code, said.get("repaired", []), {part["check"] for part in said["parts"] if part["differences"]}


@on_apache
def test_what_the_journal_knows_is_mended(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    pair.empty_store()
    settings = create({"profile": "personas", **pair.flags(model=MODEL, topics={"partitions": 2})})
    live(settings, send(settings, events()))
    topics = settings.topics
    assert audited(settings, capsys, repair=False) == (0, [], set())

    with pair.redis() as client, looking(settings) as (tail, reader):
        customers = [next(iter(reader.states(0)))[0], next(iter(reader.states(1)))[0]]
        assert client.hdel(states_key(0), customers[0].decode()) == 1
        assert client.delete(SEGMENT + customers[1], FEATURES + customers[1]) == 2
        client.hset((SEGMENT + b"ghost").decode(), mapping={"id": "s1", "status": "ready"})
        first, _ = tail.bounds(topics.learning, 0)
        rows = [record.value for record in tail.read(topics.learning, 0, first, 5.0)[0]]
    with closing(kafka_backend(settings).sink("somebody")) as sink:
        sink.commit([Outgoing(topics.learning, 0, None, rows[-1])], None)
    assert audited(settings, capsys, repair=False)[2] >= {"cells", "states", "public keys"}

    code, mended, failing = audited(settings, capsys, repair=True)
    assert (code, failing) == (0, set())
    assert [line.partition(":")[0] for line in mended if "wiped" in line] == ["partition 0", "partition 1"]
    assert mended[-1].startswith("population: counted anew, ")
    assert audited(settings, capsys, repair=False) == (0, [], set())

    live(settings, 0)
    world_of(settings).check()
