"""The one place that wires. Production and tests call the same functions; tests pass twins for the backend."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from prometheus_client import CollectorRegistry

from consumers.kafka_source import KafkaSource, KafkaTail
from consumers.memory_source import MemorySource, MemoryTail
from consumers.model_feed import ModelFeed
from consumers.owner import Owner, OwnerWiring
from consumers.restoring import Identity, Restorer
from consumers.source import Source, Tail
from consumers.topics import topic_identity
from consumers.worker import Clocks, Wiring, Worker
from producers.kafka_sink import KafkaSink
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Sink
from producers.watchdog import Watchdog
from stream.customer.features import FeatureSet
from stream.metrics import OwnerMetrics, WorkerMetrics
from stream.settings import Tree
from stream.view.memory_store import MemoryStore
from stream.view.redis_store import RedisStore
from stream.view.store import Store

RESTORE_WAIT_SECONDS = 15.0
"""How long a restore waits for the journal's next record: a dead worker's transaction is finished by then."""


@dataclass(frozen=True)
class Backend:
    """The outside: what a broker, a store and a clock are made of."""

    source: Callable[[str, str], Source]
    """(topic, group) -> member of the group."""
    sink: Callable[[str], Sink]
    """transactional id -> sink."""
    tail: Callable[[], Tail]
    store: Callable[[], Store]
    identity: Callable[[str], tuple[str, int]]
    """topic -> (topic id, partition count)."""
    clocks: Clocks


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
        sink = backend.sink(f"{settings.kafka.transactional_id}-worker-{self.slot}")
        store = backend.store()
        topic_id, partitions = backend.identity(settings.topics.events)
        feed = ModelFeed(backend.tail(), settings.topics.model, self.features.features_id)
        restorer = Restorer(
            identity=Identity(topic_id, partitions, self.features.features_id),
            features=self.features,
            store=store,
            tail=backend.tail(),
            journal_topic=settings.topics.journal,
            documents=settings.redis.features_document,
            names=lambda: feed.names,
            wait_seconds=RESTORE_WAIT_SECONDS,
            now_seconds=backend.clocks.now_seconds,
        )
        source = backend.source(settings.topics.events, settings.kafka.group)
        metrics = WorkerMetrics(self.registry)
        return Worker(settings, self.features, Wiring(source, sink, store, feed, restorer, metrics, backend.clocks))

    def owner(self) -> Owner:
        """A model owner."""
        settings, backend = self.settings, self.backend
        sink = backend.sink(f"{settings.kafka.transactional_id}-owner")
        wiring = OwnerWiring(
            source=backend.source(settings.topics.learning, f"{settings.kafka.group}-owner"),
            sink=sink,
            tail=backend.tail(),
            store=backend.store(),
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

    watchdog = Watchdog(settings.worker.watchdog_seconds)
    return Backend(
        source=lambda topic, group: KafkaSource(settings.kafka, topic, group),
        sink=lambda transactional_id: KafkaSink(settings.kafka, transactional_id, watchdog),
        tail=lambda: KafkaTail(settings.kafka),
        store=store,
        identity=lambda topic: topic_identity(settings, topic),
        clocks=Clocks(time.time, time.sleep),
    )


def memory_backend(settings: Tree, broker: MemoryBroker, store: MemoryStore, clocks: Clocks) -> Backend:
    """The twins, in one process."""
    return Backend(
        source=lambda topic, group: MemorySource(broker, topic, group, settings.kafka.max_poll_records),
        sink=lambda transactional_id: MemorySink(broker, transactional_id),
        tail=lambda: MemoryTail(broker),
        store=lambda: store,
        identity=broker.identity,
        clocks=clocks,
    )
