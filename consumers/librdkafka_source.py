"""Reading as a member of a group, on librdkafka. See ``consumers.kafka_source`` for the same on kafka-python."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumers.kafka_source import EXPIRY_SCAN_SECONDS, MAX_POLL_INTERVAL_SECONDS
from consumers.librdkafka_reading import checked, reader_config, records_of, take
from consumers.source import Poll, Record
from producers.kafka_client import milliseconds
from producers.librdkafka_client import Background, built, hear, translated
from producers.librdkafka_membership import read_membership
from producers.sink import Committed, Membership
from stream.errors import Disagreement
from stream.settings import KafkaSettings

_NOT_YET = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.LEADER_NOT_AVAILABLE})
_RETRY_SECONDS = 0.05
# Said of a poll, and no reason to stop: the membership tells what came of it.
_HARMLESS = frozenset({KafkaError._MAX_POLL_EXCEEDED})


class LibrdkafkaSource:
    """A member of a group on one topic; see ``consumers.source.Source``.

    Building it raises ``BrokerUnavailable``, also when there is no such topic, or ``SettingsError``.
    After every change of ``epoch`` all assigned partitions wait for ``seek`` again, also those that stayed.

    librdkafka is told to read only what was sought: ``_next`` is its assignment, a part of what the group gave us.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        group: str,
        instance: str | None = None,
        max_poll_interval_seconds: float = MAX_POLL_INTERVAL_SECONDS,
    ) -> None:
        self._topic = topic
        self._limit = settings.max_poll_records
        self._request_seconds = settings.request_timeout_seconds
        self._settled_seconds = (
            settings.transaction_timeout_seconds + EXPIRY_SCAN_SECONDS + settings.request_timeout_seconds
        )
        self._owned: frozenset[int] | None = None  # None: between two assignments
        self._next: dict[int, int] = {}
        self._in_step = False  # whether librdkafka goes on at _next
        self._rebalanced = False
        self._epoch = 0
        self._view: tuple[Membership, frozenset[int]] | None = None
        self._background = Background()
        with translated(f"join group '{group}'", self._background):
            config = _group_config(settings, group, max_poll_interval_seconds, self._background)
            if instance is not None:
                config["group.instance.id"] = instance
            self._consumer = built(Consumer, config)
            try:
                self._await_topic()
                self._consumer.subscribe(
                    [topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
                )
            except BaseException:
                hear(self._consumer.poll, self._background)
                self._consumer.close()
                raise

    def poll(self, timeout_seconds: float) -> Poll:
        """See ``Source``. Raises ``Disagreement`` when an offset is gone: deleted before it was read."""
        with self._reading("poll"):
            self._fall_in_step()
            # Until its records are handed over, librdkafka is ahead of us: after an error they are read again.
            self._in_step = False
            fetched = self._fetch(timeout_seconds)
            # Whatever happens to the membership from here on, a commit of this batch names the member that read it.
            membership, assigned = self._membership()
        if self._rebalanced or (membership, assigned) != self._view:
            self._rebalanced, self._view = False, (membership, assigned)
            self._epoch += 1
            self._next.clear()
            return Poll(self._epoch, assigned, membership)
        self._next.update({partition: records[-1].offset + 1 for partition, records in fetched.items()})
        self._in_step = True
        return Poll(self._epoch, assigned, membership, fetched)

    def committed(self, partitions: Sequence[int]) -> dict[int, Committed | None]:
        """See ``Source``. Waits as long as a dead worker's transaction may stay open, then ``BrokerUnavailable``."""
        with self._reading("read committed offsets"):
            # read_committed makes this wait for pending offsets, even though the input topic has no transactions.
            found = self._consumer.committed([self._at(p) for p in partitions], timeout=self._settled_seconds)
            return {at.partition: _committed(at) for at in found}

    def seek(self, partition: int, offset: int | None) -> None:
        """See ``Source``. A partition that was lost meanwhile is left alone: the next poll tells."""
        if offset is None:
            self._in_step = self._next.pop(partition, None) is None and self._in_step
        elif partition in (self._owned or ()):
            self._next[partition] = offset
            self._in_step = False

    def beginning(self, partitions: Sequence[int]) -> dict[int, int]:
        """See ``Source``."""
        with self._reading("read first offsets"):
            return {
                p: self._consumer.get_watermark_offsets(self._at(p), timeout=self._request_seconds)[0]
                for p in partitions
            }

    def close(self) -> None:
        """See ``Source``."""
        with translated("leave the group", self._background):
            self._consumer.close()

    def _await_topic(self) -> None:
        """A topic that was made a moment ago may not be known to every broker yet."""
        deadline = time.monotonic() + self._request_seconds
        while True:
            found = self._consumer.list_topics(self._topic, timeout=self._request_seconds).topics[self._topic]
            if found.error is None:
                return
            if found.error.code() not in _NOT_YET or time.monotonic() >= deadline:
                raise KafkaException(found.error)
            time.sleep(_RETRY_SECONDS)

    def _fall_in_step(self) -> None:
        if not self._in_step and self._owned is not None:
            self._consumer.assign([self._at(p, offset) for p, offset in self._next.items()])

    def _fetch(self, timeout_seconds: float) -> dict[int, list[Record]]:
        messages = take(self._consumer, self._limit, timeout_seconds)
        for message in messages:
            error = message.error()
            if error is not None and error.code() not in _HARMLESS:
                raise KafkaException(error)
        fetched: dict[int, list[Record]] = {}
        for record in records_of(messages):
            fetched.setdefault(record.partition, []).append(record)
        return fetched

    def _membership(self) -> tuple[Membership, frozenset[int]]:
        membership = read_membership(self._consumer.consumer_group_metadata())
        # While a join is under way the generation may be new already. Only a stable member knows what is its own.
        if not membership.is_valid or self._owned is None:
            return Membership(membership.group, -1, ""), frozenset()
        return membership, self._owned

    # librdkafka calls these two from within poll(), on our own thread, and waits for the assignment they make.

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        self._rebalanced, self._owned = True, frozenset(at.partition for at in assigned)
        self._next.clear()
        consumer.assign([])

    def _on_revoke(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        self._rebalanced, self._owned = True, None
        self._next.clear()
        consumer.unassign()

    def _at(self, partition: int, offset: int = 0) -> TopicPartition:
        return TopicPartition(self._topic, partition, offset)

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        with translated(f"{what} of '{self._topic}'", self._background), checked(Disagreement, self._topic):
            yield


def _group_config(
    settings: KafkaSettings, group: str, max_poll_interval_seconds: float, background: Background
) -> dict[str, Any]:
    session_ms = milliseconds(settings.session_timeout_seconds)
    return {
        **reader_config(settings, background),
        "group.id": group,
        # Generations, by which a zombie is fenced, and the assignor, which is ours to choose, are the classic one's.
        "group.protocol": "classic",
        "session.timeout.ms": session_ms,
        "heartbeat.interval.ms": min(3000, session_ms // 4),
        "max.poll.interval.ms": milliseconds(max_poll_interval_seconds),
        # Eager: who must give up a partition has stopped before the next owner starts.
        "partition.assignment.strategy": "range",
        "fetch.wait.max.ms": milliseconds(settings.poll_timeout_seconds),
    }


def _committed(at: TopicPartition) -> Committed | None:
    if at.error is not None:
        raise KafkaException(at.error)
    return None if at.offset < 0 else Committed(at.offset, at.metadata or "")
