"""A broker and a store that are reached over the network, and services on them that share nothing with each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from redis import Redis

from benchmarks.chaos.world import World, read_world
from consumers.build import Service, kafka_backend
from consumers.kafka_tail import KafkaTail
from consumers.lockstep import Lockstep
from consumers.topics import create_topics
from consumers.worker import Done
from producers.kafka_writer import KafkaWriter
from producers.orders import Encoded
from producers.replay import replay
from stream.settings import TopicSettings, Tree, load
from stream.view.redis_reader import RedisReader
from tests.brokers import Broker, Client, eventually, fresh

Flags = dict[str, Any]
"""Settings by section, as ``load`` takes them."""
SECONDS = 120.0
"""How long a replay, or what is waited for in the middle of one, may take."""


@dataclass(frozen=True)
class Pair:
    """A running broker and a running store."""

    broker: Broker
    redis_url: str
    client: Client = "kafka-python"

    def flags(self, **sections: Flags) -> Flags:
        """Settings of a service of its own: other topics, another group. ``sections`` count most."""
        topics = {name: fresh(default) for name, default in TopicSettings() if isinstance(default, str)}
        kafka = {
            "bootstrap_servers": self.broker.bootstrap_servers,
            "client": self.client,
            "group": fresh("group"),
            "transactional_id": fresh("slot"),
            # The embedded broker takes half a session timeout to form a group.
            "session_timeout_seconds": 2.0 if self.broker.name == "embedded" else 6.0,
            "request_timeout_seconds": 5.0,
            "transaction_timeout_seconds": 6.0,
            "poll_timeout_seconds": 0.02,
        }
        ours: Flags = {"topics": topics, "kafka": kafka, "redis": {"url": self.redis_url}}
        return {**sections, **{name: {**flags, **sections.get(name, {})} for name, flags in ours.items()}}

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        """For looking and meddling from outside."""
        with closing(Redis.from_url(self.redis_url)) as client:
            yield client

    def empty_store(self) -> None:
        """Forget everything."""
        with self.redis() as client:
            client.flushall()


def create(flags: Flags) -> Tree:
    """Create the topics; returns the settings."""
    settings = load(flags=flags)
    create_topics(settings)
    return settings


def send(settings: Tree, events: Iterable[Encoded]) -> int:
    """Write events to the input topic; returns how many."""
    with closing(KafkaWriter(settings.kafka)) as writer:
        return replay(events, writer, settings.topics.events).events


def live(settings: Tree, sent: int) -> list[Done]:
    """Process so many events in lockstep, and what follows from them; returns the rounds that did something."""
    service = Service(settings, kafka_backend(settings), CollectorRegistry())
    rounds: list[Done] = []
    with closing(Lockstep(service.worker(), service.owner())) as lockstep:

        def finished() -> list[Done] | None:
            done = lockstep.run_once()
            if done.step is not None:
                rounds.append(done)
            return rounds if done.step is None and sum(r.records for r in rounds) >= sent else None

        return eventually(finished, f"{sent} events in lockstep", SECONDS)


@contextmanager
def looking(settings: Tree) -> Iterator[tuple[KafkaTail, RedisReader]]:
    """The topics and the store as anybody reads them."""
    with ExitStack() as stack:
        tail = stack.enter_context(closing(KafkaTail(settings.kafka)))
        yield tail, stack.enter_context(closing(RedisReader(settings.redis)))


def world_of(settings: Tree) -> World:
    """What a service left behind."""
    with looking(settings) as (tail, reader):
        return read_world(settings, tail, reader)
