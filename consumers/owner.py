"""The model owner: whoever owns the single partition of the learning topic learns, and publishes snapshots.

Kafka's group protocol elects it and the transaction fences it: a snapshot and the learning offset it includes are
committed together, and a new owner starts from the newest snapshot, at that offset. If no owner lives the model grows
stale and nothing stops.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consumers.announcing import ledger_message, profile_messages
from consumers.model_feed import read_back
from consumers.source import Poll, Record, Source, Tail
from producers.sink import Offsets, Outgoing, Sink
from stream.contracts.segments import SegmentProfile, encode_entry, encode_profile
from stream.customer.features import FeatureSet
from stream.errors import BadRecord, BrokerUnavailable, CommitFailed, Disagreement, StoreUnavailable
from stream.metrics import OwnerMetrics
from stream.model.learner import Learner, MacroStep
from stream.model.learning import LearningRecord
from stream.model.snapshot import Snapshot
from stream.settings import Tree
from stream.view.store import Store

log = logging.getLogger(__name__)

LEARNING = 0
"""The only partition of the learning topic."""
SLOTS = 8
"""Snapshots that survive compaction."""


@dataclass(frozen=True)
class OwnerWiring:
    """What the owner talks to."""

    source: Source
    sink: Sink
    tail: Tail
    store: Store
    metrics: OwnerMetrics
    now_seconds: Callable[[], float]
    wait: Callable[[float], None]


class Owner:
    """Learns rows, takes macro steps, publishes snapshots, ledger and profiles."""

    def __init__(self, settings: Tree, features: FeatureSet, wiring: OwnerWiring) -> None:
        self._settings, self._features, self._wiring = settings, features, wiring
        self._epoch = -1
        self._learner: Learner | None = None
        self._next = 0
        self._published_at = 0.0

    @property
    def next_offset(self) -> int:
        """First offset of the learning topic not yet learnt."""
        return self._next

    def run_once(self, timeout_seconds: float | None = None) -> MacroStep | None:
        """One round: learn what came, and take a macro step when it is due."""
        wiring = self._wiring
        wait = self._settings.kafka.poll_timeout_seconds if timeout_seconds is None else timeout_seconds
        try:
            poll = wiring.source.poll(wait)
            if poll.epoch != self._epoch:
                self._epoch = poll.epoch
                self._learner = self._take_over() if LEARNING in poll.assigned else None
                return None  # what this poll brought comes again: it may begin behind what has to be learnt next
            if self._learner is None:
                return None
            for record in poll.records.get(LEARNING, ()):
                self._learn(self._learner, record)
            return self._macro_step(self._learner, poll)
        except CommitFailed as error:
            log.warning("snapshot not committed, starting again from the newest: %s", error)
            self._epoch = -1
        except BrokerUnavailable as error:
            log.warning("waiting: %s", error)
            self._epoch = -1
            wiring.wait(1.0)
        return None

    def close(self) -> None:
        """Leave the group and release connections."""
        for part in (self._wiring.source, self._wiring.sink, self._wiring.tail, self._wiring.store):
            part.close()

    def _take_over(self) -> Learner:
        """Go on from the newest snapshot, at the offset it names; the group's offset must agree with it."""
        wiring, topics = self._wiring, self._settings.topics
        learner, offset = Learner(self._features, self._settings.model), None
        for record in reversed(read_back(wiring.tail, topics.model, self._is_good)[0]):
            try:
                learner = self._learner_of(record)
                offset = learner.snapshot.learning_offset if learner.snapshot else None
                break
            except BadRecord as error:
                log.warning("snapshot at offset %d refused: %s", record.offset, error)
        committed = wiring.source.committed([LEARNING])[LEARNING]
        if committed is not None and offset is None:
            raise Disagreement(
                f"learning is committed to offset {committed.offset}, but the model topic has no good snapshot: "
                "restore the topic, or delete the owner group's offset to learn what the learning topic still has"
            )
        if committed is not None and committed.offset != offset:
            raise BrokerUnavailable(
                f"learning is committed to {committed.offset}, the newest snapshot includes {offset}"
            )
        self._next = wiring.source.beginning([LEARNING])[LEARNING] if offset is None else offset
        wiring.source.seek(LEARNING, self._next)
        if learner.snapshot is not None:
            self._show(profile_messages(self._features, learner.snapshot, round(wiring.now_seconds() * 1000)))
        return learner

    def _learner_of(self, record: Record) -> Learner:
        return Learner.from_record(record.value or b"", self._features, self._settings.model)

    def _is_good(self, record: Record) -> bool:
        try:
            self._learner_of(record)
        except BadRecord:
            return False
        return True

    def _learn(self, learner: Learner, record: Record) -> None:
        self._next = record.offset + 1
        try:
            learner.learn(LearningRecord.unpack(record.value or b""))
        except BadRecord as error:
            log.error("learning record at offset %d refused: %s", record.offset, error)
            self._wiring.metrics.refused.labels("bad_record").inc()

    def _macro_step(self, learner: Learner, poll: Poll) -> MacroStep | None:
        now = self._wiring.now_seconds()
        if (
            self._settings.model.frozen
            or not learner.due
            or now - self._published_at < self._settings.model.interval_seconds
        ):
            return None
        step = learner.macro_step(self._next)
        wall_ms = round(now * 1000)
        profiles = profile_messages(self._features, step.snapshot, wall_ms)
        records = self._records(learner, step, profiles, wall_ms)
        offsets = Offsets(self._settings.topics.learning, {LEARNING: self._next}, poll.membership)
        self._wiring.sink.commit(records, offsets)
        self._published_at = self._wiring.now_seconds()
        self._show(profiles)
        kinds = [entry.kind for entry in step.entries]
        self._wiring.metrics.observe(step.snapshot, kinds, self._published_at - now, self._published_at)
        return step

    def _records(
        self, learner: Learner, step: MacroStep, profiles: Sequence[SegmentProfile], wall_ms: int
    ) -> list[Outgoing]:
        topics = self._settings.topics
        return [
            Outgoing(topics.model, 0, _slot(step.snapshot), learner.to_record(step.snapshot)),
            *(
                Outgoing(topics.ledger, 0, e.id.encode(), encode_entry(ledger_message(e, wall_ms)))
                for e in step.entries
            ),
            *(Outgoing(topics.profiles, 0, e.id.encode(), None) for e in step.entries if e.kind == "retired"),
            *(Outgoing(topics.profiles, 0, p.id.encode(), encode_profile(p)) for p in profiles),
        ]

    def _show(self, profiles: Sequence[SegmentProfile]) -> None:
        """After the commit; if the store is away the next macro step shows them."""
        try:
            self._wiring.store.publish_segments({p.id: encode_profile(p) for p in profiles})
        except StoreUnavailable as error:
            log.warning("segments are committed but not shown yet: %s", error)


def _slot(snapshot: Snapshot) -> bytes:
    """Key of a snapshot: compaction keeps the newest of each slot, so one bad snapshot is never all that is left."""
    return b"%d" % (snapshot.version % SLOTS)
