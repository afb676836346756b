"""What kafka-python 3.0.12 does, and the guard against it: a pair of tests each, on Apache Kafka.

The *fact* fails when an upgrade mends it, and the guard may go. The *guard* fails when it is removed. K2, K5 and K7
need a broker that halts: tests/test_kafka_halts.py. K9 and K14 are in tests/producers/test_kafka_client.py,
K13 in tests/test_refusals.py.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.cluster import ClusterMetadata
from kafka.errors import KafkaError
from kafka.producer.transaction_manager import TransactionManager
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

from consumers.kafka_source import KafkaSource, _Rebalanced
from consumers.kafka_tail import KafkaTail
from producers.kafka_client import client_config, quiet_logs
from producers.kafka_sink import KafkaSink
from producers.sink import Committed, Membership, Offsets, Outgoing
from producers.watchdog import Watchdog
from stream.errors import BrokerUnavailable, CommitFailed
from stream.settings import KafkaSettings
from tests.brokers import Broker, KafkaKit, add_offset, eventually, fresh, joined, read_to, taken, transactional


@pytest.fixture
def apache(apache_kafka: Broker) -> Iterator[KafkaKit]:
    kit = KafkaKit(apache_kafka)
    yield kit
    kit.close()


class TestK1OffsetsOfAnAbortedTransactionLeakIntoTheNext:
    def test_fact(self) -> None:
        """Condensed from the client's classes with answers made up: no broker is needed to see it."""
        manager = TransactionManager("slot", 60_000, 100, (3, 9))
        manager.initialize_transactions()
        _answer(manager, SimpleNamespace(error_code=0, producer_id=7, producer_epoch=0))
        manager.begin_transaction()
        manager.send_offsets_to_transaction(_at("in", 3, 500), ConsumerGroupMetadata("g", 5, "m"))
        _answer(manager, SimpleNamespace(error_code=0))
        illegal_generation = 22
        _answer(manager, SimpleNamespace(topics=[("in", [(3, illegal_generation)])]))
        manager.begin_abort()
        _answer(manager, SimpleNamespace(error_code=0))
        manager.begin_transaction()

        manager.send_offsets_to_transaction(_at("in", 1, 10), ConsumerGroupMetadata("g", 6, "m"))
        _answer(manager, SimpleNamespace(error_code=0))

        request = manager.next_request_handler(False).request
        sent = [(p.partition_index, p.committed_offset) for t in request.topics for p in t.partitions]
        assert sent == [(3, 500), (1, 10)]

    def test_guard(self, apache: KafkaKit) -> None:
        """A failed commit throws the producer away. (That no offset leaks is in the sink's contract suite.)"""
        topic, slot = fresh("t"), fresh("slot")
        apache.create(topic, 2)
        sink = KafkaSink(apache.settings, slot, Watchdog(60))
        source = apache.source(topic, fresh("group"))
        now = joined(source, {0, 1}).membership
        doubtful = sink._producer
        assert doubtful is not None
        thread = doubtful._sender

        with pytest.raises(CommitFailed):
            sink.commit([], Offsets(topic, {0: 500}, replace(now, member="zombie")))

        assert sink._producer is not doubtful
        eventually(lambda: None if thread.is_alive() else True, "the end of its thread")
        sink.commit([], Offsets(topic, {1: 10}, now))
        assert source.committed([0, 1]) == {0: None, 1: Committed(10)}
        sink.close()


class TestK4AnExpiredMemberIsNotFenced:
    def test_fact(self, apache: KafkaKit) -> None:
        topic, group = fresh("t"), fresh("group")
        apache.create(topic)
        source = apache.source(topic, group)
        joined(source, {0})

        producer = transactional(apache, fresh("slot"))
        add_offset(producer, topic, 99, Membership(group, -1, ""))
        producer.commit_transaction()
        producer.close(timeout=5)

        assert source.committed([0]) == {0: Committed(99)}

    def test_guard(self, apache: KafkaKit) -> None:
        topic = fresh("t")
        apache.create(topic)
        sink = apache.sink(fresh("slot"))
        source = KafkaSource(apache.settings, topic, fresh("group"), max_poll_interval_seconds=1.0)
        polled = joined(source, {0})

        eventually(lambda: None if _is_member(source) else True, "the poll interval to expire")
        with pytest.raises(CommitFailed):
            sink.commit([], Offsets(topic, {0: 5}, polled.membership))

        # The next poll knows; the one after that may be a member again.
        assert source.poll(0.0).epoch > polled.epoch
        assert joined(source, {0}).membership.generation > polled.membership.generation
        assert source.committed([0]) == {0: None}
        source.close()

    def test_an_unstable_member_owns_nothing(self, apache: KafkaKit) -> None:
        """While a join is under way, the generation may be new already and the assignment still old."""
        topic, group = fresh("t"), fresh("group")
        apache.create(topic)
        source = KafkaSource(apache.settings, topic, group)
        joined(source, {0})
        source._consumer._coordinator.request_rejoin()

        polls = [source.poll(0.0) for _ in range(200)]

        assert all(p.membership.is_valid == bool(p.assigned) for p in polls)
        assert not all(p.assigned for p in polls)
        source.close()


class TestK8LogsShowUsersAndPasswords:
    def test_guard(self) -> None:
        names = ("kafka", "kafka.net.connection", "kafka.protocol.parser", "kafka.custom")
        before = {name: logging.getLogger(name).level for name in ("", *names)}
        try:
            logging.getLogger().setLevel(logging.DEBUG)
            logging.getLogger("kafka").setLevel(logging.NOTSET)
            logging.getLogger("kafka.net.connection").setLevel(logging.DEBUG)
            logging.getLogger("kafka.custom").setLevel(logging.ERROR)
            quiet_logs()
            levels = [logging.getLogger(name).getEffectiveLevel() for name in names]
            assert levels == [logging.INFO, logging.WARNING, logging.INFO, logging.ERROR]
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)


class TestK10MetadataUnderWayMakesTheClientForgetATopic:
    def test_fact(self) -> None:
        """A refresh is under way, a topic is asked for, the refresh arrives without it: nobody asks again."""
        cluster = ClusterMetadata()
        cluster.set_topics(["t"])
        assert cluster.need_update
        cluster.update_metadata(_metadata_without_topics())
        assert not cluster.need_update
        assert cluster.partitions_for_topic("t") is None

    def test_guard(self, apache: KafkaKit) -> None:
        topic = fresh("t")
        apache.create(topic)
        source = KafkaSource(apache.settings, topic, fresh("group"))
        assert source._consumer._cluster.partitions_for_topic(topic) == {0}
        source.close()

    def test_a_topic_that_does_not_exist_is_an_error_from_the_start(self, apache_kafka: Broker) -> None:
        settings = apache_kafka.kafka(request_timeout_seconds=0.5)
        with pytest.raises(BrokerUnavailable, match="cannot join group"):
            KafkaSource(settings, fresh("nowhere"), fresh("group"))


class TestK12APausedPartitionIsNeverReadAgain:
    RECORDS, A_POLL = 100, 10

    def both_filled(self, kit: KafkaKit) -> str:
        topic = fresh("t")
        kit.create(topic, 2)
        everything = [Outgoing(topic, i % 2, None, b"%d" % i) for i in range(2 * self.RECORDS)]
        kit.sink(fresh("slot")).commit(everything, None)
        return topic

    def test_fact(self, apache: KafkaKit) -> None:
        topic = self.both_filled(apache)
        consumer = KafkaConsumer(
            bootstrap_servers=apache.settings.bootstrap_servers,
            auto_offset_reset="none",
            max_poll_records=self.A_POLL,
        )
        both = [TopicPartition(topic, 0), TopicPartition(topic, 1)]
        consumer.assign(both)
        for at in both:
            consumer.seek(at, 0)
        first = eventually(lambda: next(iter(consumer.poll(timeout_ms=100)), None), "the first records")
        (other,) = set(both) - {first}
        consumer.pause(first)
        read = [r.offset for _ in range(20) for r in consumer.poll(timeout_ms=100).get(other, [])]
        assert len(read) == self.RECORDS
        consumer.seek(first, 5)
        consumer.resume(first)
        assert not any(consumer.poll(timeout_ms=100) for _ in range(20))
        consumer.close()

    def test_guard_of_the_source(self, apache: KafkaKit) -> None:
        topic = self.both_filled(apache)
        source = KafkaSource(apache.settings.model_copy(update={"max_poll_records": self.A_POLL}), topic, fresh("g"))
        joined(source, {0, 1})
        held = next(iter(taken(source, 1))).partition
        source.seek(held, None)
        assert len({r.offset for r in taken(source, self.RECORDS) if r.partition != held}) == self.RECORDS
        source.seek(held, 5)
        assert [r.offset for r in taken(source, self.RECORDS - 5)] == list(range(5, self.RECORDS))
        source.close()

    def test_guard_of_the_tail(self, apache: KafkaKit) -> None:
        topic = self.both_filled(apache)
        tail = KafkaTail(apache.settings.model_copy(update={"max_poll_records": self.A_POLL}))
        assert len(read_to(tail, topic, 0, self.A_POLL)) == self.A_POLL
        # With the marker behind them: had this one something left too, the client would stumble on and find its way.
        assert len(read_to(tail, topic, 1, self.RECORDS + 1)) == self.RECORDS
        assert [r.offset for r in read_to(tail, topic, 0, self.RECORDS)] == list(range(self.RECORDS))
        tail.close()


class TestOffsetsInDoubt:
    def test_a_new_owner_waits_for_pending_offsets(self, apache: KafkaKit) -> None:
        """Fact and guard: only a read_committed consumer asks for stable offsets, also on a plain input topic."""
        topic, group = fresh("t"), fresh("group")
        apache.create(topic)
        source = apache.source(topic, group)
        member = joined(source, {0}).membership
        producer = transactional(apache, fresh("slot"))
        add_offset(producer, topic, 42, member)

        with _reader(apache.settings, group) as careless:
            assert careless.committed(TopicPartition(topic, 0), timeout_ms=5000) is None
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(source.committed, [0])
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
            producer.commit_transaction()
            assert waiting.result(10) == {0: Committed(42)}
        producer.close(timeout=5)

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
        with pytest.raises(KafkaError):
            dead.commit_transaction()
        dead.close(timeout=5)


def test_a_partition_that_stays_delivers_nothing_across_a_rebalance(apache: KafkaKit) -> None:
    """The client keeps its position and what it has fetched; the caller has dropped everything."""
    topic = fresh("t")
    apache.create(topic)
    apache.sink(fresh("slot")).commit([Outgoing(topic, 0, None, b"%d" % n) for n in range(10)], None)
    source = KafkaSource(apache.settings, topic, fresh("group"))
    before = joined(source, {0})
    source._consumer._coordinator.request_rejoin()

    after = source.poll(10.0)

    assert after.epoch > before.epoch
    assert after.count == source.poll(0.2).count == 0
    source.seek(0, 0)
    assert len(taken(source, 10)) == 10
    source.close()


def test_the_rebalance_listener_only_remembers() -> None:
    listener = _Rebalanced()
    for callback in (listener.on_partitions_revoked, listener.on_partitions_assigned, listener.on_partitions_lost):
        assert not listener.take()
        callback([TopicPartition("t", 0)])
        assert listener.take()
        assert not listener.take()


def _answer(manager: TransactionManager, response: object) -> None:
    handler = manager.next_request_handler(False)
    number = manager.next_in_flight_request_correlation_id()
    manager._in_flight_request_correlation_id = number
    handler.on_complete(number, response)


def _metadata_without_topics() -> object:
    broker = (0, "127.0.0.1", 9092, None)
    return SimpleNamespace(API_VERSION=9, brokers=[broker], controller_id=0, cluster_id="c", topics=[])


def _at(topic: str, partition: int, offset: int) -> dict[TopicPartition, OffsetAndMetadata]:
    return {TopicPartition(topic, partition): OffsetAndMetadata(offset, "", -1)}


def _reader(settings: KafkaSettings, group: str) -> Any:
    return KafkaConsumer(**client_config(settings), group_id=group, enable_auto_commit=False)


def _is_member(source: KafkaSource) -> bool:
    return bool(source._consumer.group_metadata().generation_id >= 0)
