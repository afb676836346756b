"""The transactional sink on librdkafka, which takes a timeout wherever kafka-python waits for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from producers.kafka_client import milliseconds
from producers.librdkafka_client import Background, built, client_config, describe, error_of, hear, translated
from producers.librdkafka_membership import bytes_of
from producers.sink import Offsets, Outgoing
from producers.watchdog import Watchdog
from stream.errors import CommitFailed
from stream.settings import KafkaSettings

BATCH_BYTES = 512 * 1024
REQUEST_BYTES = 16 * 1024 * 1024


class LibrdkafkaSink:
    """One Kafka transaction at a time; see ``producers.sink.Sink``.

    The constructor fences and finishes what a dead predecessor of the same ``transactional_id`` left open, so
    build the sink *before* reading any committed offset. Raises ``BrokerUnavailable`` or ``SettingsError``.
    """

    def __init__(self, settings: KafkaSettings, transactional_id: str, watchdog: Watchdog) -> None:
        self._background = Background()
        self._config = _config(settings, transactional_id, self._background)
        self._transactional_id = transactional_id
        self._transaction_seconds = settings.transaction_timeout_seconds
        self._watchdog = watchdog
        self._producer: Producer | None = None
        self._live()

    def commit(self, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        """See ``Sink``."""
        if not records and offsets is None:
            return []
        if offsets is not None and not offsets.membership.is_valid:
            # Brokers do not fence generation -1, so we do. Nothing was sent: the producer stays.
            raise CommitFailed(f"no longer a member of group '{offsets.membership.group}'")
        self._live()
        try:
            return self._transact(records, offsets)
        except BaseException as error:
            # Which errors can be retried, which be aborted and which are fatal is a long chapter of librdkafka's. The
            # short one: whatever it was, this producer never writes again.
            self.close()
            # SystemError: fenced while it flushes, confluent-kafka calls back with the fatal error already raised.
            if not isinstance(error, KafkaException | BufferError | SystemError):
                raise
            # The first act of the new one makes the broker finish the open transaction: from here on, committed
            # offsets tell what came of it.
            self._live()
            reason = describe(error_of(error)) if isinstance(error, KafkaException) else str(error)
            raise CommitFailed(f"transaction of '{self._transactional_id}': {reason}") from error

    def close(self) -> None:
        """See ``Sink``.

        Without a reference left the producer ends at once, whatever state it is in. Its own ``close`` would first wait
        for what is unsent, then for an abort, both without a timeout. So no local variable below may hold it: errors
        keep those alive.
        """
        self._producer = None

    def _transact(self, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        self._live().begin_transaction()
        deliveries = _Deliveries(len(records))
        for number, record in enumerate(records):
            self._live().produce(**_produced(record), on_delivery=deliveries.of(number))
        self._live().flush(self._transaction_seconds)
        written = deliveries.offsets()
        with self._watchdog.watching(f"commit of '{self._transactional_id}'"):
            if offsets is not None:
                member = bytes_of(offsets.membership)
                self._live().send_offsets_to_transaction(_positions(offsets), member, self._transaction_seconds)
            self._live().commit_transaction(self._transaction_seconds)
        return written

    def _live(self) -> Producer:
        """The producer; a new one where the last was thrown away."""
        if self._producer is None:
            with translated(f"start transactions of '{self._transactional_id}'", self._background):
                self._producer = built(Producer, self._config)
                try:
                    self._producer.init_transactions(self._transaction_seconds)
                except BaseException:
                    hear(self._producer.poll, self._background)
                    self.close()
                    raise
        return self._producer


class _Deliveries:
    """What became of the records of one transaction, by their number."""

    def __init__(self, count: int) -> None:
        self._offsets: list[int | None] = [None] * count
        self._error: KafkaError | None = None

    def of(self, number: int) -> Callable[[KafkaError | None, Message], None]:
        """The callback of one record; called while the producer is flushed."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            self._offsets[number] = message.offset()
            self._error = self._error or error

        return delivered

    def offsets(self) -> list[int]:
        """Offset of every record. Raises ``KafkaException`` unless each was written, and is known where."""
        if self._error is not None:
            raise KafkaException(self._error)
        # A record whose first acknowledgement was lost is "written, and I do not know where": it has none either.
        known = [offset for offset in self._offsets if offset is not None]
        if len(known) < len(self._offsets):
            unknown = len(self._offsets) - len(known)
            raise KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT, f"{unknown} records without an offset"))
        return known


def _config(settings: KafkaSettings, transactional_id: str, background: Background) -> dict[str, Any]:
    request, transaction = settings.request_timeout_seconds, settings.transaction_timeout_seconds
    return {
        **client_config(settings, background),
        "transactional.id": transactional_id,
        "acks": "all",
        "enable.idempotence": True,
        "transaction.timeout.ms": milliseconds(transaction),
        "socket.timeout.ms": milliseconds(request),
        # Longer than one request, and given up here before the coordinator gives up the transaction.
        "message.timeout.ms": milliseconds((request + transaction) / 2),
        # A topic that is not there yet may come; it never takes longer than that.
        "topic.metadata.propagation.max.ms": milliseconds(request),
        "batch.size": BATCH_BYTES,
        # The broker's limit decides, topic by topic: a rejected record is its original and its headers.
        "message.max.bytes": REQUEST_BYTES,
        # One transaction is what is buffered; its size is bounded by the batch that made it. 0 = no limit.
        "queue.buffering.max.messages": 0,
    }


def _produced(record: Outgoing) -> dict[str, Any]:
    return {
        "topic": record.topic,
        "value": record.value,
        "key": record.key,
        "partition": record.partition,
        "headers": list(record.headers),
    }


def _positions(offsets: Offsets) -> list[TopicPartition]:
    committed = {p: offsets.committed(p) for p in offsets.next}
    return [TopicPartition(offsets.topic, p, c.offset, metadata=c.note) for p, c in committed.items()]
