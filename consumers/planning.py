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
LEAST_TIMERS = 5
"""Of a partition in a round with records, however few they are: a tenth of what the round takes without them."""
EVENTS_A_TIMER = 10
"""... and one more beside so many events. A replay of a year of baskets needs one beside thirty."""
PATIENCE_SECONDS = 0.02
"""Timers that are left over wait so long for the next records: riding along with them they hold up nobody."""
_DOUBLINGS = 12
"""Then it is the whole share of any batch."""


class Planner:
    """Plans the rounds of one worker; what must survive it is in the marks."""

    def __init__(self, settings: Tree) -> None:
        self._settings = settings
        self._sweep = Sweep(settings.worker)
        self._watched_at = 0.0
        self._newest_event_ms = NEVER
        self._behind: set[int] = set()
        """Partitions with timers due that their last round had no room for."""
        self._empty_rounds = 0
        """How many rounds in a row brought no records."""

    @property
    def has_backlog(self) -> bool:
        """Whether timers are due that there was no room for."""
        return bool(self._behind)

    def patience_seconds(self) -> float:
        """How long the next round may wait for records."""
        poll_seconds = self._settings.kafka.poll_timeout_seconds
        if not self.has_backlog:
            return poll_seconds
        return 0.0 if self._empty_rounds else min(PATIENCE_SECONDS, poll_seconds)

    def wanted(
        self, marks: Mapping[int, Mark], intakes: Mapping[int, Intake], assigner: Assigner | None, now_seconds: float
    ) -> dict[int, Wanted]:
        """What to load: of partitions with records, of those with a sweep page due, and once a second of all."""
        self._behind &= marks.keys()
        self._empty_rounds = 0 if intakes else self._empty_rounds + 1
        # Not between 0 and a second also where the wall clock was set back.
        watching = not 0 <= now_seconds - self._watched_at < WATCH_SECONDS or (self.has_backlog and not intakes)
        if watching:
            self._watched_at = now_seconds
        newest = (mark.newest_event_ms for mark in marks.values())
        events = (intake.newest_ms for intake in intakes.values())
        self._newest_event_ms = max((self._newest_event_ms, *newest, *events))
        sweeps = {p: self._sweep.limit(p, mark, assigner, now_seconds) for p, mark in marks.items()}
        chosen = [p for p in marks if p in intakes or sweeps[p] or watching]
        return {
            p: Wanted(
                customers=[c.encode() for c in intakes[p].customers] if p in intakes else [],
                due_before_ms=self._due_before(marks[p], intakes.get(p), now_seconds),
                due_limit=self._due_limit(len(chosen), intakes.get(p)),
                sweep_after=self._sweep.after(marks[p], assigner).encode(),
                sweep_limit=sweeps[p],
            )
            for p in chosen
        }

    def loaded(self, wanted: Mapping[int, Wanted], loaded: Mapping[int, Loaded]) -> None:
        """Take note of what there was."""
        self._behind -= loaded.keys()
        self._behind |= {p for p, view in loaded.items() if len(view.due) >= wanted[p].due_limit}

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

    def _due_limit(self, partitions: int, intake: Intake | None) -> int:
        """How many timers of who did nothing a partition may have in a round of so many.

        A few beside its records, so that these hardly notice. Without any twice as many from round to round: then
        who comes after all waits no longer than nobody came before. All fire at their own time, so portions are free.
        """
        share = self._settings.worker.timer_share
        whole = int(share * self._settings.kafka.max_poll_records / partitions)
        beside = LEAST_TIMERS + (len(intake.events) // EVENTS_A_TIMER if intake else 0)
        return max(1, min(whole, beside << min(self._empty_rounds, _DOUBLINGS)))
