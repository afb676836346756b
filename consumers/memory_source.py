"""Reading from the in-memory broker: the twins of ``KafkaSource`` and ``KafkaTail``."""

from __future__ import annotations

import time
from collections.abc import Sequence

from consumers.source import Poll, Record
from producers.memory_broker import MemoryBroker
from producers.memory_log import Entry
from producers.sink import Committed, Membership
from stream.errors import BrokerUnavailable, Disagreement, IncompleteJournal


class MemorySource:
    """A member of a group on one topic; see ``consumers.source.Source``. Joins at its first poll."""

    def __init__(self, broker: MemoryBroker, topic: str, group: str, max_poll_records: int = 2000) -> None:
        self._broker = broker
        self._topic = topic
        self._group = broker.group(group)
        self._limit = max_poll_records
        self._member = ""
        self._epoch = 0
        self._view = (self._group.membership(""), frozenset[int]())
        self._at: dict[int, int] = {}

    def poll(self, timeout_seconds: float) -> Poll:
        """See ``Source``. Raises ``Disagreement`` when an offset is gone."""
        with self._broker.changed:
            membership, assigned = self._look()
            if (membership, assigned) != self._view:
                self._view = (membership, assigned)
                self._epoch += 1
                self._at.clear()
                return Poll(self._epoch, assigned, membership)
            self._broker.changed.wait_for(lambda: self._look() != self._view or self._has_records(), timeout_seconds)
            records = self._take() if self._look() == self._view else {}
            return Poll(self._epoch, assigned, membership, records)

    def committed(self, partitions: Sequence[int]) -> dict[int, Committed | None]:
        """See ``Source``. Does not wait for a pending transaction: ``BrokerUnavailable`` at once."""
        with self._broker.changed:
            if pending := self._broker.pending(self._group.name, self._topic).intersection(partitions):
                raise BrokerUnavailable(f"a transaction on partitions {sorted(pending)} of '{self._topic}' is open")
            found = self._group.committed(self._topic)
            return {p: found.get(p) for p in partitions}

    def seek(self, partition: int, offset: int | None) -> None:
        """See ``Source``."""
        if offset is None:
            self._at.pop(partition, None)
        elif partition in self._view[1]:
            self._at[partition] = offset

    def beginning(self, partitions: Sequence[int]) -> dict[int, int]:
        """See ``Source``."""
        return {p: self._broker.bounds(self._topic, p)[0] for p in partitions}

    def close(self) -> None:
        """See ``Source``."""
        with self._broker.changed:
            self._group.expel(self._member)
            self._broker.changed.notify_all()

    def _look(self) -> tuple[Membership, frozenset[int]]:
        """Membership and assignment as they are now. A member that was expelled sees so once, then joins anew."""
        if not self._group.membership(self._member).is_valid and not self._view[0].is_valid:
            self._member = self._group.join(self._topic)
        share = self._group.share(self._member, self._broker.partitions(self._topic))
        return self._group.membership(self._member), share

    def _has_records(self) -> bool:
        return any(offset < self._broker.bounds(self._topic, p)[1] for p, offset in self._at.items())

    def _take(self) -> dict[int, list[Record]]:
        records: dict[int, list[Record]] = {}
        room = self._limit
        for partition, offset in self._at.items():
            if not self._broker.bounds(self._topic, partition)[0] <= offset <= self._broker.end(self._topic, partition):
                raise Disagreement(f"'{self._topic}' does not have offset {offset} of partition {partition}")
            found, self._at[partition] = self._broker.read(self._topic, partition, offset, room)
            room -= len(found)
            if found:
                records[partition] = _records(partition, found)
        return records


class MemoryTail:
    """Reads single partitions; see ``consumers.source.Tail``."""

    def __init__(self, broker: MemoryBroker, limit: int = 2000) -> None:
        self._broker = broker
        self._limit = limit

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        """See ``Tail``. Raises ``IncompleteJournal`` when the broker does not have ``offset`` (any more)."""
        deadline = time.monotonic() + timeout_seconds
        with self._broker.changed:
            if not self._broker.bounds(topic, partition)[0] <= offset <= self._broker.end(topic, partition):
                raise IncompleteJournal(f"'{topic}' does not have offset {offset} of partition {partition}")
            while self._broker.bounds(topic, partition)[1] <= offset:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._broker.changed.wait(remaining):
                    break
            found, next_ = self._broker.read(topic, partition, offset, self._limit)
            return _records(partition, found), next_

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """See ``Tail``."""
        return self._broker.bounds(topic, partition)

    def close(self) -> None:
        """See ``Tail``."""


def _records(partition: int, found: Sequence[tuple[int, Entry]]) -> list[Record]:
    return [Record(partition, offset, e.timestamp_ms, e.key, e.value, e.headers) for offset, e in found]
