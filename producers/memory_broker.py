"""Kafka in memory: topics, transactions, groups. The twin behind every seam of the broker; it ships.

It is as awkward as the real one where that matters: a transaction's marker takes an offset in every partition
it touched, aborted records take offsets too, and a member that was replaced cannot commit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from producers.memory_group import MemoryGroup
from producers.sink import Offsets, Outgoing
from stream.errors import BrokerUnavailable, CommitFailed

Fate = Literal["committed", "aborted"]


class Entry(NamedTuple):
    """One readable record; markers and aborted records are ``None`` in the log."""

    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


Log = list[Entry | None]


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class MemoryBroker:
    """All state of the twin. Safe to use from several threads.

    ``clock_ms`` stamps records. ``fail_next``, ``rebalance``, ``expel`` and ``delete_before`` are how
    a test makes things go wrong.
    """

    def __init__(self, clock_ms: Callable[[], int] = _wall_clock_ms) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._clock_ms = clock_ms
        self._topics: dict[str, list[Log]] = {}
        self._ids: dict[str, str] = {}
        self._created = 0
        self._first: dict[tuple[str, int], int] = {}
        self._groups: dict[str, MemoryGroup] = {}
        self._producer_epochs: dict[str, int] = {}
        self._next_fate: Fate | None = None

    # Topics

    def create(self, topic: str, partitions: int) -> None:
        """Create a topic; one that exists is left as it is."""
        with self.changed:
            if topic not in self._topics:
                self._created += 1
                self._ids[topic] = f"memory-{self._created}"
                self._topics[topic] = [[] for _ in range(partitions)]

    def delete(self, topic: str) -> None:
        """Delete a topic; one that is created under its name afterwards is another one."""
        with self.changed:
            self._topics.pop(topic, None)
            self._first = {(of, p): first for (of, p), first in self._first.items() if of != topic}

    def identity(self, topic: str) -> tuple[str, int]:
        """Topic id and partition count."""
        partitions = self.partitions(topic)
        return self._ids[topic], partitions

    def partitions(self, topic: str) -> int:
        """Number of partitions. Raises ``BrokerUnavailable`` when there is no such topic, as all that follow."""
        try:
            return len(self._topics[topic])
        except KeyError:
            raise BrokerUnavailable(f"topic '{topic}' does not exist") from None

    def append(self, record: Outgoing, timestamp_ms: int | None = None) -> int:
        """Write one record without a transaction; return its offset."""
        with self.changed:
            log = self._log(record.topic, record.partition)
            log.append(self._entry(record, timestamp_ms))
            self.changed.notify_all()
            return len(log) - 1

    def read(self, topic: str, partition: int, offset: int, limit: int) -> tuple[list[tuple[int, Entry]], int]:
        """At most ``limit`` committed records from ``offset`` on with their offsets, and where to read on."""
        with self.changed:
            log = self._log(topic, partition)
            found: list[tuple[int, Entry]] = []
            while offset < len(log) and len(found) < limit:
                entry = log[offset]
                if entry is not None:
                    found.append((offset, entry))
                offset += 1
            return found, offset

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """First offset that is kept, and the end."""
        with self.changed:
            return self._first.get((topic, partition), 0), len(self._log(topic, partition))

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """What retention does: records below ``offset`` are gone."""
        with self.changed:
            self._first[topic, partition] = offset

    # Transactions

    def init_transactions(self, transactional_id: str) -> int:
        """A new producer of this id; return its epoch. Older ones can no longer commit."""
        with self.changed:
            epoch = self._producer_epochs.get(transactional_id, -1) + 1
            self._producer_epochs[transactional_id] = epoch
            return epoch

    def transact(self, producer: tuple[str, int], records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        """All of it or nothing of it; return the offset of every record. ``producer``: transactional id and epoch.

        Raises ``CommitFailed`` for a replaced producer or a member of an old generation.
        """
        with self.changed:
            fate, self._next_fate = self._next_fate, None
            fenced = self._why_fenced(producer, offsets)
            commits = not fenced and fate != "aborted"
            written = self._write(records, visible=commits)
            if offsets is not None and commits:
                committed = self.group(offsets.membership.group).offsets
                committed.update({(offsets.topic, p): offsets.committed(p) for p in offsets.next})
            self.changed.notify_all()
        if fenced or fate:
            raise CommitFailed(fenced or "outcome unknown")
        return written

    def fail_next(self, fate: Fate) -> None:
        """Make the next transaction raise ``CommitFailed``, with this outcome at the broker."""
        with self.changed:
            self._next_fate = fate

    # Groups

    def group(self, name: str) -> MemoryGroup:
        """The group, which exists from the first time it is named. Use it holding ``changed``."""
        return self._groups.setdefault(name, MemoryGroup(name))

    def rebalance(self, group: str) -> None:
        """Begin a new generation: what was read in the old one can no longer be committed."""
        with self.changed:
            self.group(group).rebalance()
            self.changed.notify_all()

    def expel(self, group: str) -> None:
        """End all members, as when their sessions time out; they join anew when they poll."""
        with self.changed:
            for member in list(self.group(group).topics):
                self.group(group).expel(member)
            self.changed.notify_all()

    def _why_fenced(self, producer: tuple[str, int], offsets: Offsets | None) -> str | None:
        transactional_id, epoch = producer
        if self._producer_epochs.get(transactional_id) != epoch:
            return f"another producer of '{transactional_id}' has taken over"
        if offsets is None:
            return None
        claimed = offsets.membership
        if not claimed.is_valid or claimed != self.group(claimed.group).membership(claimed.member):
            return f"no longer a member of group '{claimed.group}'"
        return None

    def _write(self, records: Sequence[Outgoing], visible: bool) -> list[int]:
        logs = [self._log(record.topic, record.partition) for record in records]
        written = []
        for record, log in zip(records, logs, strict=True):
            written.append(len(log))
            log.append(self._entry(record) if visible else None)
        for log in {id(log): log for log in logs}.values():
            log.append(None)
        return written

    def _entry(self, record: Outgoing, timestamp_ms: int | None = None) -> Entry:
        at_ms = self._clock_ms() if timestamp_ms is None else timestamp_ms
        return Entry(at_ms, record.key, record.value, record.headers)

    def _log(self, topic: str, partition: int) -> Log:
        if not 0 <= partition < self.partitions(topic):
            raise BrokerUnavailable(f"topic '{topic}' has no partition {partition}")
        return self._topics[topic][partition]


class MemorySink:
    """``producers.sink.Sink`` on a ``MemoryBroker``."""

    def __init__(self, broker: MemoryBroker, transactional_id: str) -> None:
        self._broker = broker
        self._transactional_id = transactional_id
        self._epoch = broker.init_transactions(transactional_id)

    def commit(self, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        """See ``Sink``."""
        if not records and offsets is None:
            return []
        try:
            return self._broker.transact((self._transactional_id, self._epoch), records, offsets)
        except CommitFailed:
            self._epoch = self._broker.init_transactions(self._transactional_id)
            raise

    def close(self) -> None:
        """See ``Sink``."""
