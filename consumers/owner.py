"""The model owner: whoever owns the single partition of the learning topic learns, and publishes snapshots.

Kafka's group protocol elects it and the transaction fences it: a snapshot and the learning offset it includes are
committed together, and a new owner starts from the newest snapshot, at that offset. If no owner lives the model grows
stale and nothing stops.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consumers.announcing import drift_message, ledger_message, profile_messages
from consumers.insisting import STUCK_AFTER, mend, pause_seconds
from consumers.minutes import said_messages
from consumers.model_finding import find_model
from consumers.source import Poll, Record, Source, Tail
from consumers.takeover import LEARNING, SLOTS, Start, find_start, note_of, slot_of
from producers.sink import Offsets, Outgoing, Sink
from stream.contracts import commands
from stream.contracts.segments import SegmentProfile, encode_entry, encode_profile
from stream.customer.features import FeatureSet
from stream.errors import BadRecord, BrokerUnavailable, CommitFailed, SettingsError, StoreUnavailable
from stream.metrics import OwnerMetrics
from stream.model.learner import Learner
from stream.model.learning import LearningRecord
from stream.model.macro_step import MacroStep
from stream.settings import Tree
from stream.view.store import Store

log = logging.getLogger(__name__)

DRIFT_KEY = b"drift"
"""Of drifts on the ledger, which are of no one segment."""
STILL_SECONDS = 86_400.0
"""A frozen model is published again this often: who holds its segments changes, and what was learnt can be trimmed."""
TRIM_SECONDS = 60.0
"""The learning topic is trimmed this often: it is a request of its own, and a minute's rows are some megabytes."""
_REFUSED_SECONDS = 3600.0
"""... and so long after the broker would not: the embedded one cannot."""


@dataclass(frozen=True)
class OwnerWiring:
    """What the owner talks to."""

    source: Source
    sink: Callable[[], Sink]
    """Opened at each take-over and not before: it fences the last owner and ends what that one left open."""
    tail: Tail
    store: Store
    trim: Callable[[int], None]
    """Delete the learning rows below an offset."""
    metrics: OwnerMetrics
    now_seconds: Callable[[], float]
    wait: Callable[[float], None]


class Owner:
    """Learns rows, takes macro steps, publishes snapshots, ledger and profiles."""

    def __init__(self, settings: Tree, features: FeatureSet, wiring: OwnerWiring) -> None:
        self._settings, self._features, self._wiring = settings, features, wiring
        self._epoch = -1
        self._sink: Sink | None = None
        self._learner: Learner | None = None
        self._next = 0
        self._overdue_at: int | None = None
        self._published_at = self._trim_at = 0.0
        self._failures = 0
        self._included: deque[int] = deque(maxlen=SLOTS)

    @property
    def next_offset(self) -> int:
        """First offset of the learning topic not yet learnt; 0 while nobody knows."""
        return self._next

    def run_once(self, timeout_seconds: float | None = None) -> MacroStep | None:
        """One round: learn what came, and take a macro step when it is due."""
        wiring = self._wiring
        wait = self._settings.kafka.poll_timeout_seconds if timeout_seconds is None else timeout_seconds
        try:
            poll = wiring.source.poll(wait)
            if poll.epoch != self._epoch:
                self._epoch = poll.epoch
                self._retire()
                if LEARNING in poll.assigned:
                    self._take_over()
                return None  # what this poll brought comes again: it may begin behind what has to be learnt next
            if self._learner is None:
                return None
            for record in poll.records.get(LEARNING, ()):
                self._learn(self._learner, record)
            return self._macro_step(self._learner, poll)
        except CommitFailed as error:
            self._failures += 1
            log.warning("snapshot not committed, starting again from the newest: %s", error)
            if self._failures >= STUCK_AFTER:
                log.error("stuck: %d snapshots failed in a row: %s; %s", self._failures, error, mend(error))
            self._start_again()
            wiring.wait(pause_seconds(self._failures))
        except BrokerUnavailable as error:
            log.warning("waiting: %s", error)
            self._start_again()
            wiring.wait(1.0)
        return None

    def close(self) -> None:
        """Leave the group and release connections."""
        self._retire()
        for part in (self._wiring.source, self._wiring.tail, self._wiring.store):
            part.close()

    def _start_again(self) -> None:
        self._epoch, self._next = -1, 0

    def _retire(self) -> None:
        self._learner, self._next = None, 0
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def _take_over(self) -> None:
        """Go on from the newest snapshot, at the offset it names."""
        wiring = self._wiring
        self._sink = wiring.sink()
        start = find_start(self._settings, self._features, wiring.source, wiring.tail, wiring.now_seconds, wiring.wait)
        wiring.source.seek(LEARNING, start.offset)
        self._learner, self._next = start.learner, start.offset
        self._overdue_at, self._published_at = start.overdue_at, start.written_at_seconds
        self._included = deque(start.included, maxlen=SLOTS)
        self._trim_at = wiring.now_seconds() + TRIM_SECONDS
        self._tell(start)

    def _tell(self, start: Start) -> None:
        snapshot, now = start.learner.snapshot, self._wiring.now_seconds()
        if snapshot is not None:
            self._wiring.metrics.show(snapshot, start.written_at_seconds)
            if (drift := start.learner.drift()) is not None:
                self._wiring.metrics.drift.show(drift)
            self._show(profile_messages(self._features, self._settings.value, snapshot, round(now * 1000)))

    def _learn(self, learner: Learner, record: Record) -> None:
        self._next = record.offset + 1
        if record.key == commands.KEY:
            self._obey(learner, record)
            return
        try:
            learner.learn(LearningRecord.unpack(record.value or b""))
        except BadRecord as error:
            log.error("learning record at offset %d refused: %s", record.offset, error)
            self._wiring.metrics.refused.labels("bad_record").inc()

    def _obey(self, learner: Learner, record: Record) -> None:
        """What an analyst said. What cannot be done is said in the log, and the next command counts."""
        try:
            command = commands.decode_command(record.value or b"")
        except BadRecord as error:
            log.error("command at offset %d refused: %s", record.offset, error)
            self._wiring.metrics.refused.labels("bad_command").inc()
            return
        topic, id_ = self._settings.topics.model, self._features.features_id
        earlier = find_model(self._wiring.tail, topic, id_, command.version) if command.deed == "rollback" else None
        if refusal := learner.obey(command, earlier):
            log.warning("command '%s' at offset %d not obeyed: %s", command.deed, record.offset, refusal)
            self._wiring.metrics.refused.labels("command").inc()

    def _macro_step(self, learner: Learner, poll: Poll) -> MacroStep | None:
        now, sink = self._wiring.now_seconds(), self._sink
        if sink is None or not (self._is_overdue(learner) or self._is_due(learner, now)):
            return None
        step = learner.macro_step(self._next)
        wall_ms = round(now * 1000)
        profiles = profile_messages(self._features, self._settings.value, step.snapshot, wall_ms)
        records = self._records(learner, step, profiles, wall_ms)
        note = {LEARNING: note_of(step.snapshot)}
        offsets = Offsets(self._settings.topics.learning, {LEARNING: self._next}, poll.membership, note)
        sink.commit(records, offsets)
        self._published_at, self._overdue_at, self._failures = self._wiring.now_seconds(), None, 0
        self._included.append(self._next)
        self._show(profiles)
        self._trim()
        kinds: list[str] = [entry.kind for entry in step.entries]
        kinds += ["said" for _ in step.heard] + ["drift" for _ in step.drift.turns]
        self._wiring.metrics.observe(step.snapshot, kinds, self._published_at - now, self._published_at)
        self._wiring.metrics.drift.observe(step.drift)
        return step

    def _is_due(self, learner: Learner, now_seconds: float) -> bool:
        if self._overdue_at is not None:
            return False
        if learner.is_told:
            return True
        model = self._settings.model
        is_still = model.frozen and learner.snapshot is not None
        interval_seconds = max(model.interval_seconds, STILL_SECONDS) if is_still else model.interval_seconds
        # A wall clock that was set back must not make it wait for as long again.
        return learner.due and not 0 <= now_seconds - self._published_at < interval_seconds

    def _is_overdue(self, learner: Learner) -> bool:
        """Whether a version that was published and is gone must be succeeded: workers may be waiting for it."""
        return self._overdue_at is not None and self._next >= self._overdue_at and learner.is_peopled

    def _trim(self) -> None:
        """Delete what the oldest of the snapshots that survive compaction includes: nobody will learn it again."""
        now = self._published_at
        if len(self._included) < SLOTS or now < self._trim_at:
            return
        self._trim_at = now + TRIM_SECONDS
        try:
            self._wiring.trim(self._included[0])
        except (BrokerUnavailable, SettingsError) as error:
            log.warning("the learning topic is not trimmed and grows: %s", error)
            self._trim_at = now + _REFUSED_SECONDS

    def _records(
        self, learner: Learner, step: MacroStep, profiles: Sequence[SegmentProfile], wall_ms: int
    ) -> list[Outgoing]:
        topics, value = self._settings.topics, self._settings.value
        entries = [ledger_message(self._features, value, entry, wall_ms) for entry in step.entries]
        entries += said_messages(step, learner.state.now_ms, wall_ms)
        turns, version = step.drift.turns, step.snapshot.version
        return [
            Outgoing(topics.model, 0, slot_of(step.snapshot), learner.to_record(step.snapshot)),
            *(Outgoing(topics.ledger, 0, e.segment_id.encode(), encode_entry(e)) for e in entries),
            *(Outgoing(topics.ledger, 0, DRIFT_KEY, encode_entry(drift_message(t, version, wall_ms))) for t in turns),
            *(Outgoing(topics.profiles, 0, e.id.encode(), None) for e in step.entries if e.kind == "retired"),
            *(Outgoing(topics.profiles, 0, p.id.encode(), encode_profile(p)) for p in profiles),
        ]

    def _show(self, profiles: Sequence[SegmentProfile]) -> None:
        """After the commit; if the store is away the next macro step shows them."""
        self._wiring.metrics.show_value(profiles)
        try:
            self._wiring.store.publish_segments({p.id: encode_profile(p) for p in profiles})
        except StoreUnavailable as error:
            log.warning("segments are committed but not shown yet: %s", error)
