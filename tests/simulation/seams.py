"""The twins behind the seams as one process of the simulation meets them, with points to stop at. Time is simulated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from consumers.memory_source import MemorySource, MemoryTail
from consumers.source import Poll, Record
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Committed, Offsets, Outgoing
from stream.errors import BrokerUnavailable, CommitFailed, StoreUnavailable
from stream.view.memory_store import MemoryStore
from stream.view.store import Loaded, Update, Wanted
from tests.simulation.stepping import Steps


@dataclass(frozen=True)
class Around:
    """What surrounds one process: its steps, how time passes, and which markers come late at the moment."""

    steps: Steps
    wait: Callable[[float], None]
    late: Callable[[], Collection[str]]


class SteppedSource(MemorySource):
    """A member of a group."""

    def __init__(self, broker: MemoryBroker, topic: str, group: str, limit: int, around: Around) -> None:
        super().__init__(broker, topic, group, limit)
        self.group = group
        self._around = around

    @property
    def member(self) -> str:
        """Who it is to the group; empty before it has joined."""
        return self._member

    @property
    def epoch(self) -> int:
        """How often what it is to read has changed."""
        return self._epoch

    @property
    def limit(self) -> int:
        """Records of one poll, at most."""
        return self._limit

    @limit.setter
    def limit(self, records: int) -> None:
        self._limit = records

    def poll(self, timeout_seconds: float) -> Poll:
        self._around.steps.at("poll", BrokerUnavailable)
        poll = super().poll(0.0)
        if not poll.count:
            self._around.wait(timeout_seconds)
        return poll

    def committed(self, partitions: Sequence[int]) -> dict[int, Committed | None]:
        self._around.steps.at("committed", BrokerUnavailable)
        return super().committed(partitions)


class SteppedSink(MemorySink):
    """A sink that may be stopped within a transaction: begun, all written, decided."""

    def __init__(self, broker: MemoryBroker, transactional_id: str, around: Around) -> None:
        super().__init__(broker, transactional_id)
        self._around = around

    def commit(self, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        self._around.steps.at("commit", BrokerUnavailable)
        try:
            transaction = self._broker.prepare((self._transactional_id, self._epoch), records, offsets)
            self._around.steps.at("prepared", CommitFailed)
            self._broker.decide(transaction, "committed", self._around.late())
            self._around.steps.at("decided", CommitFailed)
        except CommitFailed:
            self._epoch = self._broker.init_transactions(self._transactional_id)
            raise
        return transaction.record_offsets


class SteppedTail(MemoryTail):
    """A tail whose waiting lets the wall clock move."""

    def __init__(self, broker: MemoryBroker, around: Around) -> None:
        super().__init__(broker)
        self._around = around

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        self._around.steps.at("read", BrokerUnavailable)
        found, after = super().read(topic, partition, offset, 0.0)
        if after == offset:
            self._around.wait(timeout_seconds)
        return found, after

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        self._around.steps.at("bounds", BrokerUnavailable)
        return super().bounds(topic, partition)


class SteppedStore:
    """One process's connection to the store that all share."""

    def __init__(self, store: MemoryStore, around: Around) -> None:
        self._store = store
        self._at = around.steps.at

    def load(self, wanted: Mapping[int, Wanted]) -> dict[int, Loaded]:
        self._at("load", StoreUnavailable)
        return self._store.load(wanted)

    def apply(self, partition: int, expected: bytes | None, update: Update) -> bool:
        self._at("apply", StoreUnavailable)
        applied = self._store.apply(partition, expected, update)
        self._at("applied", StoreUnavailable)
        return applied

    def wipe(self, partition: int) -> None:
        self._at("wipe", StoreUnavailable)
        self._store.wipe(partition)

    def publish_segments(self, profiles: Mapping[str, bytes]) -> None:
        self._at("segments", StoreUnavailable)
        self._store.publish_segments(profiles)

    def publish_status(self, partition: int, status: str | None) -> None:
        self._at("status", StoreUnavailable)
        self._store.publish_status(partition, status)

    def close(self) -> None:
        """It is shared."""
