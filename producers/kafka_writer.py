"""The writer on Kafka: an idempotent producer that batches and compresses."""

from __future__ import annotations

from typing import Any

from kafka import KafkaProducer
from kafka.codec import has_lz4
from kafka.errors import KafkaTimeoutError

from producers.kafka_client import client_config, connect, milliseconds, translated
from producers.kafka_network import Background, describe
from stream.errors import BrokerUnavailable
from stream.settings import KafkaSettings

MAX_UNWRITTEN = 20_000
"""Records between two looks at what became of them. kafka-python 3 buffers without a limit, so this is the limit."""
DELIVERY_SECONDS = 120.0
LINGER_SECONDS = 0.02
BATCH_BYTES = 256 * 1024
CLOSE_SECONDS = 3.0


class KafkaWriter:
    """See ``producers.writer.Writer``. Raises ``BrokerUnavailable`` or ``SettingsError`` when built."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._pending: list[Any] = []
        self._background = Background()
        with translated("start a producer", self._background):
            self._producer = connect(KafkaProducer, self._background, **_config(settings))

    def send(self, topic: str, key: bytes, value: bytes, timestamp_ms: int | None = None) -> None:
        """See ``Writer``."""
        if len(self._pending) >= MAX_UNWRITTEN:
            self.flush()
        with translated(f"write to '{topic}'", self._background):
            self._pending.append(self._producer.send(topic, value, key, timestamp_ms=timestamp_ms))

    def flush(self) -> None:
        """See ``Writer``."""
        pending, self._pending = self._pending, []
        with translated("write", self._background):
            self._producer.flush(DELIVERY_SECONDS)
        failed = next((future for future in pending if not future.succeeded()), None)
        if failed is not None:
            raise BrokerUnavailable(f"records were not written: {describe(failed.exception)}")

    def close(self) -> None:
        """See ``Writer``."""
        try:
            self._producer.close(timeout=CLOSE_SECONDS)
        except KafkaTimeoutError:
            # What is undelivered by now stays so; flush() is the call that tells.
            self._producer._sender.force_close()


def _config(settings: KafkaSettings) -> dict[str, Any]:
    return {
        **client_config(settings),
        "acks": "all",
        "enable_idempotence": True,
        "delivery_timeout_ms": milliseconds(DELIVERY_SECONDS),
        "max_block_ms": milliseconds(settings.request_timeout_seconds),
        "allow_auto_create_topics": False,
        "linger_ms": milliseconds(LINGER_SECONDS),
        "batch_size": BATCH_BYTES,
        "compression_type": "lz4" if has_lz4() else "zstd",
    }
