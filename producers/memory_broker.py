"""Kafka in memory: topics, transactions, groups. The twin behind every seam of the broker; it ships.

It is as awkward as the real one where that matters: a transaction's marker takes an offset in every partition
it touched, aborted records take offsets too, an open transaction hides what is behind it, and a member that was
replaced cannot commit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence

from producers.memory_group import MemoryGroup
from producers.memory_log import Entry, MemoryLog
from producers.memory_transaction import Fate, Transaction
from producers.sink import Offsets, Outgoing
from stream.errors import BrokerUnavailable, CommitFailed


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
        self._topics: dict[str, list[MemoryLog]] = {}
        self._ids: dict[str, str] = {}
        self._created = 0
        self._groups: dict[str, MemoryGroup] = {}
        self._producer_epochs: dict[str, int] = {}
        self._next_fate: Fate | None = None
        self._transactions: dict[str, Transaction] = {}
        self._begun = 0

    # Topics

    def create(self, topic: str, partitions: int) -> None:
        """Create a topic; one that exists is left as it is."""
        with self.changed:
            if topic not in self._topics:
                self._created += 1
                self._ids[topic] = f"memory-{self._created}"
                self._topics[topic] = [MemoryLog() for _ in range(partitions)]

    def delete(self, topic: str) -> None:
        """Delete a topic; one that is created under its name afterwards is another one."""
        with self.changed:
            self._topics.pop(topic, None)

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
            log.entries.append(self._entry(record, timestamp_ms))
            self.changed.notify_all()
            return log.end - 1

    def read(self, topic: str, partition: int, offset: int, limit: int) -> tuple[list[tuple[int, Entry]], int]:
        """At most ``limit`` committed records from ``offset`` on with their offsets, and where to read on."""
        with self.changed:
            return self._log(topic, partition).read(offset, limit)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """First offset that is kept, and the end of what may be read: an open transaction holds it up."""
        with self.changed:
            log = self._log(topic, partition)
            return log.first, log.stable_end

    def end(self, topic: str, partition: int) -> int:
        """The end of the log, open transactions included."""
        with self.changed:
            return self._log(topic, partition).end

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """What retention does: records below ``offset`` are gone."""
        with self.changed:
            log = self._log(topic, partition)
            log.first = max(log.first, offset)

    # Transactions

    def init_transactions(self, transactional_id: str) -> int:
        """A new producer of this id; return its epoch. Older ones can no longer commit; what they left is ended."""
        with self.changed:
            self._end(transactional_id)
            epoch = self._producer_epochs.get(transactional_id, -1) + 1
            self._producer_epochs[transactional_id] = epoch
            return epoch

    def transact(self, producer: tuple[str, int], records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        """All of it or nothing of it; return the offset of every record. ``producer``: transactional id and epoch.

        Raises ``CommitFailed`` for a replaced producer or a member of an old generation.
        """
        with self.changed:
            fate, self._next_fate = self._next_fate, None
            transaction = self.prepare(producer, records, offsets)
            self.decide(transaction, fate or "committed")
        if fate:
            raise CommitFailed("outcome unknown")
        return transaction.record_offsets

    def prepare(self, producer: tuple[str, int], records: Sequence[Outgoing], offsets: Offsets | None) -> Transaction:
        """The first half of ``transact``: all is written and checked, and hidden until it is decided.

        A group's members are checked here and never again, as in Kafka: a rebalance before ``decide`` stops nothing.
        """
        transactional_id, epoch = producer
        with self.changed:
            if self._producer_epochs.get(transactional_id) == epoch:
                self._end(transactional_id)
            fenced = self._why_fenced(producer, offsets)
            transaction = self._write(transactional_id, records, offsets)
            if fenced:
                transaction.end()
                self.changed.notify_all()
                raise CommitFailed(fenced)
            self._transactions[transactional_id] = transaction
            return transaction

    def decide(self, transaction: Transaction, fate: Fate, late: Collection[str] = ()) -> None:
        """The second half of ``transact``. Raises ``CommitFailed`` when it was aborted meanwhile.

        ``late``: places (topics, ``OFFSETS``) whose markers are not written before the producer's next transaction,
        its successor, or ``end_transactions``.
        """
        with self.changed:
            if transaction.fate is not None:
                raise CommitFailed("the transaction was aborted by the broker")
            transaction.fate = fate
            for place in transaction.unmarked:
                if place not in late:
                    transaction.mark(place)
            self.changed.notify_all()

    def pending(self, group: str, topic: str) -> frozenset[int]:
        """Partitions whose committed offset waits for a transaction to end."""
        with self.changed:
            return frozenset[int]().union(*(t.pending(group, topic) for t in self._transactions.values()))

    def end_transactions(self, begun_before_ms: int) -> None:
        """What the broker does in time: whatever is undecided is aborted, and no marker is missing any more."""
        with self.changed:
            for transactional_id, transaction in list(self._transactions.items()):
                if transaction.begun_ms < begun_before_ms:
                    self._end(transactional_id)

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

    def _write(self, transactional_id: str, records: Sequence[Outgoing], offsets: Offsets | None) -> Transaction:
        logs = [self._log(record.topic, record.partition) for record in records]
        written = []
        for record, log in zip(records, logs, strict=True):
            written.append((record.topic, log, log.end, self._entry(record)))
            log.entries.append(None)
        self._begun += 1
        group = None if offsets is None else self.group(offsets.membership.group)
        return Transaction(self._begun, transactional_id, self._clock_ms(), written, offsets, group)

    def _end(self, transactional_id: str) -> None:
        transaction = self._transactions.pop(transactional_id, None)
        if transaction is not None:
            transaction.end()
            self.changed.notify_all()

    def _entry(self, record: Outgoing, timestamp_ms: int | None = None) -> Entry:
        at_ms = self._clock_ms() if timestamp_ms is None else timestamp_ms
        return Entry(at_ms, record.key, record.value, record.headers)

    def _log(self, topic: str, partition: int) -> MemoryLog:
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
