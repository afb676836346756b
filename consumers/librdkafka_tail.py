"""Reading single partitions outside of any group, on librdkafka."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.librdkafka_reading import checked, reader_config, records_of, take
from consumers.source import Record
from producers.librdkafka_client import Background, built, error_of, hear, translated
from stream.errors import IncompleteJournal
from stream.settings import KafkaSettings

# How long a fetch may wait for data. An end of partition is reported by a fetch that found none.
_FETCH_WAIT_MS = 50
# The least that a read waits after it turned to another partition or offset: less, and several partitions that are
# read in turn without waiting would all stand still.
_TURN_SECONDS = 0.2
_LEADERLESS = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


class LibrdkafkaTail:
    """Reads one partition after the other; see ``consumers.source.Tail``.

    Going on where the last ``read`` stopped costs nothing; turning to another partition costs a fetch.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._limit = settings.max_poll_records
        self._request_seconds = settings.request_timeout_seconds
        self._background = Background()
        self._at: tuple[str, int, int] | None = None
        with translated("connect", self._background):
            config = reader_config(settings, self._background)
            # librdkafka wants a group of every consumer. This one never joins; our group's name needs no new rights.
            config |= {"group.id": settings.group, "enable.partition.eof": True, "fetch.wait.max.ms": _FETCH_WAIT_MS}
            self._consumer = built(Consumer, config)
            try:
                self._consumer.cluster_id(self._request_seconds)
            except BaseException:
                hear(self._consumer.poll, self._background)
                self._consumer.close()
                raise

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        """See ``Tail``. Raises ``IncompleteJournal`` when the broker does not have ``offset`` (any more)."""
        with translated(f"read '{topic}'", self._background), checked(IncompleteJournal, topic):
            turned = self._at != (topic, partition, offset)
            deadline = time.monotonic() + (max(timeout_seconds, _TURN_SECONDS) if turned else timeout_seconds)
            self._at = None  # an error below leaves librdkafka somewhere ahead of us
            if turned:
                self._consumer.assign([TopicPartition(topic, partition, offset)])
            while True:
                messages = take(self._consumer, self._limit, max(0.0, deadline - time.monotonic()))
                records, next_ = list(records_of(messages)), _after(messages, offset)
                if next_ > offset or time.monotonic() >= deadline:
                    self._at = (topic, partition, next_)
                    return records, next_

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """See ``Tail``."""
        with translated(f"read offsets of '{topic}'", self._background):
            return self._watermarks(TopicPartition(topic, partition))

    def _watermarks(self, at: TopicPartition) -> tuple[int, int]:
        """Asked again while the partition has no leader yet, or another one: this is the one request that librdkafka
        does not repeat by itself.
        """
        deadline = time.monotonic() + self._request_seconds
        while True:
            try:
                first, end = self._consumer.get_watermark_offsets(at, timeout=self._request_seconds)
                return first, end
            except KafkaException as error:
                if error_of(error).code() not in _LEADERLESS or time.monotonic() >= deadline:
                    raise
                self._consumer.list_topics(at.topic, timeout=self._request_seconds)

    def close(self) -> None:
        """See ``Tail``."""
        with translated("disconnect", self._background):
            self._consumer.close()


def _after(messages: list[Message], offset: int) -> int:
    """Where to read on. Markers and aborted records come as no message: only the end of the partition tells of them."""
    for message in messages:
        error, at = message.error(), message.offset()
        if error is None:
            offset = (at or 0) + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            offset = max(offset, at or 0)
        else:
            raise KafkaException(error)
    return offset
