from __future__ import annotations

from contextlib import closing

import pytest
from kafka import KafkaAdminClient

from consumers.kafka_tail import KafkaTail
from consumers.topics import (
    Shape,
    Topic,
    complaints,
    create,
    create_topics,
    describe,
    ensure,
    shapes,
    topic_identity,
    trim,
)
from producers.kafka_writer import KafkaWriter
from stream.errors import BrokerUnavailable, SettingsError
from stream.settings import TopicSettings, Tree
from tests.brokers import Broker, fresh

DAY_MS = 86_400_000


def tree(broker: Broker) -> Tree:
    names = ("events", "changes", "ledger", "profiles", "rejected", "journal", "learning", "model", "control")
    topics = TopicSettings(**{name: fresh(name) for name in names}, partitions=3)
    return Tree(profile="none", kafka=broker.kafka(), topics=topics)


def test_topics_are_created_once_and_are_what_they_should_be(broker: Broker) -> None:
    settings = tree(broker)
    wanted = shapes(settings.topics)

    assert create_topics(settings) == sorted(wanted)
    assert create_topics(settings) == []

    found = describe(settings.kafka, list(wanted))
    assert complaints(wanted, found) == []
    assert len({topic.topic_id for topic in found.values()}) == len(wanted) == 9
    assert topic_identity(settings, settings.topics.events) == (found[settings.topics.events].topic_id, 3)


def test_what_does_not_exist_is_not_created_by_asking(broker: Broker) -> None:
    settings = tree(broker)
    assert describe(settings.kafka, [settings.topics.events]) == {}
    with pytest.raises(SettingsError, match="segstream topics create"):
        topic_identity(settings, settings.topics.events)
    assert describe(settings.kafka, [settings.topics.events]) == {}


def test_a_topic_created_anew_has_another_identity(broker: Broker) -> None:
    name, kafka = fresh("t"), broker.kafka()
    create(kafka, {name: Shape(1)})
    before = describe(kafka, [name])[name].topic_id
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    admin.delete_topics([name])
    admin.close()
    create(kafka, {name: Shape(1)})
    assert describe(kafka, [name])[name].topic_id != before


def test_records_that_are_trimmed_are_gone_and_only_they(apache_kafka: Broker) -> None:
    name, kafka = fresh("t"), apache_kafka.kafka()
    create(kafka, {name: Shape(1)})
    with closing(KafkaWriter(kafka)) as writer, closing(KafkaTail(kafka)) as tail:
        for _ in range(3):
            writer.send(name, b"key", b"value")
        writer.flush()
        trim(kafka, name, 0, 2)
        assert tail.bounds(name, 0) == (2, 3)
        assert [record.offset for record in tail.read(name, 0, 2, 5.0)[0]] == [2]


def test_an_impossible_topic_is_a_clear_error(apache_kafka: Broker) -> None:
    with pytest.raises(BrokerUnavailable, match=r"cannot create topic 'no\?name'"):
        create(apache_kafka.kafka(), {"no?name": Shape(1)})


def test_an_existing_topic_of_another_shape_is_left_and_complained_about(broker: Broker) -> None:
    name, kafka = fresh("t"), broker.kafka()
    create(kafka, {name: Shape(2, {"cleanup.policy": "delete"})})
    wanted = {name: Shape(4, {"cleanup.policy": "compact"})}
    assert create(kafka, wanted) == []
    assert complaints(wanted, describe(kafka, [name])) == [
        f"topic '{name}' has 2 partitions, not 4",
        f"topic '{name}' has cleanup.policy = delete, not compact",
    ]


def test_an_existing_topic_of_another_shape_is_refused_where_it_must_be_that(broker: Broker) -> None:
    name, kafka = fresh("t"), broker.kafka()
    ensure(kafka, {name: Shape(2, {"cleanup.policy": "delete"})})
    ensure(kafka, {name: Shape(2, {"cleanup.policy": "delete"})})
    with pytest.raises(SettingsError, match="has 2 partitions, not 4; delete it, or choose another name"):
        ensure(kafka, {name: Shape(4)})


def test_retention_follows_the_design() -> None:
    topics = TopicSettings(partitions=6)
    found = {name: Topic(shape.partitions, "id", shape.configs) for name, shape in shapes(topics).items()}

    assert {name for name, topic in found.items() if topic.partitions == 6} == {
        topics.events,
        topics.changes,
        topics.rejected,
        topics.journal,
    }
    assert {topic.partitions for topic in found.values()} == {1, 6}
    changes, model = found[topics.changes].configs, found[topics.model].configs
    assert changes["cleanup.policy"] == "compact"
    assert int(changes["min.compaction.lag.ms"]) == 30 * DAY_MS
    assert model["cleanup.policy"] == "compact"
    assert int(model["min.compaction.lag.ms"]) > int(changes["min.compaction.lag.ms"])
    assert int(found[topics.journal].configs["retention.ms"]) == 7 * DAY_MS
    assert int(found[topics.rejected].configs["retention.ms"]) == 30 * DAY_MS
    assert found[topics.ledger].configs["retention.ms"] == "-1"
    assert found[topics.profiles].configs["cleanup.policy"] == "compact"
    assert found[topics.control].configs["cleanup.policy"] == "compact"
