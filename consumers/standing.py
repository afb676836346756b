"""Where the model stands, as its topic says: the newest, what waits for a person, and what can be gone back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from consumers.following import read_between
from consumers.model_feed import read_back
from consumers.source import Record, Tail
from stream.customer.features import FeatureSet
from stream.customer.state import segment_id
from stream.errors import BadRecord, SegstreamError
from stream.model.grouping import Grouping
from stream.model.likeness import Likeness, Outcome, alike, outcomes_of
from stream.model.merging import Merger, merger
from stream.model.number import Number
from stream.model.proposals import Docket, Flows
from stream.model.snapshot import Snapshot
from stream.model.state import State, unpack_state
from stream.settings import Tree, ValueSettings

KEPT = 64
"""Offsets at the end of the model topic that are looked through: more than the snapshots that compaction spares."""


@dataclass(frozen=True)
class Pair:
    """Two segments that do not differ in outcome, and what would come of merging the smaller into the larger."""

    likeness: Likeness
    merger: Merger
    outcomes: tuple[Outcome, Outcome]
    """Of the one that would go, and of the other."""

    def to_json(self) -> dict[str, Any]:
        """Plain data; the figures are those of the profiles."""
        return {
            "merge": segment_id(self.merger.number),
            "into": segment_id(self.merger.into),
            "ratios": self.likeness.ratios,
            "retention_difference": self.likeness.retention,
            "retention_error": self.likeness.retention_error,
            "joining": self.merger.joining,
            "elsewhere": self.merger.elsewhere,
            "others": self.merger.others,
            "refusal": self.merger.refusal or None,
        }


@dataclass(frozen=True)
class Standing:
    """The newest model, what waits for a person, and what can be gone back to."""

    snapshot: Snapshot
    docket: Docket
    number: Number | None
    versions: tuple[int, ...]
    """Of the models that are still kept, oldest first."""
    pairs: tuple[Pair, ...]
    """Segments that might as well be one, the most alike first; none of a model of river's, which cannot be merged."""
    state: State
    record: bytes = field(repr=False)
    """Of the newest model, as the topic has it."""
    is_exact: bool = False
    """Whether the matrix of the proposal is of every customer; else it is the owner's, of cells."""

    def foretelling(self, flows: Flows) -> Standing:
        """The same with the matrix of every customer, if anybody has to be asked."""
        waiting = self.docket.waiting and replace(self.docket.waiting, flows=flows)
        return replace(self, docket=replace(self.docket, waiting=waiting), is_exact=True)

    def to_json(self) -> dict[str, Any]:
        """As ``segstream model show --json`` prints it."""
        waiting = self.docket.waiting
        return {
            "version": self.snapshot.version,
            "kind": self.snapshot.kind,
            "segments": [{"id": s.id, "name": s.name, "customers": s.customers} for s in self.snapshot.segments],
            "versions": list(self.versions),
            "advice": dict(self.number.advice) if self.number else {},
            "cautious": self.docket.is_cautious,
            "alike": [pair.to_json() for pair in self.pairs],
            "proposal": waiting
            and {
                "number": waiting.version,
                "gain": waiting.gain,
                "moved_share": waiting.moved_share,
                "exact": self.is_exact,
                "flows": [
                    {"from_id": segment_id(old), "to_id": segment_id(new), "customers": n}
                    for old, row in sorted(waiting.flows.items())
                    for new, n in sorted(row.items())
                ],
            },
        }


def standing(settings: Tree, features: FeatureSet, tail: Tail) -> Standing:
    """Read it off the model topic. Raises ``SegstreamError`` where there is no model yet, ``BrokerUnavailable``."""

    def state_of(record: Record) -> State | None:
        try:
            state = unpack_state(record.value or b"", settings.model)
        except BadRecord:
            return None
        return state if state.snapshot is not None and state.snapshot.features_id == features.features_id else None

    topic = settings.topics.model
    first, end = tail.bounds(topic, 0)
    records = [*read_between(tail, topic, 0, max(first, end - KEPT), end)]
    if not any(map(state_of, records)):
        records, _ = read_back(tail, topic, lambda record: state_of(record) is not None)
    found = [(state, record.value or b"") for record in records if (state := state_of(record)) is not None]
    states = {s.snapshot.version: (s.snapshot, s, value) for s, value in found if s.snapshot is not None}
    if not states:
        wanted = settings.model.warmup_customers
        raise SegstreamError(f"there is no model yet: the first comes when {wanted:,} customers have been seen")
    (snapshot, newest, value), versions = states[max(states)], tuple(sorted(states))
    pairs = pairs_of(newest, outcomes_of(features, settings.value, snapshot), settings.value)
    return Standing(snapshot, newest.docket, newest.number, versions, pairs, newest, value)


def pairs_of(state: State, outcomes: Mapping[int, Outcome], settings: ValueSettings) -> tuple[Pair, ...]:
    """The pairs that are alike, each with what a merge would bring."""
    if state.snapshot is None or state.river is not None:
        return ()

    def pair(numbers: tuple[int, int], seen: Likeness) -> Pair:
        number, into = sorted(numbers, key=lambda n: (outcomes[n].holding.active, -n))
        return Pair(seen, foretold_merger(state, number, into), (outcomes[number], outcomes[into]))

    return tuple(pair(numbers, seen) for numbers, seen in alike(outcomes, settings).items())


def foretold_merger(state: State, number: int, into: int) -> Merger:
    """What a merge would bring now; there must be a model with the two in it."""
    snapshot = state.snapshot
    if snapshot is None:
        raise ValueError("there is no model")
    masses = state.population.masses(snapshot.scale)
    return merger(masses[masses.n > 0], Grouping.of(snapshot), number, into, snapshot.margin)
