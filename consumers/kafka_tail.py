"""Reading single partitions outside of any group, from known offsets, on kafka-python."""

from __future__ import annotations

import time

from kafka import KafkaConsumer, TopicPartition

from consumers.kafka_reading import CLOSE_MS, checked, reader_config, records_of, unpark
from consumers.source import Record
from producers.kafka_client import connect, milliseconds, translated
from producers.kafka_network import Background
from stream.errors import IncompleteJournal
from stream.settings import KafkaSettings

# How long a fetch may wait for data, and what a tail waits for it before it looks whether its position moved.
_WAIT_MS = 50
_UNKNOWN = -1


class KafkaTail:
    """Reads single partitions outside of any group; see ``consumers.source.Tail``.

    All partitions read so far stay assigned, paused but for the one being read: going on where the last
    ``read`` of a partition stopped costs nothing, also when several are read in turn.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._request_ms = milliseconds(settings.request_timeout_seconds)
        self._background = Background()
        self._next: dict[TopicPartition, int] = {}
        with translated("connect", self._background):
            config = {**reader_config(settings), "fetch_max_wait_ms": _WAIT_MS}
            self._consumer = connect(KafkaConsumer, self._background, **config)

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        """See ``Tail``. Raises ``IncompleteJournal`` when the broker does not have ``offset`` (any more)."""
        at = TopicPartition(topic, partition)
        deadline = time.monotonic() + timeout_seconds
        with translated(f"read '{topic}'", self._background), checked(IncompleteJournal, topic):
            self._turn_to(at, offset)
            self._next[at] = _UNKNOWN  # until this has gone well: what is raised on the way may have moved on
            while True:
                records = self._consumer.poll(timeout_ms=_slice_ms(deadline)).get(at, [])
                # The position also passes over markers and aborted records, of which poll() says nothing.
                after = self._consumer.position(at, timeout_ms=self._request_ms)
                if records or after > offset or time.monotonic() >= deadline:
                    self._next[at] = after
                    return records_of(records), after

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """See ``Tail``. The embedded broker answers with the end of the log, open transactions included (DESIGN 9)."""
        at = TopicPartition(topic, partition)
        with translated(f"read offsets of '{topic}'", self._background):
            first = self._consumer.beginning_offsets([at], timeout_ms=self._request_ms)[at]
            end = self._consumer.end_offsets([at], timeout_ms=self._request_ms)[at]
        return first, end

    def close(self) -> None:
        """See ``Tail``."""
        with translated("disconnect", self._background):
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _turn_to(self, at: TopicPartition, offset: int) -> None:
        if at not in self._next:
            self._consumer.assign([*self._next, at])
        if self._next.get(at) != offset:
            self._consumer.seek(at, offset)
            self._next[at] = offset
        self._consumer.pause(*(other for other in self._next if other != at))
        unpark(self._consumer, at)
        self._consumer.resume(at)


def _slice_ms(deadline: float) -> int:
    return min(_WAIT_MS, max(0, milliseconds(deadline - time.monotonic())))
