"""The twins with a service on them, seen from the operator's desk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from benchmarks.chaos.world import World, read_world
from consumers.build import Service
from consumers.control import LOOK_SECONDS, tell
from consumers.lockstep import Lockstep
from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from producers.sink import Committed, Outgoing
from producers.writer import MemoryWriter
from stream.settings import Tree, load

LIMIT = 300
"""Records of a batch."""
PARTITIONS = 4


@cache
def events() -> tuple[Encoded, ...]:
    """Some 3,000 orders of 150 customers."""
    return tuple(Personas(PersonasPlan(customers=150, days=200, seed=8)))


def settings(**flags: Any) -> Tree:
    model = {"warmup_customers": 60, "macro_rows": 300, "interval_seconds": 0, "cells": 30}
    kafka = {"max_poll_records": LIMIT}
    worker = {"poison_least_records": 500, **flags.pop("worker", {})}
    return load(flags={"profile": "personas", "model": model, "kafka": kafka, "worker": worker, **flags})


class Floor:
    """The twins with a service on them, seen from the operator's desk."""

    def __init__(self, tree: Tree | None = None) -> None:
        self.twins = Twins(tree or settings())
        self.topics = self.twins.settings.topics
        self.start()

    def start(self) -> None:
        """Processes that were not closed are as if killed."""
        self.twins.broker.expel(self.twins.settings.kafka.group)
        self.twins.broker.expel(f"{self.twins.settings.kafka.group}-owner")
        self.service: Service = self.twins.service()
        self.lockstep = Lockstep(self.service.worker(), self.service.owner())

    def say(self, paused: bool, reason: str = "") -> None:
        """As ``segstream pause`` and ``segstream resume`` do; the worker hears of it in its next round."""
        wall_ms = round(self.twins.wall.now() * 1000)
        tell(MemoryWriter(self.twins.broker), self.topics.control, paused=paused, reason=reason, wall_ms=wall_ms)
        self.twins.wall.wait(LOOK_SECONDS)

    def rounds(self, count: int) -> int:
        """Rounds; how many of them did something."""
        return sum(self.lockstep.run_once().step is not None for _ in range(count))

    def finish(self) -> World:
        drain(self.lockstep.run_once)
        world = read_world(self.twins.settings, MemoryTail(self.twins.broker), self.twins.store.reader)
        world.check()
        return world

    def poison(self, count: int) -> None:
        for number in range(count):
            self.twins.broker.append(Outgoing(self.topics.events, number % PARTITIONS, b"key", b"poison %d" % number))

    def rejected(self) -> list[bytes | None]:
        return [e.value for p in range(PARTITIONS) for _, e in self.entries(self.topics.rejected, p)]

    def entries(self, topic: str, partition: int) -> Iterator[Any]:
        yield from self.twins.broker.read(topic, partition, 0, 1 << 62)[0]

    def committed(self) -> dict[int, Committed]:
        return dict(self.twins.broker.group(self.twins.settings.kafka.group).committed(self.topics.events))

    def everything(self) -> tuple[Any, ...]:
        """Whatever a worker could have written."""
        ends = [self.twins.broker.bounds(t, p) for t in (self.topics.journal, self.topics.changes) for p in range(4)]
        return self.committed(), ends, self.rejected()

    def statuses(self) -> list[str | None]:
        return [self.twins.store.reader.status(p) for p in range(PARTITIONS)]

    def metric(self, name: str) -> float:
        value = self.service.registry.get_sample_value(name)
        assert value is not None, name
        return value

    def generation(self) -> int:
        return self.twins.broker.group(self.twins.settings.kafka.group).membership("").generation


@cache
def undisturbed() -> World:
    floor = Floor()
    floor.twins.send(events())
    return floor.finish()


def half_way() -> Floor:
    """The first few batches are processed, the rest is waiting."""
    floor = Floor()
    floor.twins.send(events())
    assert floor.rounds(6) >= 4
    return floor
