"""Reading from Kafka: as a member of a group (``KafkaSource``), and alone from a known offset (``KafkaTail``).

The guards below answer facts about kafka-python 3.0.12, each tested in tests/test_kafka_guards.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    CorruptRecordError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from kafka.structs import MemberState

from consumers.source import Poll, Record
from producers.kafka_client import NAMED_TWICE, client_config, connect, describe, milliseconds, translated
from producers.sink import Committed, Membership
from stream.errors import BadRecord, Disagreement, IncompleteJournal, SegstreamError, SettingsError
from stream.settings import KafkaSettings

CLOSE_MS = 3000
# What a restore or a slow store may take between two polls. Only a member that is stuck holds up a rebalance so long.
MAX_POLL_INTERVAL_SECONDS = 300.0
# Brokers look for expired transactions this often by default: a dead worker's offsets settle so much later.
EXPIRY_SCAN_SECONDS = 10.0
# How long a fetch may wait for data, and what a tail waits for it before it looks whether its position moved.
_TAIL_WAIT_MS = 50
_UNKNOWN = -1


class KafkaSource:
    """A member of a group on one topic; see ``consumers.source.Source``.

    Building it raises ``BrokerUnavailable``, also when there is no such topic, or ``SettingsError``.
    ``instance`` makes it a static member: who comes back under this name in time gets its partitions back.
    After every change of ``epoch`` all assigned partitions wait for ``seek`` again, also those that stayed.
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
        self._settled_ms = milliseconds(
            settings.transaction_timeout_seconds + EXPIRY_SCAN_SECONDS + settings.request_timeout_seconds
        )
        self._request_ms = milliseconds(settings.request_timeout_seconds)
        self._rebalanced = _Rebalanced()
        self._epoch = 0
        self._view: tuple[Membership, frozenset[int]] | None = None
        config = {**_group_config(settings, group, max_poll_interval_seconds), "group_instance_id": instance}
        with translated(f"join group '{group}'"):
            self._consumer = connect(KafkaConsumer, **config)
            try:
                self._consumer.subscribe([topic], listener=self._rebalanced)
                # K10: an answer about metadata that was under way makes the client forget to ask for the topic. It
                # would join and own nothing for minutes. This question is repeated until the topic is known.
                self._consumer.beginning_offsets([self._at(0)], timeout_ms=self._request_ms)
            except BaseException:
                self.close()
                raise

    def poll(self, timeout_seconds: float) -> Poll:
        """See ``Source``. Raises ``Disagreement`` when an offset is gone: deleted before it was read."""
        fetched = self._fetch(timeout_seconds)
        # K4: whatever happens to the membership from here on, a commit of this batch names the member that read it.
        membership, assigned = self._membership()
        if self._rebalanced.take() or (membership, assigned) != self._view:
            self._view = (membership, assigned)
            self._epoch += 1
            self._hold()
            return Poll(self._epoch, assigned, membership)
        return Poll(self._epoch, assigned, membership, {p: _records(batch) for p, batch in fetched.items()})

    def committed(self, partitions: Sequence[int]) -> dict[int, Committed | None]:
        """See ``Source``. Waits as long as a dead worker's transaction may stay open, then ``BrokerUnavailable``."""
        deadline = time.monotonic() + self._settled_ms / 1000
        with self._reading("read committed offsets"):
            return {p: self._committed(p, deadline) for p in partitions}

    def seek(self, partition: int, offset: int | None) -> None:
        """See ``Source``. A partition that was lost meanwhile is left alone: the next poll tells."""
        at = self._at(partition)
        if at not in self._consumer.assignment():
            return
        if offset is None:
            self._consumer.pause(at)
        else:
            self._consumer.seek(at, offset)
            _unpark(self._consumer, at)
            self._consumer.resume(at)

    def beginning(self, partitions: Sequence[int]) -> dict[int, int]:
        """See ``Source``."""
        with self._reading("read first offsets"):
            found = self._consumer.beginning_offsets([self._at(p) for p in partitions], timeout_ms=self._request_ms)
        return {at.partition: offset for at, offset in found.items()}

    def close(self) -> None:
        """See ``Source``."""
        with translated("leave the group"):
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _fetch(self, timeout_seconds: float) -> dict[int, list[Any]]:
        with self._reading("poll"):
            try:
                fetched = self._consumer.poll(timeout_ms=milliseconds(timeout_seconds))
            except NoOffsetForPartitionError:
                # A new assignment, of which nothing is committed yet. Where to begin is the caller's to say.
                return {}
        return {at.partition: records for at, records in fetched.items()}

    def _membership(self) -> tuple[Membership, frozenset[int]]:
        now = self._consumer.group_metadata()
        membership = Membership(now.group_id, now.generation_id, now.member_id, now.group_instance_id)
        # A join may go on on the IO thread between two polls: then the generation is new already and the assignment
        # still the old one. Only a stable member knows what is its own.
        if not membership.is_valid or now.state != MemberState.STABLE:
            return Membership(membership.group, -1, ""), frozenset()
        # K11: a static member whose place was taken is told so by a heartbeat, which then only stops beating.
        if membership.instance is not None and not self._consumer._coordinator._heartbeat_enabled:
            raise SettingsError(NAMED_TWICE)
        return membership, frozenset(at.partition for at in self._consumer.assignment())

    def _hold(self) -> None:
        """Pause everything until ``seek``. The position is a placeholder: without one every poll would ask for it."""
        for at in self._consumer.assignment():
            self._consumer.pause(at)
            self._consumer.seek(at, 0)

    def _committed(self, partition: int, deadline: float) -> Committed | None:
        remaining_ms = max(1, milliseconds(deadline - time.monotonic()))
        # read_committed makes this wait for pending offsets, even though the input topic has no transactions.
        found = self._consumer.committed(self._at(partition), metadata=True, timeout_ms=remaining_ms)
        return None if found is None else Committed(found.offset, found.metadata or "")

    def _at(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topic, partition)

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        with translated(f"{what} of '{self._topic}'"), _checked(Disagreement, self._topic):
            yield


class KafkaTail:
    """Reads single partitions outside of any group; see ``consumers.source.Tail``.

    All partitions read so far stay assigned, paused but for the one being read: going on where the last
    ``read`` of a partition stopped costs nothing, also when several are read in turn.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._request_ms = milliseconds(settings.request_timeout_seconds)
        self._next: dict[TopicPartition, int] = {}
        with translated("connect"):
            self._consumer = connect(KafkaConsumer, **_reader_config(settings), fetch_max_wait_ms=_TAIL_WAIT_MS)

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        """See ``Tail``. Raises ``IncompleteJournal`` when the broker does not have ``offset`` (any more)."""
        at = TopicPartition(topic, partition)
        deadline = time.monotonic() + timeout_seconds
        with translated(f"read '{topic}'"), _checked(IncompleteJournal, topic):
            self._turn_to(at, offset)
            self._next[at] = _UNKNOWN  # until this has gone well: what is raised on the way may have moved on
            while True:
                records = self._consumer.poll(timeout_ms=_slice_ms(deadline)).get(at, [])
                # The position also passes over markers and aborted records, of which poll() says nothing.
                after = self._consumer.position(at, timeout_ms=self._request_ms)
                if records or after > offset or time.monotonic() >= deadline:
                    self._next[at] = after
                    return _records(records), after

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """See ``Tail``. The embedded broker answers with the end of the log, open transactions included (DESIGN 9)."""
        at = TopicPartition(topic, partition)
        with translated(f"read offsets of '{topic}'"):
            first = self._consumer.beginning_offsets([at], timeout_ms=self._request_ms)[at]
            end = self._consumer.end_offsets([at], timeout_ms=self._request_ms)[at]
        return first, end

    def close(self) -> None:
        """See ``Tail``."""
        with translated("disconnect"):
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _turn_to(self, at: TopicPartition, offset: int) -> None:
        if at not in self._next:
            self._consumer.assign([*self._next, at])
        if self._next.get(at) != offset:
            self._consumer.seek(at, offset)
            self._next[at] = offset
        self._consumer.pause(*(other for other in self._next if other != at))
        _unpark(self._consumer, at)
        self._consumer.resume(at)


def _unpark(consumer: KafkaConsumer, at: TopicPartition) -> None:
    """K12: forget what was fetched of a paused partition; its position is where nothing was handed out yet.

    The client parks such records, takes them back only in a state that never returns once another partition was read,
    and fetches nothing while they are parked: the partition is never read again, without a word.
    """
    consumer._fetcher._paused_partition_records.pop(at, None)
    consumer._fetcher._paused_completed_fetches.pop(at, None)


class _Rebalanced(ConsumerRebalanceListener):  # type: ignore[misc]
    """Remembers that something happened, and nothing more.

    Callbacks run on the IO thread: blocking there stops heartbeats, and calling the consumer from there raises.
    """

    def __init__(self) -> None:
        self._happened = threading.Event()

    def take(self) -> bool:
        """Whether anything happened since the last call."""
        happened = self._happened.is_set()
        self._happened.clear()
        return happened

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._happened.set()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._happened.set()

    def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        self._happened.set()


def _reader_config(settings: KafkaSettings) -> Mapping[str, Any]:
    return {
        **client_config(settings),
        "isolation_level": "read_committed",
        # "latest", the default, skips what retention deleted or what came before us without a word.
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        "allow_auto_create_topics": False,
        "check_crcs": True,
        # No deserialisers: one that raises does so for ever, at the same offset.
        "max_poll_records": settings.max_poll_records,
    }


def _group_config(settings: KafkaSettings, group: str, max_poll_interval_seconds: float) -> Mapping[str, Any]:
    session_ms = milliseconds(settings.session_timeout_seconds)
    return {
        **_reader_config(settings),
        "group_id": group,
        "session_timeout_ms": session_ms,
        "heartbeat_interval_ms": min(3000, session_ms // 4),
        "max_poll_interval_ms": milliseconds(max_poll_interval_seconds),
        # Eager: who must give up a partition has stopped before the next owner starts. The cooperative one is new.
        "partition_assignment_strategy": (RangePartitionAssignor,),
        "fetch_max_wait_ms": milliseconds(settings.poll_timeout_seconds),
    }


@contextmanager
def _checked(gone: type[SegstreamError], topic: str) -> Iterator[None]:
    """Errors that no waiting mends: a person must look. Never skipped over."""
    try:
        yield
    except (OffsetOutOfRangeError, LogTruncationError) as error:
        raise gone(f"'{topic}' does not have the offset to read from: {describe(error)}") from error
    except CorruptRecordError as error:
        raise BadRecord(f"'{topic}' has a damaged record: {describe(error)}") from error


def _slice_ms(deadline: float) -> int:
    return min(_TAIL_WAIT_MS, max(0, milliseconds(deadline - time.monotonic())))


def _records(fetched: Sequence[Any]) -> list[Record]:
    return [Record(r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in fetched]
