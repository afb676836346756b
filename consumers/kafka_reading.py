"""What kafka-python's consumers here have in common: how they are set up, and what their records and errors mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CorruptRecordError, LogTruncationError, OffsetOutOfRangeError

from consumers.source import Record
from producers.kafka_client import client_config
from producers.kafka_network import describe
from stream.errors import BadRecord, SegstreamError
from stream.settings import KafkaSettings

CLOSE_MS = 3000


def reader_config(settings: KafkaSettings) -> dict[str, Any]:
    """The configuration that members of a group and tails have in common."""
    return {
        **client_config(settings),
        "isolation_level": "read_committed",
        # "latest", the default, skips what retention deleted or what came before us without a word.
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        "allow_auto_create_topics": False,
        "check_crcs": True,
        # No deserialisers: one that raises does so for ever, at the same offset.
        "max_poll_records": settings.max_poll_records,
    }


def unpark(consumer: KafkaConsumer, at: TopicPartition) -> None:
    """K12: forget what was fetched of a paused partition; its position is where nothing was handed out yet.

    The client parks such records, takes them back only in a state that never returns once another partition was read,
    and fetches nothing while they are parked: the partition is never read again, without a word.
    """
    consumer._fetcher._paused_partition_records.pop(at, None)
    consumer._fetcher._paused_completed_fetches.pop(at, None)


def records_of(fetched: Sequence[Any]) -> list[Record]:
    """The same, as this project knows them."""
    return [Record(r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in fetched]


@contextmanager
def checked(gone: type[SegstreamError], topic: str) -> Iterator[None]:
    """Errors that no waiting mends: a person must look. Never skipped over."""
    try:
        yield
    except (OffsetOutOfRangeError, LogTruncationError) as error:
        raise gone(f"'{topic}' does not have the offset to read from: {describe(error)}") from error
    except CorruptRecordError as error:
        raise BadRecord(f"'{topic}' has a damaged record: {describe(error)}") from error
