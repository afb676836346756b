"""Overrides from the command line: an analyst's word on one customer, written as the event that it is."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from consumers.dossier import why_unknown
from consumers.speaker import speaker
from consumers.topics import topic_identity
from producers.kafka_writer import KafkaWriter
from producers.orders import Encoded, encode_override
from producers.writer import Writer
from stream.contracts.partitioning import partition_of
from stream.contracts.payloads import check
from stream.contracts.strict_json import parse_object
from stream.contracts.timestamps import RFC_3339, ms_of
from stream.errors import RejectedEvent, SegstreamError, SettingsError
from stream.settings import Tree
from stream.view.reader import Reader
from stream.view.redis_reader import RedisReader

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


@dataclass(frozen=True)
class Word:
    """What is to be said of a customer."""

    customer: str
    segment: str | None
    """``None`` lets go."""
    at_ms: int
    until_ms: int | None = None
    by: str | None = None
    reason: str | None = None

    def encoded(self, event_id: str) -> Encoded:
        """The event. Raises ``SettingsError`` where the contract would refuse it."""
        event = encode_override(event_id, self.customer, self.at_ms, self.segment, self.until_ms, self.by, self.reason)
        try:
            check(parse_object(event.payload))
        except RejectedEvent as error:
            raise SettingsError(f"that cannot be said: {error.detail}") from None
        return event


def said(customer: str, segment: str | None, until: str | None, by: str | None, reason: str | None) -> Word:
    """A word of now; who says it is by default whoever is logged in. Raises ``SettingsError``."""
    at_ms = time.time_ns() // 1_000_000
    until_ms = None if until is None else until_from(until, at_ms)
    return Word(customer, segment, at_ms, until_ms, speaker(by), reason or None)


def until_from(text: str, at_ms: int) -> int:
    """A moment after ``at_ms``, from a time or a duration. Raises ``SettingsError``.

    >>> until_from("7d", 0), until_from("1970-01-02T00:00:00+01:00", 0)
    (604800000, 82800000)
    """
    duration = _DURATION.fullmatch(text)
    if duration:
        return at_ms + int(duration[1]) * _UNIT_MS[duration[2]]
    try:
        until_ms = ms_of(text) if re.match(RFC_3339, text) else None
    except ValueError:
        until_ms = None
    if until_ms is None:
        raise SettingsError(f"--until {text}: write a time like 2030-01-31T00:00:00Z, or 12h, 7d, 4w")
    if until_ms <= at_ms:
        raise SettingsError(f"--until {text} is over already")
    return until_ms


def tell(settings: Tree, word: Word) -> str:
    """Write it; returns what was said, in words. Raises ``SegstreamError``: then nothing was."""
    topic = settings.topics.events
    _, partitions = topic_identity(settings, topic)
    with closing(RedisReader(settings.redis)) as reader:
        name = refuse(reader, word, partitions)
    with closing(KafkaWriter(settings.kafka)) as writer:
        write(writer, topic, word)
    return name


def refuse(reader: Reader, word: Word, partitions: int) -> str:
    """Raise ``SegstreamError`` for what nobody can mean; returns the name of the segment, if there is one.

    A slip of the pen should not make a customer. Only the worker knows what counts in the end: see ``unknown_segment``.
    """
    profiles = {id_: profile for id_, profile in reader.segments().items() if not profile["retiring"]}
    if word.segment is not None and word.segment not in profiles:
        raise SettingsError(f"there is no segment '{word.segment}' to be held in; {_there_are(profiles)}")
    key = word.customer.encode(errors="surrogateescape")  # as the command line gave it
    if reader.segment(key) is None:
        raise SegstreamError(why_unknown(reader, partition_of(key, partitions), key, word.customer))
    return "" if word.segment is None else str(profiles[word.segment]["name"])


def write(writer: Writer, topic: str, word: Word) -> None:
    """Write it as an event. Raises ``SettingsError`` and ``BrokerUnavailable``."""
    event = word.encoded(f"override-{uuid.uuid4().hex}")
    writer.send(topic, event.key, event.payload)
    writer.flush()


def _there_are(profiles: Mapping[str, Mapping[str, Any]]) -> str:
    if not profiles:
        return "there are no segments yet"
    return "there are " + ", ".join(f"{id_} ({profiles[id_]['name']})" for id_ in sorted(profiles, key=len))
