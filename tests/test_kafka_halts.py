"""A broker that halts in the middle of a transaction: the guards K2, K5 and K7 (see tests/test_kafka_guards.py)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from kafka import KafkaProducer

import producers.kafka_sink as module
from consumers.embedded import EmbeddedBroker
from producers.kafka_client import client_config
from producers.kafka_sink import CLOSE_SECONDS, KafkaSink
from producers.sink import Offsets, Outgoing
from producers.watchdog import EXIT_CODE, Watchdog
from stream.errors import BrokerUnavailable, CommitFailed
from tests import servers
from tests.brokers import Broker, KafkaKit, eventually, fresh, joined, read_to


@pytest.fixture
def stoppable() -> Iterator[EmbeddedBroker]:
    """A broker of one's own, to be halted with SIGSTOP."""
    with servers.embedded_broker() as broker:
        yield broker


class TestK2ABatchWithoutRetriesDoesNotFailTheTransaction:
    def test_fact(self, stoppable: EmbeddedBroker) -> None:
        topic = fresh("t")
        kit = KafkaKit(Broker("embedded", stoppable.bootstrap_servers))
        kit.create(topic)
        config = client_config(kit.settings) | {"request_timeout_ms": 300, "delivery_timeout_ms": 600}
        producer = KafkaProducer(**config, transactional_id=fresh("slot"))
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(topic, b"written", partition=0).get(5)
        with _halted(stoppable):
            future = producer.send(topic, b"in doubt", partition=0)
            producer.flush(10)
            assert future.failed()
        producer.commit_transaction()
        producer.close(timeout=5)

    def test_guard(self, stoppable: EmbeddedBroker) -> None:
        broker = Broker("embedded", stoppable.bootstrap_servers)
        settings = broker.kafka(request_timeout_seconds=0.5, transaction_timeout_seconds=2.0)
        kit = KafkaKit(broker)
        topic = fresh("t")
        kit.create(topic)
        source = kit.source(topic, fresh("group"))
        now = joined(source, {0}).membership
        sink = KafkaSink(settings, fresh("slot"), _Resuming(stoppable))
        written, doubtful = (Outgoing(topic, 0, None, value) for value in (b"written", b"in doubt"))
        records = _HaltedBetween(stoppable, sink, [written], [doubtful])

        with ThreadPoolExecutor(1) as thread:
            commit = thread.submit(sink.commit, records, Offsets(topic, {0: 5}, now))
            eventually(lambda: True if sink._producer is None else None, "the producer to be thrown away")
            _resume(stoppable)
            with pytest.raises(CommitFailed):
                commit.result(10)

        assert source.committed([0]) == {0: None}
        sink.close()
        kit.close()


class TestK5TransactionCallsWaitForEver:
    def test_guard(self, stoppable: EmbeddedBroker) -> None:
        ended = threading.Event()
        codes: list[int] = []

        def end(code: int) -> None:
            codes.append(code)
            ended.set()

        broker = Broker("embedded", stoppable.bootstrap_servers)
        settings = broker.kafka(request_timeout_seconds=30.0, transaction_timeout_seconds=40.0)
        kit = KafkaKit(broker)
        topic = fresh("t")
        kit.create(topic)
        membership = joined(kit.source(topic, fresh("group")), {0}).membership
        sink = KafkaSink(settings, fresh("slot"), Watchdog(0.5, end))
        with ThreadPoolExecutor(1) as thread, _halted(stoppable):
            hanging = thread.submit(sink.commit, [], Offsets(topic, {0: 1}, membership))
            assert ended.wait(10)
            assert not hanging.done()
            _resume(stoppable)
            hanging.result(30)
        assert codes == [EXIT_CODE]
        sink.close()
        kit.close()


class TestK7CloseWaitsForEver:
    def test_guard(self, stoppable: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
        """It also gives up without stopping its thread, when a record is neither delivered nor lost."""
        monkeypatch.setattr(module, "CLOSE_SECONDS", 0.2)
        broker = Broker("embedded", stoppable.bootstrap_servers)
        settings = broker.kafka(request_timeout_seconds=1.0, transaction_timeout_seconds=60.0)
        kit = KafkaKit(broker)
        topic = fresh("t")
        kit.create(topic)
        sink = KafkaSink(settings, fresh("slot"), Watchdog(60))
        written, undelivered, too_large = (
            Outgoing(topic, 0, None, b"x" * size) for size in (1, 1, module.REQUEST_BYTES + 1)
        )
        records = _HaltedBetween(stoppable, sink, [written], [undelivered, too_large])
        assert sink._producer is not None
        doubtful = sink._producer._sender

        with ThreadPoolExecutor(1) as thread:
            commit = thread.submit(sink.commit, records, None)
            with pytest.raises(BrokerUnavailable):
                commit.result(10)
            eventually(lambda: None if doubtful.is_alive() else True, "the end of its thread", 10)
        _resume(stoppable)
        sink.close()
        kit.close()

    def test_guard_and_the_sink_works_again_when_the_broker_does(self, stoppable: EmbeddedBroker) -> None:
        broker = Broker("embedded", stoppable.bootstrap_servers)
        settings = broker.kafka(request_timeout_seconds=0.5, transaction_timeout_seconds=1.0)
        kit = KafkaKit(broker)
        topic = fresh("t")
        kit.create(topic)
        sink = KafkaSink(settings, fresh("slot"), Watchdog(60))
        sink.commit([Outgoing(topic, 0, None, b"1")], None)
        assert sink._producer is not None
        doubtful = sink._producer._sender
        with _halted(stoppable), ThreadPoolExecutor(1) as thread:
            commit = thread.submit(sink.commit, [Outgoing(topic, 0, None, b"in doubt")], None)
            with pytest.raises(BrokerUnavailable):
                commit.result(CLOSE_SECONDS + 10)
            sink.close()

        eventually(lambda: None if doubtful.is_alive() else True, "the end of the doubtful producer's thread")
        (offset,) = sink.commit([Outgoing(topic, 0, None, b"2")], None)
        assert read_to(kit.tail(), topic, 0, offset + 1, offset)[0].value == b"2"
        sink.close()
        kit.close()


class _HaltedBetween(list[Outgoing]):
    """Records of one transaction. When the first of them are written, the broker halts; then come the others."""

    def __init__(
        self, broker: EmbeddedBroker, sink: KafkaSink, first: Sequence[Outgoing], then: Sequence[Outgoing]
    ) -> None:
        super().__init__([*first, *then])
        self._broker, self._sink, self._first = broker, sink, len(first)

    def __iter__(self) -> Iterator[Outgoing]:
        yield from self[: self._first]
        producer = self._sink._producer
        assert producer is not None
        eventually(lambda: None if producer._accumulator.has_incomplete else True, "the first to be written")
        _halt(self._broker)
        yield from self[self._first :]


class _Resuming(Watchdog):
    """The commit would begin: let it succeed."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        super().__init__(60)
        self._broker = broker

    @contextmanager
    def watching(self, what: str) -> Iterator[None]:
        _resume(self._broker)
        with super().watching(what):
            yield


@contextmanager
def _halted(broker: EmbeddedBroker) -> Iterator[None]:
    """The broker accepts connections and says nothing."""
    _halt(broker)
    try:
        yield
    finally:
        _resume(broker)


def _halt(broker: EmbeddedBroker) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)


def _resume(broker: EmbeddedBroker) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGCONT)
