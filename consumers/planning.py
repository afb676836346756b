"""Planning a round: which states a worker must load, up to which time, and where the partitions stand afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from consumers.assembling import Intake
from consumers.sweeping import Sweep
from stream.customer.features import NEVER
from stream.decision.assign import Assigner
from stream.decision.batch import Batch, Step
from stream.settings import Tree
from stream.view.journal import Mark
from stream.view.store import Loaded, Wanted

WATCH_SECONDS = 1.0
"""An idle worker looks at its watermarks and timers this often: a flushed store is noticed on a quiet stream too."""


class Planner:
    """Plans the rounds of one worker; what must survive it is in the marks."""

    def __init__(self, settings: Tree) -> None:
        self._settings = settings
        self._sweep = Sweep(settings.worker)
        self._watched_at = 0.0
        self._newest_event_ms = NEVER
        self.has_backlog = False
        """Whether timers were due that the last round had no room for."""

    def wanted(
        self, marks: Mapping[int, Mark], intakes: Mapping[int, Intake], assigner: Assigner | None, now_seconds: float
    ) -> dict[int, Wanted]:
        """What to load: of partitions with records, of those with a sweep page due, and once a second of all."""
        watching = now_seconds - self._watched_at >= WATCH_SECONDS or self.has_backlog
        if watching:
            self._watched_at = now_seconds
        newest = (mark.newest_event_ms for mark in marks.values())
        events = (intake.newest_ms for intake in intakes.values())
        self._newest_event_ms = max((self._newest_event_ms, *newest, *events))
        wanted = {}
        for partition, mark in marks.items():
            sweep_limit = self._sweep.limit(partition, mark, assigner, now_seconds)
            intake = intakes.get(partition)
            if intake is not None or sweep_limit or watching:
                wanted[partition] = Wanted(
                    customers=[c.encode() for c in intake.customers] if intake else [],
                    due_before_ms=self._due_before(mark, intake, now_seconds),
                    due_limit=self._due_limit(len(marks)),
                    sweep_after=self._sweep.after(mark, assigner).encode(),
                    sweep_limit=sweep_limit,
                )
        return wanted

    def loaded(self, wanted: Mapping[int, Wanted], loaded: Mapping[int, Loaded]) -> None:
        """Take note of what there was."""
        self.has_backlog = any(len(view.due) >= wanted[p].due_limit for p, view in loaded.items())

    def clocked(
        self, marks: Mapping[int, Mark], intakes: Mapping[int, Intake], wanted: Mapping[int, Wanted]
    ) -> dict[int, Mark]:
        """The marks, with ``now`` of the partitions without events where the wall clock has carried it."""
        return {
            p: mark if intakes[p].events else replace(mark, now_ms=wanted[p].due_before_ms or mark.now_ms)
            for p, mark in marks.items()
            if p in intakes
        }

    def advanced(
        self,
        marks: Mapping[int, Mark],
        batch: Batch,
        step: Step,
        next_offset: Mapping[int, int],
        wanted: Mapping[int, Wanted],
        loaded: Mapping[int, Loaded],
        assigner: Assigner | None,
    ) -> dict[int, Mark]:
        """Where the batch's partitions stand once it is committed."""
        after = {}
        for position, partition in enumerate(batch.partitions):
            mark, clock = marks[partition], step.clocks[position]
            mine = slice(batch.bounds[position], batch.bounds[position + 1])
            events_at = batch.event_at[mine][batch.tells_time[mine]]
            moved = replace(
                mark,
                next=next_offset.get(partition, mark.next),
                sequence=mark.sequence + 1,
                now_ms=clock.now_ms,
                newest_event_ms=int(events_at.max(initial=mark.newest_event_ms)),
                claims=dict(clock.claims),
                model_version=max(mark.model_version, assigner.snapshot.version if assigner else 0),
            )
            page = [c.decode() for c in loaded[partition].sweep]
            after[partition] = self._sweep.advance(moved, page, wanted[partition].sweep_limit, assigner)
        return after

    def _due_before(self, mark: Mark, intake: Intake | None, now_seconds: float) -> int:
        """Up to where timers may fire: the newest event; on an idle partition of a live stream the wall clock.

        But that only as long as events have come recently, on any of our partitions: when all of them are silent it
        is the upstream that stopped, not the customers.
        """
        if intake is not None and intake.events:
            return max(mark.now_ms, intake.newest_ms)
        if self._settings.worker.clock == "event" or NEVER in (mark.now_ms, self._newest_event_ms):
            return mark.now_ms
        trusted_until = self._newest_event_ms + round(self._settings.worker.idle_cap_seconds * 1000)
        return max(mark.now_ms, min(round(now_seconds * 1000), trusted_until))

    def _due_limit(self, partitions: int) -> int:
        share = self._settings.worker.timer_share * self._settings.kafka.max_poll_records
        return max(1, int(share / partitions))
