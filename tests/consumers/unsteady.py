"""Twins that fail for a while: every seam of the service in memory, with faults to order. No real time passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from consumers.build import Service, memory_backend
from consumers.memory_source import MemorySource, MemoryTail
from consumers.source import Poll, Record
from consumers.twins import Twins, Wall
from consumers.worker import Clocks
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Committed, Offsets, Outgoing
from stream.errors import SegstreamError
from stream.view.memory_store import MemoryStore
from stream.view.store import Loaded, Update, Wanted

Fault = SegstreamError | Callable[[], object] | None


@dataclass
class Faults:
    """What happens when: calls that raise so many times, and records that become visible only at some time."""

    wall: Wall = field(default_factory=Wall)
    calls: dict[str, list[Fault]] = field(default_factory=dict)
    """Call -> what becomes of its next calls: an error is raised, an action is done first, ``None`` is nothing."""
    polled: int = 0
    """Records that sources have delivered."""
    hidden: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    """Topic -> from which offset on records are hidden, and until when (wall clock)."""

    def order(self, call: str, fault: Fault, *, times: int = 1, after: int = 0) -> None:
        """What becomes of the next calls, ``after`` so many without a fault."""
        self.calls.setdefault(call, []).extend([None] * after + [fault] * times)

    def hide(self, topic: str, offset: int, seconds: float) -> None:
        """Let records from ``offset`` on be seen only in so many seconds."""
        self.hidden.setdefault(topic, []).append((offset, self.wall.now() + seconds))

    def strike(self, call: str) -> None:
        """Let happen what was ordered for this call."""
        fault = self.calls[call].pop(0) if self.calls.get(call) else None
        if isinstance(fault, SegstreamError):
            raise fault
        if fault is not None:
            fault()

    def visible_before(self, topic: str, end: int) -> int:
        """The first offset that cannot be seen now."""
        return min([end, *(offset for offset, until in self.hidden.get(topic, ()) if self.wall.now() < until)])


class UnsteadyTail(MemoryTail):
    """A tail whose waiting lets the wall clock move."""

    def __init__(self, broker: MemoryBroker, faults: Faults, limit: int = 2000) -> None:
        super().__init__(broker, limit)
        self._faults = faults

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        self._faults.strike("tail.read")
        found, after = super().read(topic, partition, offset, 0.0)
        end = max(offset, self._faults.visible_before(topic, after))
        if end == offset:
            self._faults.wall.wait(timeout_seconds)
        return [record for record in found if record.offset < end], end

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        self._faults.strike("tail.bounds")
        first, end = super().bounds(topic, partition)
        return first, self._faults.visible_before(topic, end)


class UnsteadySource(MemorySource):
    """A member of a group whose broker is away at times."""

    def __init__(self, broker: MemoryBroker, topic: str, group: str, max_poll_records: int, faults: Faults) -> None:
        super().__init__(broker, topic, group, max_poll_records)
        self._faults = faults

    def poll(self, timeout_seconds: float) -> Poll:
        self._faults.strike("source.poll")
        poll = super().poll(timeout_seconds)
        self._faults.polled += poll.count
        return poll

    def committed(self, partitions: Sequence[int]) -> dict[int, Committed | None]:
        self._faults.strike("source.committed")
        return super().committed(partitions)


class UnsteadySink(MemorySink):
    """A sink whose broker is away at times: then nothing is written."""

    def __init__(self, broker: MemoryBroker, transactional_id: str, faults: Faults) -> None:
        super().__init__(broker, transactional_id)
        self._faults = faults

    def commit(self, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        self._faults.strike("sink.commit")
        return super().commit(records, offsets)


class UnsteadyStore(MemoryStore):
    """A store that is away at times, and remembers what it was told of its partitions."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults
        self.statuses: list[tuple[int, str | None]] = []
        self.applied: list[tuple[int, Update]] = []

    def load(self, wanted: Mapping[int, Wanted]) -> dict[int, Loaded]:
        self._faults.strike("store.load")
        return super().load(wanted)

    def apply(self, partition: int, expected: bytes | None, update: Update) -> bool:
        self._faults.strike("store.apply")
        done = super().apply(partition, expected, update)
        if done:
            self.applied.append((partition, update))
        return done

    def publish_status(self, partition: int, status: str | None) -> None:
        self._faults.strike("store.publish_status")
        super().publish_status(partition, status)
        self.statuses.append((partition, status))

    def publish_segments(self, profiles: Mapping[str, bytes]) -> None:
        self._faults.strike("store.publish_segments")
        super().publish_segments(profiles)


@dataclass
class UnsteadyTwins(Twins):
    """The whole service over unsteady parts; steady as long as nothing is ordered."""

    store: UnsteadyStore = field(init=False)
    faults: Faults = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.faults = Faults(self.wall)
        self.store = UnsteadyStore(self.faults)

    def service(self) -> Service:
        broker, faults, limit = self.broker, self.faults, self.settings.kafka.max_poll_records

        def trim(topic: str, partition: int, before: int) -> None:
            faults.strike("trim")
            broker.delete_before(topic, partition, before)

        backend = replace(
            memory_backend(self.settings, broker, self.store, Clocks(self.wall.now, self.wall.wait)),
            source=lambda topic, group, instance=None: UnsteadySource(broker, topic, group, limit, faults),
            sink=lambda transactional_id: UnsteadySink(broker, transactional_id, faults),
            trim=trim,
            tail=lambda: UnsteadyTail(broker, faults),
        )
        return replace(super().service(), backend=backend)
