"""The transactional sink on Kafka. The guards answer facts about kafka-python 3.0.12: tests/test_kafka_guards.py."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import FencedInstanceIdError, KafkaError
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata, TopicPartition

from producers.kafka_client import NAMED_TWICE, client_config, connect, milliseconds, translated
from producers.kafka_network import Background, describe
from producers.sink import Offsets, Outgoing
from producers.watchdog import Watchdog
from stream.errors import CommitFailed, SettingsError
from stream.settings import KafkaSettings

_log = logging.getLogger(__name__)

CLOSE_SECONDS = 3.0
RETRY_BACKOFF_MS = 10
BATCH_BYTES = 512 * 1024
REQUEST_BYTES = 16 * 1024 * 1024


class KafkaSink:
    """One Kafka transaction at a time; see ``producers.sink.Sink``.

    The constructor fences and finishes what a dead predecessor of the same ``transactional_id`` left open, so
    build the sink *before* reading any committed offset. Raises ``BrokerUnavailable`` or ``SettingsError``.
    """

    def __init__(self, settings: KafkaSettings, transactional_id: str, watchdog: Watchdog) -> None:
        self._background = Background()
        self._config = _config(settings, transactional_id)
        self._transactional_id = transactional_id
        self._transaction_seconds = settings.transaction_timeout_seconds
        self._watchdog = watchdog
        self._producer: KafkaProducer | None = self._open()

    def commit(self, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        """See ``Sink``."""
        if not records and offsets is None:
            return []
        if offsets is not None and not offsets.membership.is_valid:
            # K4: brokers do not fence generation -1, so we do. Nothing was sent: the producer stays.
            raise CommitFailed(f"no longer a member of group '{offsets.membership.group}'")
        if self._producer is None:
            self._producer = self._open()
        try:
            return self._transact(self._producer, records, offsets)
        except BaseException as error:
            # K1: an aborted transaction's offsets are sent with the next one. K3, K6: what an error leaves behind
            # depends on where it struck. So whatever it was, this producer never writes again.
            self.close()
            if not isinstance(error, KafkaError):
                raise
            if isinstance(error, FencedInstanceIdError):
                raise SettingsError(NAMED_TWICE) from error
            # The first act of the new one makes the broker finish the open transaction: from here on, committed
            # offsets tell what came of it.
            self._producer = self._open()
            raise CommitFailed(f"transaction of '{self._transactional_id}': {describe(error)}") from error

    def close(self) -> None:
        """See ``Sink``."""
        if self._producer is not None:
            _discard(self._producer)
            self._producer = None

    def _transact(self, producer: KafkaProducer, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        producer.begin_transaction()
        sent = [_send(producer, record) for record in records]
        producer.flush(self._transaction_seconds)
        # K2: a batch that ran out of retries does not fail the transaction. Ask every record, before the commit. With
        # nothing in flight the client's own epoch bump (K3) cannot turn a commit into a silent abort either.
        written: list[int] = [future.get(timeout=0).offset for future in sent]
        # K5: these two wait without a timeout, while the heartbeat goes on and nobody takes over.
        with self._watchdog.watching(f"commit of '{self._transactional_id}'"):
            if offsets is not None:
                producer.send_offsets_to_transaction(_positions(offsets), _group(offsets))
            producer.commit_transaction()
        return written

    def _open(self) -> KafkaProducer:
        with translated(f"start transactions of '{self._transactional_id}'", self._background):
            producer = connect(KafkaProducer, self._background, **self._config)
            try:
                producer.init_transactions()
            except BaseException:
                _discard(producer)
                raise
        return producer


def _config(settings: KafkaSettings, transactional_id: str) -> dict[str, Any]:
    request, transaction = settings.request_timeout_seconds, settings.transaction_timeout_seconds
    return {
        **client_config(settings),
        "transactional_id": transactional_id,
        "acks": "all",
        "enable_idempotence": True,
        "transaction_timeout_ms": milliseconds(transaction),
        # Longer than one request, and given up here before the coordinator gives up the transaction.
        "delivery_timeout_ms": milliseconds((request + transaction) / 2),
        "max_block_ms": milliseconds(transaction),
        "allow_auto_create_topics": False,
        "batch_size": BATCH_BYTES,
        # The broker's limit decides, topic by topic: a rejected record is its original and its headers.
        "max_request_size": REQUEST_BYTES,
        # A transaction that begins while the broker still writes the markers of the last one is told to retry. With
        # the default of 100 ms a small one takes 110 ms on Apache Kafka, with this 19.
        "retry_backoff_ms": RETRY_BACKOFF_MS,
    }


def _send(producer: KafkaProducer, record: Outgoing) -> Any:
    headers = list(record.headers)
    return producer.send(record.topic, record.value, record.key, headers, record.partition)


def _positions(offsets: Offsets) -> dict[TopicPartition, OffsetAndMetadata]:
    committed = {p: offsets.committed(p) for p in offsets.next}
    return {TopicPartition(offsets.topic, p): OffsetAndMetadata(*c, -1) for p, c in committed.items()}


def _group(offsets: Offsets) -> ConsumerGroupMetadata:
    member = offsets.membership
    return ConsumerGroupMetadata(member.group, member.generation, member.member, member.instance)


def _discard(producer: KafkaProducer) -> None:
    """Close within seconds, whatever state it is in (K7: the default is to wait for ever)."""
    try:
        producer.close(timeout=CLOSE_SECONDS)
    except KafkaError as error:
        # close() gives up when a record is undelivered, and leaves its thread sending. There is no public way to
        # stop it; what it still sends carries the old epoch and is refused.
        _log.info("producer of '%s' closed by force: %s", producer.config["transactional_id"], describe(error))
        producer._sender.force_close()
