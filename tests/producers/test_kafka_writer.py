from __future__ import annotations

import pytest

import producers.kafka_writer as module
from consumers.kafka_tail import KafkaTail
from consumers.topics import Shape, create, describe
from producers.kafka_writer import KafkaWriter
from stream.errors import BrokerUnavailable
from tests.brokers import Broker, fresh, read_to


def test_it_looks_back_before_too_much_is_unwritten(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNWRITTEN", 10)
    topic, settings = fresh("t"), broker.kafka()
    create(settings, {topic: Shape(1)})
    writer, tail = KafkaWriter(settings), KafkaTail(settings)
    for n in range(25):
        writer.send(topic, b"key", b"%d" % n, timestamp_ms=1000 + n)
        assert len(writer._pending) <= 10

    assert [r.value for r in read_to(tail, topic, 0, 20)][:20] == [b"%d" % n for n in range(20)]
    writer.flush()
    records = read_to(tail, topic, 0, 25)
    assert [r.timestamp_ms for r in records] == [1000 + n for n in range(25)]
    writer.close()
    tail.close()


def test_a_record_that_is_too_large_is_refused_at_once(broker: Broker) -> None:
    topic, settings = fresh("t"), broker.kafka()
    create(settings, {topic: Shape(1)})
    writer = KafkaWriter(settings)
    with pytest.raises(BrokerUnavailable, match="MessageSizeTooLarge"):
        writer.send(topic, b"key", b"x" * 2_000_000)
    writer.close()


def test_an_unknown_topic_is_an_error_and_stays_unknown(apache_kafka: Broker) -> None:
    """The embedded broker creates whatever topic is named."""
    topic, settings = fresh("nowhere"), apache_kafka.kafka(request_timeout_seconds=1.0)
    writer = KafkaWriter(settings)
    with pytest.raises(BrokerUnavailable, match="cannot write to"):
        writer.send(topic, b"key", b"value")
    assert describe(settings, [topic]) == {}
    writer.close()


def test_flush_tells_of_a_record_that_the_broker_refused(apache_kafka: Broker) -> None:
    topic, settings = fresh("t"), apache_kafka.kafka()
    create(settings, {topic: Shape(1, {"max.message.bytes": "100"})})
    writer = KafkaWriter(settings)
    writer.send(topic, b"key", bytes(range(256)))
    with pytest.raises(BrokerUnavailable, match="were not written"):
        writer.flush()
    writer.flush()
    writer.close()
