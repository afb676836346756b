"""The topics: what each must look like, creating them, and what the broker really has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import NoError, TopicAlreadyExistsError, for_code

from producers import kafka_network
from producers.kafka_client import administrating
from stream.errors import BrokerUnavailable, SettingsError
from stream.settings import KafkaSettings, TopicSettings, Tree

_DAY_MS = 86_400_000
_MIB = 1024 * 1024
_FOREVER = "-1"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a topic should be. ``configs`` are Kafka's names; what is not said is the broker's default."""

    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic is. ``topic_id`` changes when it is deleted and created anew, and then offsets mean others."""

    partitions: int
    topic_id: str
    configs: Mapping[str, str]


def shapes(topics: TopicSettings) -> dict[str, Shape]:
    """Every topic by name. What is fed by a partition of the input goes to the same partition of its own topic."""
    changes = {
        "cleanup.policy": "compact",
        # The full history for thirty days, the newest state for ever; tombstones stay as long as the history.
        "min.compaction.lag.ms": str(30 * _DAY_MS),
        "delete.retention.ms": str(30 * _DAY_MS),
    }
    model = {
        # All for longer than the full history of changes, so that each of them can be verified; then the newest of
        # each slot for ever, so that a model nobody adds to does not vanish.
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": str(35 * _DAY_MS),
        # Customers who came before there was a model are in it one by one, 21 bytes each with eleven features.
        "max.message.bytes": str(16 * _MIB),
    }
    return {
        # The record's time is the broker's clock: it tells events from the future, and retention would delete
        # a replayed year at once if the producer's time counted.
        topics.events: Shape(topics.partitions, {"message.timestamp.type": "LogAppendTime"}),
        topics.changes: Shape(topics.partitions, changes),
        # Originals may be as large as the input topic allows, and headers come on top.
        topics.rejected: Shape(topics.partitions, _kept(30) | {"max.message.bytes": str(2 * _MIB)}),
        topics.journal: Shape(topics.partitions, _kept(7)),
        # The owner deletes what no snapshot needs any more. Time alone must not: rows of a quiet stream would be gone
        # before they are in a snapshot.
        topics.learning: Shape(1, _kept_for_ever() | {"max.message.bytes": str(4 * _MIB)}),
        topics.model: Shape(1, model),
        topics.control: Shape(1, {"cleanup.policy": "compact"}),
        topics.ledger: Shape(1, _kept_for_ever()),
        topics.profiles: Shape(1, {"cleanup.policy": "compact"}),
    }


def create_topics(settings: Tree) -> list[str]:
    """Create the topics that do not exist yet; return their names. Those that exist are left as they are.

    Raises ``BrokerUnavailable`` when a topic cannot be created, ``SettingsError`` when we may not.
    """
    return create(settings.kafka, shapes(settings.topics), settings.topics.replication)


def create(kafka: KafkaSettings, wanted: Mapping[str, Shape], replication: int = 1) -> list[str]:
    """As ``create_topics``, for any topics."""
    # acks=all means all that are in sync; one fewer than there are lets a broker restart.
    durable = {"min.insync.replicas": str(max(1, replication - 1))}
    new = {
        name: {
            "num_partitions": shape.partitions,
            "replication_factor": replication,
            "configs": {**durable, **shape.configs},
        }
        for name, shape in wanted.items()
    }
    with administrating(kafka, "create topics") as admin:
        answers = admin.create_topics(new, raise_errors=False)["topics"]
        outcomes = {answer["name"]: for_code(answer["error_code"]) for answer in answers}
        for answer in answers:
            if outcomes[answer["name"]] not in (NoError, TopicAlreadyExistsError):
                error = outcomes[answer["name"]](answer["error_message"])
                raise BrokerUnavailable(f"cannot create topic '{answer['name']}': {kafka_network.describe(error)}")
        admin.wait_for_topics(list(wanted))
    return sorted(name for name, outcome in outcomes.items() if outcome is NoError)


def ensure(kafka: KafkaSettings, wanted: Mapping[str, Shape], replication: int = 1) -> None:
    """As ``create``, but what exists already must have that shape. Raises ``SettingsError`` if not."""
    create(kafka, wanted, replication)
    for complaint in complaints(wanted, describe(kafka, list(wanted))):
        raise SettingsError(f"{complaint}; delete it, or choose another name")


def describe(kafka: KafkaSettings, names: Collection[str]) -> dict[str, Topic]:
    """Those of ``names`` that exist. Raises ``BrokerUnavailable``.

    The embedded broker only reports configs that were given when the topic was created.
    """
    with administrating(kafka, "describe topics") as admin:
        found = {t["name"]: t for t in admin.describe_topics(sorted(names)) if for_code(t["error_code"]) is NoError}
        if not found:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in found]
        configs = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: Topic(
            partitions=len(topic["partitions"]),
            topic_id=str(topic["topic_id"]),
            configs={key: str(config["value"]) for key, config in configs[name].items()},
        )
        for name, topic in found.items()
    }


def topic_identity(settings: Tree, name: str) -> tuple[str, int]:
    """Topic id and partition count. Raises ``SettingsError`` when there is no such topic, ``BrokerUnavailable``."""
    topic = describe(settings.kafka, [name]).get(name)
    if topic is None:
        raise SettingsError(f"topic '{name}' does not exist; run: segstream topics create")
    return topic.topic_id, topic.partitions


def complaints(wanted: Mapping[str, Shape], found: Mapping[str, Topic]) -> list[str]:
    """What is missing or different, a sentence each; empty when all is well.

    >>> complaints({"a": Shape(4), "b": Shape(1)}, {"a": Topic(2, "x", {})})
    ["topic 'a' has 2 partitions, not 4", "topic 'b' does not exist"]
    """
    sentences = []
    for name, shape in wanted.items():
        if name not in found:
            sentences.append(f"topic '{name}' does not exist")
            continue
        topic = found[name]
        if topic.partitions != shape.partitions:
            sentences.append(f"topic '{name}' has {topic.partitions} partitions, not {shape.partitions}")
        sentences += [
            f"topic '{name}' has {key} = {topic.configs.get(key)}, not {value}"
            for key, value in shape.configs.items()
            if topic.configs.get(key) != value
        ]
    return sentences


def trim(kafka: KafkaSettings, topic: str, partition: int, before: int) -> None:
    """Delete the records below offset ``before``. Raises ``BrokerUnavailable``, ``SettingsError`` if we may not."""
    with administrating(kafka, f"trim '{topic}'") as admin:
        admin.delete_records({TopicPartition(topic, partition): before})


def _kept_for_ever() -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": _FOREVER}


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * _DAY_MS)}
