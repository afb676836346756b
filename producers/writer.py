"""The writer: how customer events and commands get into Kafka, without a transaction."""

from __future__ import annotations

from typing import Protocol

from producers.memory_broker import MemoryBroker
from producers.sink import Outgoing
from stream.contracts.partitioning import partition_of


class Writer(Protocol):
    """Writes records to the partition their key belongs to (murmur2). One instance is used by one thread."""

    def send(self, topic: str, key: bytes, value: bytes, timestamp_ms: int | None = None) -> None:
        """Write sooner or later, in order per key. ``timestamp_ms``: of the record, not of the event; default now.

        Raises ``BrokerUnavailable``, also for an earlier record that could not be written.
        """
        ...

    def flush(self) -> None:
        """Return when all that was sent is written. Raises ``BrokerUnavailable`` when some of it is not."""
        ...

    def close(self) -> None:
        """Release the connection; what was not flushed may be lost."""
        ...


class MemoryWriter:
    """``Writer`` on a ``MemoryBroker``; writes at once."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def send(self, topic: str, key: bytes, value: bytes, timestamp_ms: int | None = None) -> None:
        """See ``Writer``."""
        partition = partition_of(key, self._broker.partitions(topic))
        self._broker.append(Outgoing(topic, partition, key, value), timestamp_ms)

    def flush(self) -> None:
        """See ``Writer``."""

    def close(self) -> None:
        """See ``Writer``."""
