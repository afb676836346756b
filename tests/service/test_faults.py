"""In the middle of a replay a process dies, or the store forgets everything: nothing is lost, nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from stream.settings import load
from tests.brokers import brokers
from tests.service.pair import Flags, Pair, prepare, world_of
from tests.service.processes import Running, running
from tests.service.world import World, read_world, same_accumulators

MODEL: Flags = {"warmup_customers": 100, "macro_rows": 500, "interval_seconds": 0, "cells": 40}
KAFKA: Flags = {"max_poll_records": 50}
BATCHES, MODELS = 20, 2
"""What is committed at least before anything happens; the replay has a hundred batches and more to go then."""


@cache
def events() -> tuple[Encoded, ...]:
    """Some 8,000 orders of 250 customers in 200 days."""
    return tuple(Personas(PersonasPlan(customers=250, days=200, seed=3)))


@cache
def uninterrupted() -> World:
    """The same events on the twins."""
    twins = Twins(load(flags={"profile": "personas", "model": MODEL}))
    twins.send(events())
    drain(twins.lockstep().run_once)
    return read_world(twins.settings, MemoryTail(twins.broker), twins.store.reader)


Disturb = Callable[[Running, Pair], None]


def kill_the_worker(running: Running, _: Pair) -> None:
    running.worker.kill()
    running.worker.restart()


def flush_the_store(_: Running, pair: Pair) -> None:
    pair.empty_store()


def kill_the_owner(running: Running, _: Pair) -> None:
    running.owner.kill()
    running.owner.restart()
    before = running.progress.look().models
    running.until(lambda progress: progress.models > before, "a model of the new owner")


def drain_the_worker(running: Running, _: Pair) -> None:
    assert running.worker.terminate(running.settings.worker.drain_seconds) == 0, running.worker.said()
    running.worker.restart()


@pytest.mark.parametrize("pair", brokers("embedded", "apache"), indirect=True)
@pytest.mark.parametrize("disturb", [kill_the_worker, flush_the_store, kill_the_owner, drain_the_worker])
def test_a_disturbed_replay_ends_as_if_nothing_had_happened(disturb: Disturb, pair: Pair, tmp_path: Path) -> None:
    pair.empty_store()
    flags = {"profile": "personas", **pair.flags(model=MODEL, kafka=KAFKA, metrics={"enabled": False})}
    settings, sent = prepare(flags, events())
    with running(flags, settings, sent, tmp_path) as replay:
        replay.until(lambda p: p.batches >= BATCHES and p.models >= MODELS, "the middle of the replay")
        assert replay.progress.left > 0, "the replay was over already"
        disturb(replay, pair)
        replay.until(lambda p: p.left == 0, "the end of the replay")
        for process in (replay.worker, replay.owner):
            assert process.terminate(settings.worker.drain_seconds) == 0, process.said()
    world = world_of(settings)
    world.check()
    assert same_accumulators([world, uninterrupted()])
