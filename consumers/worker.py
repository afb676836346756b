"""The worker: poll, step, commit, apply. Kafka is the write-ahead log, Redis the pages.

A batch is committed in one transaction before anything of it is shown. Whatever goes wrong on the way, the committed
offset and the journal say what holds: the partitions concerned are restored from there and go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

import numpy as np

from consumers.assembling import Intake, assemble, decode_rules, take_in
from consumers.committing import Outcome, outcome, update
from consumers.gauging import Gauging
from consumers.holding import Gate
from consumers.insisting import Insistence
from consumers.model_feed import ModelFeed
from consumers.planning import Planner
from consumers.recovering import Recovery
from consumers.restoring import Restorer
from consumers.source import Poll, Source
from consumers.stopwatch import Stopwatch
from producers.sink import Offsets, Sink
from stream.customer.features import FeatureSet
from stream.decision.assign import Assigner
from stream.decision.batch import Batch, Step
from stream.decision.step import Stepper
from stream.errors import BrokerUnavailable, CommitFailed, Replaced, StoreUnavailable
from stream.metrics import WorkerMetrics
from stream.settings import Tree
from stream.view.journal import Mark
from stream.view.store import Loaded, Store, Wanted

log = logging.getLogger(__name__)

_STAMP_MS = attrgetter("timestamp_ms")


@dataclass(frozen=True)
class Clocks:
    """Wall clock and waiting, passed in so that tests have their own."""

    now_seconds: Callable[[], float]
    wait: Callable[[float], None]


@dataclass(frozen=True)
class Wiring:
    """What a worker talks to."""

    source: Source
    sink: Sink
    store: Store
    feed: ModelFeed
    restorer: Restorer
    gate: Gate
    gauging: Gauging
    metrics: WorkerMetrics
    clocks: Clocks


@dataclass(frozen=True)
class Done:
    """What one round did, for whoever watches: the lockstep runner, tests, the demo."""

    records: int = 0
    rejected: int = 0
    step: Step | None = None
    learning_next: int | None = None
    """First offset of the learning topic behind what this round wrote there."""


class Worker:
    """Owns input partitions and keeps the state of their customers."""

    def __init__(self, settings: Tree, features: FeatureSet, wiring: Wiring) -> None:
        self._settings, self._features, self._wiring = settings, features, wiring
        self._planner = Planner(settings)
        self._insistence = Insistence(wiring.metrics.health)
        self._recovery = Recovery(settings.kafka, wiring.source, wiring.feed, wiring.restorer)

    @property
    def marks(self) -> Mapping[int, Mark]:
        """Where each owned partition stands."""
        return dict(self._recovery.marks)

    @property
    def assigner(self) -> Assigner | None:
        """The model in use."""
        return self._wiring.feed.assigner

    def run_once(self) -> Done:
        """One round: at most one batch. Outages are waited out here; what a person must decide is raised."""
        wiring = self._wiring
        try:
            wiring.feed.refresh()
            held = wiring.gate.held()
            wait = self._settings.kafka.poll_timeout_seconds if held else self._planner.patience_seconds()
            poll = wiring.source.poll(wait)
            if self._recovery.follow(poll):
                wiring.metrics.assigned(poll.assigned)
            self._gauge()
            if held:
                return self._hold(poll)
            return Done() if self._recovery.recover() else self._process(poll)
        except CommitFailed as error:
            log.warning("transaction failed, taking up from what was committed: %s", error)
            wiring.metrics.commit_failures.inc()
            self._recovery.doubt(self.marks)
            wiring.clocks.wait(self._insistence.failed(self.marks, error))
        except Replaced as error:
            log.info("%s", error)
        except (StoreUnavailable, BrokerUnavailable) as error:
            log.warning("waiting: %s", error)
            wiring.metrics.outages.labels(type(error).__name__).inc()
            self._recovery.doubt(self.marks)
            wiring.clocks.wait(1.0)
        return Done()

    def close(self) -> None:
        """Leave the group and release connections."""
        wiring = self._wiring
        for part in (wiring.source, wiring.sink, wiring.store, wiring.feed, wiring.gate, wiring.restorer.tail):
            part.close()

    def await_model(self, version: int) -> None:
        """See ``Recovery.await_model``."""
        self._recovery.await_model(version)

    def _gauge(self) -> None:
        health, feed = self._wiring.metrics.health, self._wiring.feed
        health.model(feed.version, feed.refused)
        if feed.assigner is not None:
            self._wiring.metrics.follow(feed.assigner.snapshot)
        health.timers_backlog.set(self._planner.has_backlog)
        self._wiring.gauging.look(self.marks)

    def _hold(self, poll: Poll) -> Done:
        """Drop what was polled: every partition is taken up from what is committed when the worker goes on."""
        self._recovery.doubt(poll.assigned)
        self._wiring.gate.tell(poll.assigned)
        return Done()

    def _process(self, poll: Poll) -> Done:
        watch, planner = Stopwatch(self._wiring.clocks.now_seconds), self._planner
        before = self._recovery.marks
        ours = {p: records for p, records in poll.records.items() if p in before and records}
        rules = decode_rules(self._settings, self._wiring.restorer.identity.partitions, self.assigner)
        intakes = {p: take_in(r, p, rules, self._settings.topics) for p, r in ours.items()}
        watch.lap("decode")
        if not self._wiring.gate.lets_through(intakes):
            return self._hold(poll)
        passed = self._wiring.gauging.passed(before)
        next_offset = passed | {p: records[-1].offset + 1 for p, records in ours.items()}
        wanted = planner.wanted(before, intakes, self.assigner, watch.began)
        if not wanted:
            return Done()
        loaded = self._load(wanted)
        watch.lap("load")
        planner.loaded(wanted, loaded)
        busy = [p for p in loaded if p in next_offset or wanted[p].sweep_limit or loaded[p].due]
        if not busy:
            return Done()
        intakes = {p: intakes.get(p, Intake()) for p in busy}
        marks = planner.clocked(before, intakes, wanted)
        batch = assemble(self._features, intakes, marks, loaded, round(watch.began * 1000))
        learns_rows = self._settings.model.kind != "cells"
        step = Stepper(self._features, self.assigner, learns_rows).step(batch)
        marks = planner.advanced(marks, batch, step, next_offset, wanted, loaded, self.assigner)
        out = outcome(self._settings.topics, intakes, before, marks, batch, step)
        watch.lap("decide")
        learning_next = self._commit(poll, out, batch, step, watch)
        self._insistence.succeeded()
        self._wiring.gate.committed(intakes)
        self._wiring.gauging.processed({p: records[-1].timestamp_ms for p, records in ours.items()})
        self._wiring.metrics.observe(intakes, batch, step, watch.began, watch.at)
        stamps_ms = map(_STAMP_MS, chain.from_iterable(ours.values()))
        self._wiring.metrics.pace.observe(watch.laps, np.fromiter(stamps_ms, np.int64), watch.at)
        rejected = sum(len(intake.rejected) for intake in intakes.values())
        return Done(sum(map(len, ours.values())), rejected, step, learning_next)

    def _load(self, wanted: Mapping[int, Wanted]) -> Mapping[int, Loaded]:
        """States under the watermarks we know. Where the store says otherwise, nothing is done but to restore."""
        loaded = self._wiring.store.load(wanted)
        for partition, view in loaded.items():
            mark = self._recovery.marks[partition]
            fresh = view.watermark is None and mark.journal < 0
            if not fresh and view.watermark != mark.to_bytes():
                log.warning("partition %d: the store is not where we left it, restoring", partition)
                self._recovery.doubt(wanted)
        return {} if self._recovery.is_needed else loaded

    def _commit(self, poll: Poll, out: Outcome, batch: Batch, step: Step, watch: Stopwatch) -> int | None:
        """Kafka first, all of it; then the store, partition by partition, each only if nobody else wrote.

        Returns where the learning topic goes on, if the batch wrote there.
        """
        offsets = Offsets(
            topic=self._settings.topics.events,
            next={p: m.next for p, m in out.marks.items()},
            membership=poll.membership,
            notes={p: str(m.sequence) for p, m in out.marks.items()},
        )
        written = self._wiring.sink.commit(out.records, offsets)
        watch.lap("commit")
        changed = np.zeros(len(step.rows), dtype=bool)
        changed[[who for who, _ in step.changes]] = True
        for partition, mark in out.committed_marks(written).items():
            before, mine = self._recovery.marks[partition], out.touched[partition]
            expected = None if before.journal < 0 else before.to_bytes()
            change = update(
                self._features,
                self._wiring.feed.names,
                mark,
                step.rows[mine],
                [batch.customers[i] for i in mine],
                out.packed[partition],
                np.flatnonzero(changed[mine]),
                self._settings.redis.features_document,
            )
            if self._wiring.store.apply(partition, expected, change):
                self._recovery.stand(partition, mark)
            else:
                log.warning("partition %d: somebody else wrote to the store, restoring", partition)
                self._recovery.doubt([partition])
        watch.lap("apply")
        return None if step.learning is None else written[-1] + 1
