"""Reading as a member of a group, on kafka-python.

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
from kafka.errors import NoOffsetForPartitionError
from kafka.structs import MemberState

from consumers.kafka_reading import CLOSE_MS, checked, reader_config, records_of, unpark
from consumers.source import Poll
from producers.kafka_client import NAMED_TWICE, connect, milliseconds, translated
from producers.kafka_network import Background
from producers.sink import Committed, Membership
from stream.errors import Disagreement, SettingsError
from stream.settings import KafkaSettings

# What a restore or a slow store may take between two polls. Only a member that is stuck holds up a rebalance so long.
MAX_POLL_INTERVAL_SECONDS = 300.0
# Brokers look for expired transactions this often by default: a dead worker's offsets settle so much later.
EXPIRY_SCAN_SECONDS = 10.0


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
        self._background = Background()
        self._epoch = 0
        self._view: tuple[Membership, frozenset[int]] | None = None
        config = {**_group_config(settings, group, max_poll_interval_seconds), "group_instance_id": instance}
        with translated(f"join group '{group}'", self._background):
            self._consumer = connect(KafkaConsumer, self._background, **config)
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
        return Poll(self._epoch, assigned, membership, {p: records_of(batch) for p, batch in fetched.items()})

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
            unpark(self._consumer, at)
            self._consumer.resume(at)

    def beginning(self, partitions: Sequence[int]) -> dict[int, int]:
        """See ``Source``."""
        with self._reading("read first offsets"):
            found = self._consumer.beginning_offsets([self._at(p) for p in partitions], timeout_ms=self._request_ms)
        return {at.partition: offset for at, offset in found.items()}

    def close(self) -> None:
        """See ``Source``."""
        with translated("leave the group", self._background):
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
        with translated(f"{what} of '{self._topic}'", self._background), checked(Disagreement, self._topic):
            yield


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


def _group_config(settings: KafkaSettings, group: str, max_poll_interval_seconds: float) -> Mapping[str, Any]:
    session_ms = milliseconds(settings.session_timeout_seconds)
    return {
        **reader_config(settings),
        "group_id": group,
        "session_timeout_ms": session_ms,
        "heartbeat_interval_ms": min(3000, session_ms // 4),
        "max_poll_interval_ms": milliseconds(max_poll_interval_seconds),
        # Eager: who must give up a partition has stopped before the next owner starts. The cooperative one is new.
        "partition_assignment_strategy": (RangePartitionAssignor,),
        "fetch_max_wait_ms": milliseconds(settings.poll_timeout_seconds),
    }
