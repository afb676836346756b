"""Which library speaks to Kafka: kafka-python, or librdkafka by way of confluent-kafka. Nobody else knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from consumers.kafka_source import KafkaSource
from consumers.kafka_tail import KafkaTail
from consumers.source import Source, Tail
from producers.kafka_sink import KafkaSink
from producers.sink import Sink
from producers.watchdog import Watchdog
from stream.errors import SettingsError
from stream.settings import KafkaSettings


@dataclass(frozen=True)
class Clients:
    """What one library reads and writes with."""

    source: Callable[[KafkaSettings, str, str, str | None], Source]
    """(settings, topic, group, name of a static member) -> member of the group."""
    sink: Callable[[KafkaSettings, str, Watchdog], Sink]
    """(settings, transactional id, watchdog) -> sink."""
    tail: Callable[[KafkaSettings], Tail]


def clients(settings: KafkaSettings) -> Clients:
    """What ``kafka.client`` names. Raises ``SettingsError`` when that is not installed."""
    if settings.client == "kafka-python":
        return Clients(KafkaSource, KafkaSink, KafkaTail)
    try:
        from consumers.librdkafka_source import LibrdkafkaSource  # noqa: PLC0415 (an extra)
        from consumers.librdkafka_tail import LibrdkafkaTail  # noqa: PLC0415
        from producers.librdkafka_sink import LibrdkafkaSink  # noqa: PLC0415
    except ImportError as error:
        message = f"kafka.client = 'librdkafka' needs more: pip install 'segstream[librdkafka]' ({error})"
        raise SettingsError(message) from error
    return Clients(LibrdkafkaSource, LibrdkafkaSink, LibrdkafkaTail)
