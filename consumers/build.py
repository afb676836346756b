"""The one place that wires. Production and tests call the same functions; tests pass twins for the backend."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from prometheus_client import CollectorRegistry

from consumers.circuit import Circuit
from consumers.clients import clients
from consumers.control import ControlFeed
from consumers.gauging import Gauging
from consumers.groups import members
from consumers.holding import Gate
from consumers.memory_source import MemorySource, MemoryTail
from consumers.model_feed import ModelFeed
from consumers.owner import Owner, OwnerWiring
from consumers.restoring import Identity, Restorer
from consumers.source import SETTLED_SECONDS, Source, Tail
from consumers.takeover import LEARNING, owner_group, owner_id
from consumers.timed_store import TimedStore
from consumers.topics import Shape, ensure, topic_identity, trim
from consumers.worker import Clocks, Wiring, Worker
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Sink
from producers.watchdog import Watchdog
from stream.customer.features import FeatureSet
from stream.errors import SettingsError
from stream.health import WorkerHealth
from stream.metrics import OwnerMetrics, WorkerMetrics
from stream.settings import Tree
from stream.view.memory_store import MemoryStore
from stream.view.redis_store import RedisStore
from stream.view.store import Store


class OpenSource(Protocol):
    """Joins a group on a topic; ``instance`` is the name of a static member."""

    def __call__(self, topic: str, group: str, instance: str | None = None) -> Source:
        """A member of ``group``."""
        ...


@dataclass(frozen=True)
class Backend:
    """The outside: what a broker, a store and a clock are made of."""

    source: OpenSource
    sink: Callable[[str], Sink]
    """transactional id -> sink."""
    tail: Callable[[], Tail]
    store: Callable[[], Store]
    identity: Callable[[str], tuple[str, int]]
    """topic -> (topic id, partition count)."""
    members: Callable[[str], int]
    """group -> how many are in it."""
    trim: Callable[[str, int, int], None]
    """(topic, partition, offset) -> the records below it are deleted."""
    create: Callable[[Mapping[str, Shape]], None]
    """Topics by name; those that exist must have that shape."""
    clocks: Clocks


def identity_of(settings: Tree, backend: Backend) -> Identity:
    """What states are written for, as it is now. Raises ``SettingsError`` when a topic does not exist."""
    topic_id, partitions = backend.identity(settings.topics.events)
    journal_id, _ = backend.identity(settings.topics.journal)
    return Identity(topic_id, partitions, FeatureSet(settings.customers).features_id, journal_id)


@dataclass(frozen=True)
class Service:
    """A worker and an owner under the same settings and backend. ``slot`` numbers the worker processes."""

    settings: Tree
    backend: Backend
    registry: CollectorRegistry
    slot: int = 0

    @cached_property
    def features(self) -> FeatureSet:
        """The compiled declarations."""
        return FeatureSet(self.settings.customers)

    def worker(self) -> Worker:
        """A worker. The sink comes first: it fences a dead predecessor before any committed offset is read."""
        settings, backend = self.settings, self.backend
        name = self._name(f"worker-{self.slot}")
        sink = backend.sink(f"{settings.kafka.transactional_id}-{name}")
        metrics = WorkerMetrics(self.registry)
        store = TimedStore(backend.store(), metrics.pace.operations)
        feed = ModelFeed(backend.tail(), settings.topics.model, self.features.features_id)
        restorer = Restorer(
            look=lambda: identity_of(settings, backend),
            features=self.features,
            store=store,
            tail=backend.tail(),
            journal_topic=settings.topics.journal,
            documents=settings.redis.features_document,
            names=lambda: feed.names,
            wait_seconds=SETTLED_SECONDS,
            now_seconds=backend.clocks.now_seconds,
            remaining=metrics.health.restore_remaining.set,
        )
        gauging = Gauging(restorer.tail, settings.topics, metrics.health, backend.clocks.now_seconds)
        gate = self._gate(store, metrics.health)
        source = backend.source(settings.topics.events, settings.kafka.group, self._static(name))
        wiring = Wiring(source, sink, store, feed, restorer, gate, gauging, metrics, backend.clocks)
        return Worker(settings, self.features, wiring)

    def _name(self, role: str) -> str:
        return f"{self.settings.kafka.instance}-{role}" if self.settings.kafka.instance else role

    def _static(self, name: str) -> str | None:
        return name if self.settings.kafka.static_membership else None

    def _gate(self, store: Store, health: WorkerHealth) -> Gate:
        topics, worker, backend = self.settings.topics, self.settings.worker, self.backend
        backend.identity(topics.control)  # says what to run where an older version made the topics
        now = backend.clocks.now_seconds
        circuit = Circuit(worker.poison_share, worker.poison_window_seconds, worker.poison_least_records)
        return Gate(ControlFeed(backend.tail(), topics.control, now), circuit, store, health, now)

    def owner(self) -> Owner:
        """A model owner."""
        settings, backend = self.settings, self.backend
        static = self._static(self._name("owner"))
        wiring = OwnerWiring(
            source=backend.source(settings.topics.learning, owner_group(settings.kafka), static),
            sink=lambda: backend.sink(owner_id(settings.kafka)),
            tail=backend.tail(),
            store=backend.store(),
            trim=lambda offset: backend.trim(settings.topics.learning, LEARNING, offset),
            metrics=OwnerMetrics(self.registry),
            now_seconds=backend.clocks.now_seconds,
            wait=backend.clocks.wait,
        )
        return Owner(settings, self.features, wiring)


def kafka_backend(settings: Tree) -> Backend:
    """Kafka and Redis, real or embedded: nothing here knows the difference."""

    def store() -> Store:
        redis = RedisStore(settings.redis)
        redis.check()
        return redis

    client = clients(settings.kafka)
    watchdog = Watchdog(settings.worker.watchdog_seconds)
    return Backend(
        source=lambda topic, group, instance=None: client.source(settings.kafka, topic, group, instance),
        sink=lambda transactional_id: client.sink(settings.kafka, transactional_id, watchdog),
        tail=lambda: client.tail(settings.kafka),
        store=store,
        identity=lambda topic: topic_identity(settings, topic),
        members=lambda group: members(settings.kafka, group),
        trim=lambda topic, partition, before: trim(settings.kafka, topic, partition, before),
        create=lambda wanted: ensure(settings.kafka, wanted, settings.topics.replication),
        clocks=Clocks(time.time, time.sleep),
    )


def memory_backend(settings: Tree, broker: MemoryBroker, store: MemoryStore, clocks: Clocks) -> Backend:
    """The twins, in one process."""

    def create(wanted: Mapping[str, Shape]) -> None:
        for name, shape in wanted.items():
            broker.create(name, shape.partitions)
            if broker.partitions(name) != shape.partitions:
                raise SettingsError(f"topic '{name}' has {broker.partitions(name)} partitions, not {shape.partitions}")

    return Backend(
        source=lambda topic, group, instance=None: MemorySource(broker, topic, group, settings.kafka.max_poll_records),
        sink=lambda transactional_id: MemorySink(broker, transactional_id),
        tail=lambda: MemoryTail(broker),
        store=lambda: store,
        identity=broker.identity,
        members=lambda group: len(broker.group(group).topics),
        trim=broker.delete_before,
        create=create,
        clocks=clocks,
    )
