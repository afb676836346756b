"""What librdkafka's consumers here have in common: how they are set up, and what their messages mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from consumers.source import Record
from producers.librdkafka_client import Background, client_config, describe, error_of
from stream.errors import BadRecord, SegstreamError
from stream.settings import KafkaSettings

# What librdkafka fetches ahead: enough for the next polls, and not what a whole restore would take.
AHEAD_POLLS = 5
AHEAD_KIBIBYTES = 8 * 1024

_GONE = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION})
_DAMAGED = frozenset({KafkaError._BAD_MSG, KafkaError._BAD_COMPRESSION, KafkaError.INVALID_MSG})


def reader_config(settings: KafkaSettings, background: Background) -> dict[str, Any]:
    """The configuration that members of a group and tails have in common."""
    return {
        **client_config(settings, background),
        "isolation.level": "read_committed",
        # "latest", the default, skips what retention deleted or what came before us without a word.
        "auto.offset.reset": "error",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "check.crcs": True,
        "queued.min.messages": AHEAD_POLLS * settings.max_poll_records,
        "queued.max.messages.kbytes": AHEAD_KIBIBYTES,
        # ... and how soon it goes on when some of that was taken. With the default of 1 s a backlog is read in jerks.
        "fetch.queue.backoff.ms": 10,
    }


def take(consumer: Consumer, most: int, timeout_seconds: float) -> list[Message]:
    """What is there, without waiting for more; waits only when nothing is. (``consume`` alone waits for ``most``.)"""
    first = consumer.poll(timeout_seconds)
    return [] if first is None else [first, *consumer.consume(most - 1, 0)]


def records_of(messages: Iterable[Any]) -> Iterator[Record]:
    """The records among them."""
    for m in messages:
        if m.error() is None:
            yield Record(m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value(), tuple(m.headers() or ()))


@contextmanager
def checked(gone: type[SegstreamError], topic: str) -> Iterator[None]:
    """Errors that no waiting mends: a person must look. Never skipped over."""
    try:
        yield
    except KafkaException as error:
        reason = error_of(error)
        if reason.code() in _GONE:
            raise gone(f"'{topic}' does not have the offset to read from: {describe(reason)}") from error
        if reason.code() in _DAMAGED:
            raise BadRecord(f"'{topic}' has a damaged record: {describe(reason)}") from error
        raise
