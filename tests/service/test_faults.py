"""In the middle of a replay a process dies, or the store forgets everything: nothing is lost, nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos.world import World, read_world, same_accumulators
from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from stream.settings import load
from tests.service.pair import Flags, Pair, create, looking, send, world_of
from tests.service.processes import Running, running

MODEL: Flags = {"warmup_customers": 100, "macro_rows": 500, "interval_seconds": 0, "cells": 40}
KAFKA: Flags = {"max_poll_records": 50}
BATCHES, MODELS = 10, 2
"""What is committed at least before anything happens."""


@cache
def events() -> tuple[Encoded, ...]:
    """Some 6,000 orders of 200 customers in 200 days: 130 batches."""
    return tuple(Personas(PersonasPlan(customers=200, days=200, seed=3)))


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


def on(broker: str, *disturbances: Disturb) -> list[Any]:
    """Parameters of the test."""
    marks = [pytest.mark.apache] if broker.startswith("apache") else []
    return [pytest.param(broker, disturb, marks=marks) for disturb in disturbances]


@pytest.mark.parametrize(
    ("pair", "disturb"),
    [
        # The embedded broker shows what a killed worker left unfinished (DESIGN 9).
        *on("embedded", flush_the_store, drain_the_worker),
        *on("apache", kill_the_worker, flush_the_store, kill_the_owner, drain_the_worker),
        *on("apache-librdkafka", kill_the_worker),
    ],
    indirect=["pair"],
)
def test_a_disturbed_replay_ends_as_if_nothing_had_happened(pair: Pair, disturb: Disturb, tmp_path: Path) -> None:
    pair.empty_store()
    flags = {"profile": "personas", **pair.flags(model=MODEL, kafka=KAFKA, metrics={"enabled": False})}
    settings = create(flags)
    half = len(events()) // 2
    send(settings, events()[:half])
    with running(flags, settings, len(events()), tmp_path) as replay, looking(settings) as (_, reader):
        replay.until(lambda p: p.batches >= BATCHES and p.models >= MODELS, "the first models")
        send(settings, events()[half:])
        replay.until(lambda p: p.left < half, "the second half")
        assert replay.progress.left > 0, "the replay is over"
        disturb(replay, pair)
        # A store that was flushed is noticed within a second, also under partitions where nothing comes any more.
        replay.until(lambda p: p.left == 0 and p.is_shown(reader), "the end of the replay")
        for process in (replay.worker, replay.owner):
            assert process.terminate(settings.worker.drain_seconds) == 0, process.said()
    world = world_of(settings)
    world.check()
    assert same_accumulators([world, uninterrupted()])
