"""Every published decision is had again from the topics, and one that was not due is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from consumers.verifying import verify
from producers.personas import Personas, PersonasPlan
from producers.sink import Outgoing
from stream.contracts.changes import decode_change, encode_change
from stream.settings import load

PARTITIONS = 4


@pytest.fixture(scope="module")
def lived() -> Twins:
    model = {"warmup_customers": 30, "macro_rows": 150, "interval_seconds": 0, "cells": 20}
    twins = Twins(load(flags={"profile": "personas", "model": model, "kafka": {"max_poll_records": 40}}))
    twins.send(Personas(PersonasPlan(customers=60, days=200, seed=8)))
    drain(twins.lockstep().run_once)
    return twins


def test_all_are_had_again_to_the_byte(lived: Twins) -> None:
    published = len(list(lived.changes()))
    found = verify(lived.settings, MemoryTail(lived.broker), PARTITIONS)
    assert (found.same, found.gone, found.differing) == (published, 0, [])
    assert found.part.holds
    one = decode_change(next(lived.changes())).customer_id
    mine = verify(lived.settings, MemoryTail(lived.broker), PARTITIONS, one)
    assert 0 < mine.same < published


def test_one_that_was_not_due_is_named(lived: Twins) -> None:
    class Forging(MemoryTail):
        """Shows the first change with another margin."""

        def read(self, topic: str, partition: int, offset: int, timeout_seconds: float):  # type: ignore[no-untyped-def]
            records, after = super().read(topic, partition, offset, timeout_seconds)
            if topic == lived.settings.topics.changes and partition == 0 and offset == 0:
                forged = replace(decode_change(records[0].value or b""), margin=0.125)
                records[0] = records[0]._replace(value=encode_change(forged))
            return records, after

    found = verify(lived.settings, Forging(lived.broker), PARTITIONS)
    assert len(found.differing) == 1
    assert "margin is 0.125, due is" in found.differing[0]
    assert not found.part.holds


def test_decisions_of_models_that_are_gone_are_counted_and_not_judged(lived: Twins) -> None:
    class Forgetful(MemoryTail):
        def bounds(self, topic: str, partition: int) -> tuple[int, int]:
            first, end = super().bounds(topic, partition)
            return (end - 2 if topic == lived.settings.topics.model else first), end

    found = verify(lived.settings, Forgetful(lived.broker), PARTITIONS)
    assert found.differing == []
    assert found.gone > 0
    assert "is gone" in found.part.compared


def test_a_change_of_somebody_who_never_was_is_not_one_of_ours(lived: Twins) -> None:
    twins = Twins(lived.settings)
    told = next(lived.changes())
    twins.broker.append(Outgoing(lived.settings.topics.changes, 0, b"x", told))
    found = verify(twins.settings, MemoryTail(twins.broker), PARTITIONS)
    assert (found.same, found.gone) == (0, 1)
