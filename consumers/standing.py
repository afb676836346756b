"""Where the model stands, as its topic says: the newest, what waits for a person, and what can be gone back to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from consumers.following import read_between
from consumers.model_feed import read_back
from consumers.source import Record, Tail
from stream.customer.features import FeatureSet
from stream.customer.state import segment_id
from stream.errors import BadRecord, SegstreamError
from stream.model.number import Number
from stream.model.proposals import Docket, Flows
from stream.model.snapshot import Snapshot
from stream.model.state import State, unpack_state
from stream.settings import Tree

KEPT = 64
"""Offsets at the end of the model topic that are looked through: more than the snapshots that compaction spares."""


@dataclass(frozen=True)
class Standing:
    """The newest model, what waits for a person, and what can be gone back to."""

    snapshot: Snapshot
    docket: Docket
    number: Number | None
    versions: tuple[int, ...]
    """Of the models that are still kept, oldest first."""
    record: bytes = field(repr=False)
    """Of the newest model."""

    def foretelling(self, flows: Flows) -> Standing:
        """The same with another matrix of who would move where, if anybody has to be asked."""
        waiting = self.docket.waiting and replace(self.docket.waiting, flows=flows)
        return replace(self, docket=replace(self.docket, waiting=waiting))

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
            "proposal": waiting
            and {
                "number": waiting.version,
                "gain": waiting.gain,
                "moved_share": waiting.moved_share,
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
    return Standing(snapshot, newest.docket, newest.number, versions, value)
