"""Taking over: from which snapshot a new model owner goes on, and from which offset of the learning topic.

A snapshot and the learning offset it includes are committed together, and the snapshot's version is noted beside the
offset. So both name each other, and a new owner can tell the newest snapshot from one that is merely the newest it
sees. The learning topic reaches back further than that, to the oldest snapshot that compaction spares: should the
newest be damaged, the one before it, at its own offset, leads to the same sums.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from consumers.model_feed import read_back
from consumers.source import SETTLED_SECONDS, Record, Source, Tail
from producers.sink import Committed
from stream.customer.features import DAY_MS, FeatureSet
from stream.customer.signals import RawSignals
from stream.drift.monitor import SETTLED_HALF_LIVES, Plan
from stream.errors import BadRecord, Disagreement
from stream.model.learner import Learner
from stream.model.snapshot import Snapshot
from stream.settings import KafkaSettings, Tree

log = logging.getLogger(__name__)

LEARNING = 0
"""The only partition of the learning topic."""
SLOTS = 8
"""Snapshots that survive compaction."""
_LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Start:
    """Where an owner begins."""

    learner: Learner
    offset: int
    """First offset of the learning topic that ``learner`` has not learnt."""
    included: tuple[int, ...] = ()
    """The same of the last snapshots, oldest first: they can still be gone on from."""
    written_at_seconds: float = 0.0
    """Wall clock of the snapshot."""
    overdue_at: int | None = None
    """Offset at which a macro step is due because a newer snapshot than this one was committed and is gone."""


def owner_group(kafka: KafkaSettings) -> str:
    """The group of the model owners, beside that of the workers."""
    return f"{kafka.group}-owner"


def owner_id(kafka: KafkaSettings) -> str:
    """The transactional id of all model owners, on whatever host: only one of them may write."""
    return f"{kafka.transactional_id}-owner"


def note_of(snapshot: Snapshot) -> str:
    """What is noted beside the learning offset."""
    return str(snapshot.version)


def slot_of(snapshot: Snapshot) -> bytes:
    """Key of a snapshot: compaction keeps the newest of each slot, so one bad snapshot is never all that is left."""
    return b"%d" % (snapshot.version % SLOTS)


def plan_of(settings: Tree, features: FeatureSet) -> Plan:
    """What of drift is watched, and from when on the population is old enough to be a reference."""
    settle_days = SETTLED_HALF_LIVES * settings.customers.half_life_ms / DAY_MS
    return Plan(settings.drift, RawSignals(features).names, settle_days, settings.topics.partitions)


def find_start(
    settings: Tree,
    features: FeatureSet,
    source: Source,
    tail: Tail,
    now_seconds: Callable[[], float],
    wait: Callable[[float], None],
) -> Start:
    """Where to begin. Raises ``Disagreement`` when rows were learnt and are lost, ``BrokerUnavailable``."""
    committed = source.committed([LEARNING])[LEARNING]
    deadline = now_seconds() + SETTLED_SECONDS
    while True:
        start = _newest(settings, features, tail, committed)
        if committed is None or _is_of(start.learner.snapshot, committed) or now_seconds() > deadline:
            break
        wait(_LOOK_AGAIN_SECONDS)
    first = source.beginning([LEARNING])[LEARNING]
    snapshot = start.learner.snapshot
    if snapshot is None:
        _refuse_without_model(committed)
        return Start(start.learner, first)
    if snapshot.learning_offset < first:
        raise Disagreement(
            f"model {snapshot.version} includes learning up to {snapshot.learning_offset}, the learning topic begins "
            f"at {first}: rows between them are lost; rebuild the model's sums: segstream audit --repair"
        )
    if committed is None or _is_of(snapshot, committed):
        return start
    log.error("model '%s' is committed but not readable: going on from %d", committed.note, snapshot.version)
    start.learner.succeed(int(committed.note) if committed.note.isdecimal() else snapshot.version + 1)
    return replace(start, overdue_at=committed.offset)


def _newest(settings: Tree, features: FeatureSet, tail: Tail, committed: Committed | None) -> Start:
    """The good snapshot of the greatest version that is readable; the last in the topic may be an old one again."""

    plan = plan_of(settings, features)

    @cache
    def learner_of(record: Record) -> Learner | None:
        try:
            return Learner.from_record(record.value or b"", features, settings.model, plan)
        except BadRecord as error:
            log.warning("snapshot at offset %d refused: %s", record.offset, error)
            return None

    def is_sought(record: Record) -> bool:
        learner = learner_of(record)
        return learner is not None and (committed is None or _is_of(learner.snapshot, committed))

    records, _ = read_back(tail, settings.topics.model, is_sought)
    good = [(record, learner) for record in records if (learner := learner_of(record))]
    if not good:
        return Start(Learner(features, settings.model, plan=plan), 0)
    good.sort(key=lambda pair: pair[1].snapshot.version if pair[1].snapshot else 0)
    included = [learner.snapshot.learning_offset for _, learner in good[-SLOTS:] if learner.snapshot]
    record, newest = good[-1]
    return Start(newest, included[-1], tuple(included), record.timestamp_ms / 1000)


def _is_of(snapshot: Snapshot | None, committed: Committed) -> bool:
    """Whether offset and snapshot were committed together. The embedded broker does not keep notes."""
    if snapshot is None or committed.offset != snapshot.learning_offset:
        return False
    return committed.note in ("", note_of(snapshot))


def _refuse_without_model(committed: Committed | None) -> None:
    if committed is not None:
        raise Disagreement(
            f"learning is committed to offset {committed.offset}, but the model topic has no good snapshot: "
            "restore the topic, or delete the owner group's offset to learn what the learning topic still has"
        )
