"""The whole service in memory: the shipped twins behind every seam. For tests, benchmarks and trying things out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from consumers.build import Service, memory_backend
from consumers.lockstep import Lockstep
from consumers.worker import Clocks, Done
from producers.memory_broker import MemoryBroker
from producers.orders import Encoded
from producers.sink import Outgoing
from stream.contracts.partitioning import partition_of
from stream.settings import Tree
from stream.view.memory_store import MemoryStore

POLL_SECONDS = 0.001
"""How long a poll of the twins waits, whatever the settings say."""


@dataclass
class Wall:
    """A wall clock that only moves when told to, or when somebody waits."""

    seconds: float = 1_800_000_000.0

    def now(self) -> float:
        """Seconds since 1970."""
        return self.seconds

    def wait(self, seconds: float) -> None:
        """Waiting is letting time pass."""
        self.seconds += seconds


@dataclass
class Twins:
    """A broker, a store and a service over them, in one process."""

    settings: Tree
    wall: Wall = field(default_factory=Wall)
    broker: MemoryBroker = field(init=False)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.broker = MemoryBroker(lambda: round(self.wall.seconds * 1000))
        topics = self.settings.topics
        for topic in (topics.events, topics.changes, topics.rejected, topics.journal):
            self.broker.create(topic, topics.partitions)
        for topic in (topics.ledger, topics.profiles, topics.learning, topics.model, topics.control):
            self.broker.create(topic, 1)

    def service(self) -> Service:
        """A service over the twins, with a registry of its own."""
        # Who feeds the broker is who lets the service read from it: while it waits, nothing comes.
        kafka = self.settings.kafka.model_copy(update={"poll_timeout_seconds": POLL_SECONDS})
        settings = self.settings.model_copy(update={"kafka": kafka})
        backend = memory_backend(settings, self.broker, self.store, Clocks(self.wall.now, self.wall.wait))
        return Service(settings, backend, CollectorRegistry())

    def lockstep(self) -> Lockstep:
        """A worker and an owner, taking turns."""
        service = self.service()
        return Lockstep(service.worker(), service.owner())

    def send(self, events: Iterable[Encoded]) -> int:
        """Append events to the input topic; returns how many."""
        topics, count = self.settings.topics, 0
        for key, payload, _ in events:
            self.broker.append(Outgoing(topics.events, partition_of(key, topics.partitions), key, payload))
            count += 1
        return count

    def changes(self) -> Iterator[bytes]:
        """Every message of the change topic, partition by partition."""
        topics = self.settings.topics
        for partition in range(topics.partitions):
            entries, _ = self.broker.read(topics.changes, partition, 0, 1 << 62)
            yield from (entry.value for _, entry in entries if entry.value is not None)


def drain(run_once: Callable[[], Done], idle_rounds: int = 3) -> list[Done]:
    """Rounds until nothing has happened for a few."""
    rounds: list[Done] = []
    idle = 0
    while idle < idle_rounds:
        done = run_once()
        idle = idle + 1 if done.step is None else 0
        if done.step is not None:
            rounds.append(done)
    return rounds
