"""What librdkafka 2.16 does otherwise than kafka-python, and the guard against it; see tests/test_kafka_guards.py."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import kafka.errors
import pytest
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumers.embedded import EmbeddedBroker
from consumers.librdkafka_source import LibrdkafkaSource
from consumers.librdkafka_tail import LibrdkafkaTail
from consumers.source import Record
from producers.librdkafka_membership import read_membership
from producers.librdkafka_sink import LibrdkafkaSink, _Deliveries
from producers.sink import Committed, Offsets, Outgoing
from producers.watchdog import Watchdog
from stream.errors import BrokerUnavailable, CommitFailed
from tests import servers
from tests.brokers import Broker, KafkaKit, add_offset, eventually, fresh, joined, read_to, taken, transactional


@pytest.fixture
def apache(apache_kafka: Broker) -> Iterator[KafkaKit]:
    kit = KafkaKit(apache_kafka, "librdkafka")
    yield kit
    kit.close()


@pytest.fixture
def stoppable() -> Iterator[EmbeddedBroker]:
    """A broker of one's own, to be halted with SIGSTOP."""
    with servers.embedded_broker() as broker:
        yield broker


class TestAnExpiredMember:
    def test_cannot_commit_what_it_polled_and_owns_nothing_until_it_joins_again(self, apache: KafkaKit) -> None:
        topic = fresh("t")
        apache.create(topic)
        sink = apache.sink(fresh("slot"))
        settings = apache.settings.model_copy(update={"session_timeout_seconds": 1.0})
        source = LibrdkafkaSource(settings, topic, fresh("group"), max_poll_interval_seconds=1.0)
        polled = joined(source, {0})

        eventually(lambda: None if _is_member(source) else True, "the poll interval to expire")
        with pytest.raises(CommitFailed):
            sink.commit([], Offsets(topic, {0: 5}, polled.membership))

        expired = source.poll(0.0)
        assert expired.epoch > polled.epoch
        assert expired.membership.is_valid == bool(expired.assigned) is False
        assert joined(source, {0}).membership.member != polled.membership.member
        assert source.committed([0]) == {0: None}
        source.close()

    def test_that_expires_after_it_fetched_delivers_nothing(self, apache: KafkaKit) -> None:
        """It learns of its loss with the next poll; what it fetched is somebody else's already."""
        topic = fresh("t")
        apache.create(topic)
        settings = apache.settings.model_copy(update={"session_timeout_seconds": 1.0})
        source = _Slow(settings, topic, fresh("group"), max_poll_interval_seconds=1.0)
        before = joined(source, {0})
        apache.sink(fresh("slot")).commit([Outgoing(topic, 0, None, b"x")], None)

        source.is_slow = True
        poll = eventually(lambda: p if (p := source.poll(0.1)).epoch != before.epoch else None, "a new epoch")

        assert (poll.count, poll.assigned, poll.membership.is_valid) == (0, frozenset(), False)
        source.close()

    def test_that_was_told_to_give_up_its_partitions_owns_nothing(self, apache: KafkaKit) -> None:
        topic = fresh("t")
        apache.create(topic)
        source = LibrdkafkaSource(apache.settings, topic, fresh("group"))
        before = joined(source, {0})
        source._on_revoke(source._consumer, [])
        poll = source.poll(0.0)
        assert poll.epoch > before.epoch
        assert (poll.assigned, poll.membership.is_valid) == (frozenset(), False)
        source.close()


class TestWhatWasFetchedBeforeAnError:
    def test_is_delivered_after_it(self, apache: KafkaKit) -> None:
        """librdkafka goes on behind what it once handed over."""
        topic = fresh("t")
        apache.create(topic)
        sink, source = apache.sink(fresh("slot")), _Stumbling(apache.settings, topic, fresh("group"))
        joined(source, {0})
        sink.commit([Outgoing(topic, 0, None, b"1")], None)
        assert [record.value for record in taken(source, 1)] == [b"1"]
        sink.commit([Outgoing(topic, 0, None, b"2")], None)

        source.stumbles = True
        with pytest.raises(BrokerUnavailable, match="stumbled"):
            taken(source, 1)

        assert [record.value for record in taken(source, 1)] == [b"2"]
        source.close()


class TestOffsetsInDoubt:
    def test_a_new_owner_waits_for_pending_offsets(self, apache: KafkaKit) -> None:
        topic, group = fresh("t"), fresh("group")
        apache.create(topic)
        source = apache.source(topic, group)
        member = joined(source, {0}).membership
        producer = transactional(apache, fresh("slot"))
        add_offset(producer, topic, 42, member)

        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(source.committed, [0])
            with pytest.raises(TimeoutError):
                waiting.result(1.5)
            producer.commit_transaction()
            assert waiting.result(10) == {0: Committed(42)}

    def test_a_successor_in_the_slot_settles_what_a_dead_worker_left_open(self, apache: KafkaKit) -> None:
        topic, group, slot = fresh("t"), fresh("group"), fresh("slot")
        apache.create(topic)
        source = apache.source(topic, group)
        member = joined(source, {0}).membership
        dead = transactional(apache, slot)
        dead.send(topic, b"lost", partition=0)
        add_offset(dead, topic, 42, member)

        sink = apache.sink(slot)

        with ThreadPoolExecutor(1) as thread:  # the dead one's transaction has a minute to go
            assert thread.submit(source.committed, [0]).result(10) == {0: None}
        (offset,) = sink.commit([Outgoing(topic, 0, None, b"kept")], None)
        assert [r.value for r in read_to(apache.tail(), topic, 0, offset + 1)] == [b"kept"]
        with pytest.raises(kafka.errors.KafkaError):
            dead.commit_transaction()

    def test_an_open_transaction_is_the_end_of_what_can_be_read(self, apache: KafkaKit) -> None:
        topic = fresh("t")
        apache.create(topic)
        (offset,) = apache.sink(fresh("slot")).commit([Outgoing(topic, 0, None, b"x")], None)
        dead = transactional(apache, fresh("slot"))
        dead.send(topic, b"open", partition=0)
        dead.flush(5)
        tail = apache.tail()
        eventually(lambda: True if tail.bounds(topic, 0)[1] > offset + 1 else None, "the marker")
        assert tail.bounds(topic, 0) == (0, offset + 2)
        assert [record.value for record in read_to(tail, topic, 0, offset + 2)] == [b"x"]
        assert tail.read(topic, 0, offset + 2, 0.3) == ([], offset + 2)


class TestDeliveries:
    """A record that was sent twice for a lost answer is "written", at an offset that nobody knows."""

    def test_offsets_come_in_the_order_of_the_records(self) -> None:
        deliveries = _Deliveries(2)
        deliveries.of(1)(None, Message(offset=8))
        deliveries.of(0)(None, Message(offset=3))
        assert deliveries.offsets() == [3, 8]

    @pytest.mark.parametrize("offset", [-1, -1001])
    def test_a_record_without_an_offset_is_no_commit(self, offset: int) -> None:
        deliveries = _Deliveries(2)
        deliveries.of(0)(None, Message(offset=3))
        deliveries.of(1)(None, Message(offset=offset))
        with pytest.raises(KafkaException, match="1 records without"):
            deliveries.offsets()

    def test_an_undelivered_record_is_no_commit(self) -> None:
        with pytest.raises(KafkaException, match="2 records without"):
            _Deliveries(2).offsets()

    def test_the_first_error_is_told(self) -> None:
        deliveries = _Deliveries(2)
        deliveries.of(0)(KafkaError(KafkaError._MSG_TIMED_OUT, "first"), Message(offset=-1001))
        deliveries.of(1)(KafkaError(KafkaError._PURGE_QUEUE, "second"), Message(offset=-1001))
        with pytest.raises(KafkaException, match="first"):
            deliveries.offsets()


class TestAProducerThatFailed:
    def test_is_gone_at_once_while_its_error_is_still_looked_at(self, apache: KafkaKit) -> None:
        """Nothing may hold it but the sink, and errors hold the local variables of whoever raised them."""
        topic = fresh("t")
        apache.create(topic)
        before = _producers()
        sink = LibrdkafkaSink(apache.settings, fresh("slot"), Watchdog(60))
        with pytest.raises(CommitFailed) as caught:
            sink.commit([Outgoing(topic, 99, None, b"x")], None)
        assert _producers() == before + 1
        sink.close()
        assert _producers() == before
        assert caught.value.__cause__ is not None

    def test_comes_back_from_a_halted_broker_and_the_sink_works_again_when_the_broker_does(
        self, stoppable: EmbeddedBroker
    ) -> None:
        broker = Broker("embedded", stoppable.bootstrap_servers)
        kit = KafkaKit(broker, "librdkafka")
        topic = fresh("t")
        kit.create(topic)
        member = joined(kit.source(topic, fresh("group")), {0}).membership
        settings = broker.kafka(request_timeout_seconds=0.5, transaction_timeout_seconds=1.0)
        sink = LibrdkafkaSink(settings, fresh("slot"), Watchdog(60))
        sink.commit([Outgoing(topic, 0, None, b"1")], None)
        os.kill(_pid(stoppable), signal.SIGSTOP)
        try:
            for records in ([Outgoing(topic, 0, None, b"in doubt")], []):
                started = time.monotonic()
                with pytest.raises(BrokerUnavailable):
                    sink.commit(records, Offsets(topic, {0: 1}, member))
                assert time.monotonic() - started < 10
        finally:
            os.kill(_pid(stoppable), signal.SIGCONT)

        (offset,) = sink.commit([Outgoing(topic, 0, None, b"2")], None)
        assert read_to(kit.tail(), topic, 0, offset + 1, offset)[0].value == b"2"
        sink.close()
        kit.close()


def test_a_topic_that_does_not_exist_is_an_error_from_the_start(apache_kafka: Broker) -> None:
    settings = apache_kafka.kafka(request_timeout_seconds=0.5)
    with pytest.raises(BrokerUnavailable, match="cannot join group"):
        LibrdkafkaSource(settings, fresh("nowhere"), fresh("group"))


def test_partitions_that_are_read_in_turn_without_waiting_do_not_stand_still(apache: KafkaKit) -> None:
    """Each turn throws away what was under way, so each must wait for a fetch of its own."""
    topic = fresh("t")
    apache.create(topic, 2)
    apache.sink(fresh("slot")).commit([Outgoing(topic, n % 2, None, b"%d" % n) for n in range(10)], None)
    tail = LibrdkafkaTail(apache.settings)
    found = [record.value for partition in (0, 1) for record in tail.read(topic, partition, 0, 0.0)[0]]
    assert sorted(value for value in found if value is not None) == [b"%d" % n for n in range(10)]
    tail.close()


class _Stumbling(LibrdkafkaSource):
    """A source that raises once when it is told to, after it has fetched records."""

    stumbles = False

    def _fetch(self, timeout_seconds: float) -> dict[int, list[Record]]:
        fetched = super()._fetch(timeout_seconds)
        if fetched and self.stumbles:
            self.stumbles = False
            raise BrokerUnavailable("stumbled")
        return fetched


class _Slow(LibrdkafkaSource):
    """A source that expires, when it is told to, right after it has fetched records."""

    is_slow = False

    def _fetch(self, timeout_seconds: float) -> dict[int, list[Record]]:
        fetched = super()._fetch(timeout_seconds)
        if fetched and self.is_slow:
            eventually(lambda: None if _is_member(self) else True, "the poll interval to expire")
        return fetched


def _producers() -> int:
    """How many there are in this process; one that is freed has ended."""
    return sum(type(kept) is Producer for kept in gc.get_objects())


def _is_member(source: LibrdkafkaSource) -> bool:
    return read_membership(source._consumer.consumer_group_metadata()).is_valid


def _pid(broker: EmbeddedBroker) -> int:
    assert broker.pid is not None
    return broker.pid


class _FencedBetween(list[Outgoing]):
    """Another worker of the same slot starts while the first half is on its way."""

    def __init__(self, records: list[Outgoing], kit: KafkaKit, slot: str) -> None:
        super().__init__(records)
        self._kit, self._slot = kit, slot

    def __iter__(self) -> Iterator[Outgoing]:
        for number in range(len(self)):
            if number == len(self) // 2:
                self._kit.sink(self._slot)
            yield self[number]


def test_fenced_while_it_writes_is_a_failed_commit(apache: KafkaKit) -> None:
    """confluent-kafka calls back with the fatal error already raised, and that is a SystemError."""
    topic, slot = fresh("t"), fresh("slot")
    apache.create(topic)
    sink = LibrdkafkaSink(apache.settings, slot, Watchdog(60))
    with pytest.raises(CommitFailed):
        sink.commit(_FencedBetween([Outgoing(topic, 0, None, b"x")] * 2000, apache, slot), None)
    assert sink.commit([Outgoing(topic, 0, None, b"y")], None), "a new producer writes again"
    sink.close()
