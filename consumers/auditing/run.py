"""One audit, from the first read to the last part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from consumers.auditing.journaled import Journaled, read_journal
from consumers.auditing.population import (
    Census,
    Learnt,
    cell_differences,
    held_differences,
    holding_differences,
    learnt,
    tenure_differences,
)
from consumers.auditing.report import Part, part
from consumers.auditing.versions import read_histories, version_differences
from consumers.auditing.view import (
    Hashes,
    document_differences,
    hash_differences,
    state_differences,
    strangers,
)
from consumers.source import Tail
from stream.contracts.partitioning import partition_of
from stream.customer.features import FeatureSet
from stream.settings import TopicSettings, Tree
from stream.view.journal import Mark
from stream.view.reader import Reader

QUIET, JOURNAL, CELLS, HOLDERS = "quiet stream", "journal", "cells", "holders"
"""Checks by name, of those that a repair asks for."""


@dataclass(frozen=True)
class Examined:
    """What an audit found, for people and for a repair."""

    parts: list[Part]
    marks: Mapping[int, Mark | None]
    """Where the journal of each partition ends."""
    damaged: frozenset[int]
    """Partitions whose view is not that of the journal."""
    strangers: frozenset[bytes]
    """Customers with a public hash that no journal knows."""

    def holds(self, *checks: str) -> bool:
        """Whether nothing differs in these parts."""
        return all(part.holds for part in self.parts if part.check in checks)


def audit(settings: Tree, tail: Tail, reader: Reader, partitions: int, complete_since_ms: int) -> list[Part]:
    """The parts of ``examine``."""
    return examine(settings, tail, reader, partitions, complete_since_ms).parts


def examine(settings: Tree, tail: Tail, reader: Reader, partitions: int, complete_since_ms: int) -> Examined:
    """Compare everything with everything else, one partition's states in memory at a time.

    ``partitions`` of the input topic; ``complete_since_ms``: changes written since have not been compacted.
    Raises ``BrokerUnavailable``, ``StoreUnavailable``, and ``BadRecord`` for an unreadable journal.
    """
    features = FeatureSet(settings.customers)
    before = _ends(settings.topics, tail, partitions)
    learner = learnt(settings, features, tail)
    tally = _Tally(Census(features), dict(reader.customers()))
    for partition in range(partitions):
        journaled = read_journal(features, tail, settings.topics.journal, partition)
        tally.compare_view(reader, journaled, documents=settings.redis.features_document)
        tally.compare_changes(tail, settings.topics.changes, journaled, complete_since_ms)
    moved = _moved(before, _ends(settings.topics, tail, partitions))
    parts = [part(QUIET, f"{len(before)} ends of topics", moved), *tally.parts(learner)]
    strangers = frozenset(tally.hashes.keys() - tally.known)
    homes = {partition_of(customer, partitions) for customer in strangers}
    return Examined(parts, tally.marks, frozenset(tally.damaged | homes), strangers)


@dataclass
class _Tally:
    """What the partitions add up to."""

    census: Census
    hashes: Hashes
    known: set[bytes] = field(default_factory=set)
    marks: dict[int, Mark | None] = field(default_factory=dict)
    damaged: set[int] = field(default_factory=set)
    changes: int = 0
    journal: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    public: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    def compare_view(self, reader: Reader, journaled: Journaled, *, documents: bool) -> None:
        """Count a partition's customers, and hold the store against them."""
        self.census.count(journaled.rows)
        self.known |= {customer.encode() for customer in journaled.customers}
        self.journal += journaled.faults
        self.marks[journaled.partition] = journaled.mark
        states = list(state_differences(reader, journaled))
        public = list(hash_differences(self.hashes, journaled))
        public += document_differences(reader, journaled) if documents else ()
        if states or public:
            self.damaged.add(journaled.partition)
        self.states += states
        self.public += public

    def compare_changes(self, tail: Tail, topic: str, journaled: Journaled, complete_since_ms: int) -> None:
        """Hold a partition's changes against its customers."""
        histories = read_histories(tail, topic, journaled.partition, complete_since_ms)
        self.changes += histories.records
        self.versions += version_differences(histories, journaled)

    def parts(self, learner: Learnt) -> list[Part]:
        """All comparisons but that of the ends."""
        cells = [*learner.faults, *cell_differences(learner.census, self.census)]
        held = [
            *held_differences(learner.census.held, self.census.held),
            *holding_differences(learner.census.holdings, self.census.holdings),
            *tenure_differences(learner.census.tenures, self.census.tenures),
        ]
        public = [*self.public, *strangers(self.hashes, self.known)]
        return [
            part(JOURNAL, f"{len(self.known):,} customers, back to the floor", self.journal),
            part(CELLS, f"{len(self.census.cells)} cells, {self.census.customers:,} customers", cells),
            part(HOLDERS, f"{len(self.census.held)} segments, {self.census.held.total():,} holders", held),
            part("states", f"{len(self.known):,} states in the store", self.states),
            part("public keys", f"{len(self.hashes):,} customers in the store", public),
            part("versions", f"{self.changes:,} changes", self.versions),
        ]


def _ends(topics: TopicSettings, tail: Tail, partitions: int) -> dict[str, int]:
    ends = {
        f"{topic}:{partition}": tail.bounds(topic, partition)[1]
        for topic in (topics.journal, topics.changes)
        for partition in range(partitions)
    }
    return {**ends, f"{topics.learning}:0": tail.bounds(topics.learning, 0)[1]}


def _moved(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    for where, end in before.items():
        if after[where] != end:
            yield f"{where} went from {end} to {after[where]}: stop the stream, or audit when it is quiet"
