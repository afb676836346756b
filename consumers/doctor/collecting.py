"""Collecting the facts: the only part of the doctor that talks to servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import islice

from consumers.doctor.facts import Facts, KeySample, ModelFacts, PartitionFacts
from consumers.following import read_between
from consumers.kafka_tail import KafkaTail
from consumers.source import Record, Tail
from consumers.topics import Topic, describe, shapes
from stream.contracts.partitioning import partition_of
from stream.customer.features import FeatureSet
from stream.errors import BadRecord, SegstreamError
from stream.model.snapshot_record import read as read_snapshot
from stream.packing import unpack
from stream.settings import Tree
from stream.view.journal import JournalPart, Mark
from stream.view.reader import Reader
from stream.view.redis_reader import RedisReader
from stream.view.redis_store import RedisStore

SAMPLE = 1_000
"""Events whose keys are looked at."""
_LAST = 64
"""Records of a topic's end in which its newest whole batch, or its newest good snapshot, is looked for."""


def collect(settings: Tree, now_ms: int) -> Facts:
    """Ask everybody. Errors become facts; nothing is raised but for bugs."""
    facts = Facts(settings, FeatureSet(settings.customers).features_id, now_ms)
    try:
        facts = replace(facts, topics=describe(settings.kafka, list(shapes(settings.topics))))
        with closing(KafkaTail(settings.kafka)) as tail:
            facts = broker_facts(facts, tail)
    except SegstreamError as error:
        facts = replace(facts, broker_error=str(error))
    try:
        with closing(RedisStore(settings.redis)) as store, closing(RedisReader(settings.redis)) as reader:
            return store_facts(replace(facts, store=store.check()), reader)
    except SegstreamError as error:
        return replace(facts, store_error=str(error))


def broker_facts(facts: Facts, tail: Tail) -> Facts:
    """With what the topics tell. Raises ``BrokerUnavailable``."""
    topics, found = facts.settings.topics, facts.topics
    events = found.get(topics.events)
    learning = _last(tail, found, topics.learning)
    return replace(
        facts,
        keys=sample_keys(tail, topics.events, events.partitions) if events else KeySample(),
        partitions={
            p: _journal_facts(tail, topics.journal, p)
            for p in range(found[topics.journal].partitions if topics.journal in found else 0)
        },
        model=_model_facts(_last(tail, found, topics.model)),
        learnt_at_ms=learning[-1].timestamp_ms if learning else None,
    )


def store_facts(facts: Facts, reader: Reader) -> Facts:
    """With what the view tells of each partition. Raises ``StoreUnavailable`` and ``BadRecord``."""
    count = max(facts.settings.topics.partitions, len(facts.partitions))
    partitions = {}
    for partition in range(count):
        watermark = reader.watermark(partition)
        partitions[partition] = replace(
            facts.partitions.get(partition, PartitionFacts()),
            applied=None if watermark is None else Mark.from_bytes(watermark),
            status=reader.status(partition),
        )
    return replace(facts, partitions=partitions)


def sample_keys(tail: Tail, topic: str, partitions: int) -> KeySample:
    """The newest records of each partition, ``SAMPLE`` in all: are they where murmur2 of their key says?"""
    records = keyless = misplaced = 0
    for partition in range(partitions):
        first, end = tail.bounds(topic, partition)
        most = max(SAMPLE // partitions, 1)
        for record in islice(read_between(tail, topic, partition, max(first, end - most), end), most):
            records += 1
            keyless += record.key is None
            misplaced += record.key is not None and partition_of(record.key, partitions) != partition
    return KeySample(records, keyless, misplaced)


def _journal_facts(tail: Tail, topic: str, partition: int) -> PartitionFacts:
    first, end = tail.bounds(topic, partition)
    batches = list(_whole_batches(read_between(tail, topic, partition, max(first, end - _LAST), end)))
    if not batches:
        return PartitionFacts(journal_first=first)
    written, written_at_ms = batches[-1]
    oldest = next(read_between(tail, topic, partition, max(first, written.floor), end), None)
    return PartitionFacts(
        journal_first=first,
        written=written,
        written_at_ms=written_at_ms,
        floor_at_ms=oldest.timestamp_ms if oldest else written_at_ms,
    )


def _whole_batches(records: Iterator[Record]) -> Iterator[tuple[Mark, int]]:
    for record in records:
        part = JournalPart.unpack(record.value or b"")
        if part.is_last:
            yield replace(part.mark, journal=record.offset), record.timestamp_ms


def _model_facts(records: list[Record]) -> ModelFacts | None:
    """Of the newest good snapshot, whatever features it is of."""
    for record in reversed(records):
        try:
            snapshot = read_snapshot(*unpack(record.value or b""))
        except BadRecord:  # an owner wrote a newer one, or will
            continue
        return ModelFacts(snapshot.version, snapshot.kind, snapshot.features_id, record.timestamp_ms)
    return None


def _last(tail: Tail, found: Mapping[str, Topic], topic: str) -> list[Record]:
    """The last records of a topic of one partition, none if there is no such topic."""
    if topic not in found:
        return []
    first, end = tail.bounds(topic, 0)
    return list(read_between(tail, topic, 0, max(first, end - _LAST), end))
