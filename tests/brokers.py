"""The three brokers of the contract suites behind one face, and what each of them promises."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

from consumers.clients import clients
from consumers.memory_source import MemorySource, MemoryTail
from consumers.source import Poll, Record, Source, Tail
from consumers.topics import Shape, create
from producers.kafka_writer import KafkaWriter
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Membership, Outgoing, Sink
from producers.watchdog import Watchdog
from producers.writer import MemoryWriter, Writer
from stream.errors import CommitFailed
from stream.settings import KafkaSettings

ABORTED_HIDDEN = "records of an aborted transaction are not shown"
MEMBERS_FENCED = "a replaced member of a group cannot commit"
OFFSETS_ALONE = "a transaction may consist of nothing but offsets"
OFFSETS_CHECKED = "reading from where there is nothing is an error"
GROUPS_SHARE = "members that come and go share the partitions within seconds"
NOTES_KEPT = "what is noted beside an offset comes back with it"
STATIC_MEMBERS = "a static member that comes back finds its partitions as it left them"
ALL = frozenset({ABORTED_HIDDEN, MEMBERS_FENCED, OFFSETS_ALONE, OFFSETS_CHECKED, GROUPS_SHARE, NOTES_KEPT})
# What is proven of the service, it promises on Apache Kafka. The embedded broker keeps the rest of the
# contract, producer fencing included.
GUARANTEES = {
    "memory": ALL,
    "embedded": frozenset[str](),
    "apache": ALL | {STATIC_MEMBERS},
    "embedded-librdkafka": frozenset[str](),
    "apache-librdkafka": ALL | {STATIC_MEMBERS},
}
DEADLINE_SECONDS = 30.0

Client = Literal["kafka-python", "librdkafka"]
_T = TypeVar("_T")
_count = itertools.count()


def brokers(*names: str) -> list[Any]:
    """Parameters of the fixtures ``broker`` and ``kit``."""
    return [pytest.param(name, marks=[pytest.mark.apache] if name.startswith("apache") else []) for name in names]


def client_of(broker: str) -> Client:
    """Which client a parameter names beside its broker."""
    return "librdkafka" if broker.endswith("librdkafka") else "kafka-python"


def promising(guarantee: str) -> pytest.MarkDecorator:
    """Run a test of ``kit`` on the brokers that promise it."""
    names = [name for name, promised in GUARANTEES.items() if guarantee in promised]
    return pytest.mark.parametrize("kit", brokers(*names), indirect=True)


def fresh(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}-{os.getpid()}-{next(_count)}"


def eventually(probe: Callable[[], _T | None], what: str, seconds: float = DEADLINE_SECONDS) -> _T:
    """The first answer of ``probe`` that is not ``None``; fails after a deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = probe()
        if answer is not None:
            return answer
        time.sleep(0.002)
    raise AssertionError(f"not within {seconds:g} s: {what}")


@dataclass(frozen=True)
class Broker:
    """A running broker with a network address."""

    name: str
    bootstrap_servers: str

    def kafka(self, **changes: object) -> KafkaSettings:
        """Settings for it, with a group and a transactional id of their own and short timeouts."""
        settings = KafkaSettings(
            bootstrap_servers=self.bootstrap_servers,
            group=fresh("group"),
            transactional_id=fresh("slot"),
            # The embedded broker takes half a session timeout to form a group.
            session_timeout_seconds=1.0 if self.name == "embedded" else 3.0,
            request_timeout_seconds=5.0,
            transaction_timeout_seconds=6.0,
            poll_timeout_seconds=0.05,
        )
        return settings.model_copy(update=changes)


class Kit(Protocol):
    """What a contract test does with a broker."""

    def create(self, topic: str, partitions: int = 1) -> None: ...
    def sink(self, transactional_id: str) -> Sink: ...
    def source(self, topic: str, group: str) -> Source: ...
    def tail(self) -> Tail: ...
    def writer(self) -> Writer: ...
    def abort(self, records: Sequence[Outgoing]) -> None: ...
    def close(self) -> None: ...


class MemoryKit:
    """The twins."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()

    def create(self, topic: str, partitions: int = 1) -> None:
        self.broker.create(topic, partitions)

    def sink(self, transactional_id: str) -> Sink:
        return MemorySink(self.broker, transactional_id)

    def source(self, topic: str, group: str) -> Source:
        return MemorySource(self.broker, topic, group)

    def tail(self) -> Tail:
        return MemoryTail(self.broker)

    def writer(self) -> Writer:
        return MemoryWriter(self.broker)

    def abort(self, records: Sequence[Outgoing]) -> None:
        self.broker.fail_next("aborted")
        with pytest.raises(CommitFailed):
            self.sink(fresh("slot")).commit(records, None)

    def close(self) -> None:
        pass


class KafkaKit:
    """One of Kafka's clients on a running broker; closes what it handed out."""

    def __init__(self, broker: Broker, client: Client = "kafka-python") -> None:
        self.settings = broker.kafka(client=client)
        self._clients = clients(self.settings)
        self._open: list[Sink | Source | Tail | Writer] = []

    def create(self, topic: str, partitions: int = 1) -> None:
        create(self.settings, {topic: Shape(partitions)})

    def sink(self, transactional_id: str) -> Sink:
        return self._opened(self._clients.sink(self.settings, transactional_id, Watchdog(60)))

    def source(self, topic: str, group: str, instance: str | None = None) -> Source:
        return self._opened(self._clients.source(self.settings, topic, group, instance))

    def tail(self) -> Tail:
        return self._opened(self._clients.tail(self.settings))

    def writer(self) -> Writer:
        return self._opened(KafkaWriter(self.settings))

    def abort(self, records: Sequence[Outgoing]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.settings.bootstrap_servers, transactional_id=fresh("slot"))
        producer.init_transactions()
        producer.begin_transaction()
        for record in records:
            producer.send(record.topic, record.value, record.key, partition=record.partition)
        producer.flush()
        producer.abort_transaction()
        producer.close()

    def close(self) -> None:
        for client in self._open:
            client.close()

    def _opened(self, client: _C) -> _C:
        self._open.append(client)
        return client


_C = TypeVar("_C", Sink, Source, Tail, Writer)


def transactional(kit: KafkaKit, slot: str) -> KafkaProducer:
    """A bare producer inside a transaction: a worker that is about to die."""
    producer = KafkaProducer(
        bootstrap_servers=kit.settings.bootstrap_servers,
        transactional_id=slot,
        transaction_timeout_ms=60_000,
        request_timeout_ms=5_000,
    )
    producer.init_transactions()
    producer.begin_transaction()
    return producer


def add_offset(producer: KafkaProducer, topic: str, offset: int, member: Membership) -> None:
    """Its transaction commits ``offset`` of partition 0, in the name of a member."""
    positions = {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)}
    producer.send_offsets_to_transaction(
        positions, ConsumerGroupMetadata(member.group, member.generation, member.member)
    )


def joined(source: Source, partitions: set[int], at_begin: bool = True) -> Poll:
    """Poll until the source owns exactly these partitions; ``at_begin`` seeks them all to 0."""

    def probe() -> Poll | None:
        poll = source.poll(0.1)
        return poll if poll.assigned == partitions else None

    poll = eventually(probe, f"assignment of {partitions}")
    for partition in partitions if at_begin else ():
        source.seek(partition, 0)
    return poll


def taken(source: Source, count: int) -> list[Record]:
    """The next ``count`` records, in the order of their arrival."""
    records: list[Record] = []

    def probe() -> bool | None:
        for batch in source.poll(0.1).records.values():
            records.extend(batch)
        return True if len(records) >= count else None

    eventually(probe, f"{count} records")
    return records


def read_to(tail: Tail, topic: str, partition: int, end: int, start: int = 0) -> list[Record]:
    """All committed records from ``start`` up to ``end``."""
    records: list[Record] = []
    at = start

    def probe() -> bool | None:
        nonlocal at
        more, at = tail.read(topic, partition, at, 0.2)
        records.extend(more)
        return True if at >= end else None

    eventually(probe, f"reading up to {end}")
    return records
