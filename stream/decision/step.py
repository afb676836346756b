"""The step: events, states and a model in; states, changes and what the model should learn out.

The only place that writes the order of things. Pure: no clock, no network, no randomness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stream.customer.contributions import contributions
from stream.customer.features import DAY_MS, NEVER, FeatureSet, FloatArray
from stream.customer.registers import NOTHING, Registers
from stream.customer.state import CAUSES, OUT_OF_POPULATION, States, Status, in_population
from stream.customer.tenure import WEEK_MS
from stream.decision import locks
from stream.decision.agenda import NO_EVENT, Agenda, Looks
from stream.decision.assign import Assigner
from stream.decision.batch import Batch, Step
from stream.decision.changed import Changed
from stream.decision.clock import Clock, advance, moments, spread
from stream.decision.intake import event_hashes, is_duplicate, registered, take_in
from stream.decision.look import look
from stream.decision.movement import movement
from stream.decision.raw import raw_values
from stream.decision.report import report
from stream.decision.silence import deadlines
from stream.model.learning import LearningRecord
from stream.model.snapshot import NURSERY, IntArray, Vectors


@dataclass(frozen=True)
class Stepper:
    """The step under fixed declarations and one model (``None`` before there is one).

    ``learns_rows``: river's clusterers learn from every look's vector; population cells need only the sums.
    """

    features: FeatureSet
    assigner: Assigner | None
    learns_rows: bool = False

    def step(self, batch: Batch) -> Step:
        """Fold, look, stabilise and fire timers, customer by customer in offset order."""
        rows, registers = batch.rows.copy(), list(batch.registers)
        clocks, reached = self._clocks(batch)
        horizon = np.array([c.now_ms for c in clocks], dtype=np.int64)
        at = moments(batch.event_at, reached, batch.tells_time)
        agenda = Agenda(batch.event_customer, at, reached, batch.bounds, batch.customer_partition, horizon)
        events = _Columns(contributions(self.features, batch.events), event_hashes(batch.events))
        rounds, duplicates = self._rounds(batch, agenda, rows, registers, events)
        stale = self._sweep(rows, batch.sweep, horizon[batch.customer_partition])
        swept = self._look(batch, rows, registers, stale, agenda.reach_ms)
        _forget(swept.customer, rows, registers)
        looked = np.unique(np.concatenate([r.customer for r in (*rounds, swept)]))
        touched = np.union1d(batch.sweep, looked)
        self._settle(rows, touched, looked)
        changed = Changed.join(r.only_changed() for r in (*rounds, swept))
        changes = report(self.features, self.assigner, batch, changed)
        for who, change in changes:
            rows["change_cause"][who] = CAUSES.index(change.cause) + 1
        return Step(
            rows=rows,
            registers=registers,
            touched=touched,
            clocks=clocks,
            changes=changes,
            learning=self._learning(batch, clocks, events, rounds, changed, rows, touched),
            duplicates=duplicates,
            timers=sum(int((r.event == NO_EVENT).sum()) for r in rounds),
            looks=_looks(rounds),
            flaps=changed.flaps(self.features.settings.flap_ms),
        )

    def _learning(
        self,
        batch: Batch,
        clocks: Sequence[Clock],
        events: _Columns,
        rounds: Sequence[Changed],
        changed: Changed,
        rows: States,
        touched: IntArray,
    ) -> LearningRecord | None:
        """What the model should learn of a batch."""
        now_ms = max((clock.now_ms for clock in clocks), default=NEVER)
        seen = self._seen(rows["y"][:0], rounds) if self.learns_rows else None
        raw = raw_values(self.features, batch, events.x, rounds)
        moved = movement(self.features, now_ms, _looks(rounds), batch.rows[touched], rows[touched], seen, raw)
        if moved is None:
            return None
        reached_ms = {p: c.now_ms for p, c in zip(batch.partitions, clocks, strict=True) if c.now_ms != NEVER}
        flaps = changed.flaps(self.features.settings.flap_ms)
        return replace(moved, moves=changed.moves, flaps=flaps, reached_ms=reached_ms)

    def _clocks(self, batch: Batch) -> tuple[list[Clock], IntArray]:
        settings, at = self.features.settings, batch.event_at
        clocks, reached = [], []
        for i, clock in enumerate(batch.clocks):
            mine = slice(int(batch.bounds[i]), int(batch.bounds[i + 1]))
            tells = batch.tells_time[mine]
            customers = [e.customer_id for e in batch.events[mine] if e.override is None]
            jump_ms = round(settings.max_jump_days * DAY_MS)
            after, now = advance(clock, customers, at[mine][tells], jump_ms, settings.jump_witnesses)
            clocks.append(after)
            reached.append(spread(clock.now_ms, now, tells))
        return clocks, np.concatenate(reached) if reached else np.empty(0, dtype=np.int64)

    def _rounds(
        self, batch: Batch, agenda: Agenda, rows: States, registers: list[Registers], events: _Columns
    ) -> tuple[list[Changed], int]:
        """Everything that is due in the batch, events and timers; and how many events were duplicates."""
        rounds: list[Changed] = []
        duplicates = 0
        while (looks := agenda.take(rows["deadline"])) is not None:
            new, repeated = _without_duplicates(looks, rows, events.hashes)
            duplicates += repeated
            rounds.append(self._look(batch, rows, registers, new, agenda.reach_ms, events))
            for event in new.event[new.by_event].tolist():
                if batch.events[event].attributes:
                    who = int(batch.event_customer[event])
                    registers[who] = registered(registers[who], batch.events[event])
            _forget(new.customer, rows, registers)
        return rounds, duplicates

    def _look(
        self,
        batch: Batch,
        rows: States,
        registers: list[Registers],
        looks: Looks,
        reach_ms: int,
        events: _Columns | None = None,
    ) -> Changed:
        before = rows[looks.customer]
        after = before.copy()
        by_event = np.flatnonzero(looks.by_event)
        if events is not None and len(by_event):
            folded, event = after[by_event], looks.event[by_event]
            take_in(self.features, folded, events.x[event], looks.at_ms[by_event], events.hashes[event])
            after[by_event] = folded
            locks.heed(after, looks, batch, registers)
        look(self.features, after, looks.at_ms, self.assigner)
        entered = after["segment"] != before["segment"]
        changed = entered | (after["status"] != before["status"])
        after["version"] += changed
        after["previous"] = np.where(entered, before["segment"], before["previous"])
        after["entered_week"] = np.where(entered, after["looked_at"] // WEEK_MS, before["entered_week"])
        after["entry_y"] = np.where(entered[:, None], after["y"], before["entry_y"])
        after["since"] = np.where(changed, after["looked_at"], before["since"])
        after["change_decided_at"] = np.where(changed, batch.wall_ms, before["change_decided_at"])
        for field in ("model_version", "margin", "provisional"):
            after[f"change_{field}"] = np.where(changed, after[field], before[f"change_{field}"])
        after["deadline"] = deadlines(self.features, after, self.assigner, reach_ms)
        rows[looks.customer] = after
        said = locks.words(before, after, looks, registers)
        return Changed(looks.customer, looks.event, before, after, changed, said)

    def _sweep(self, rows: States, sweep: IntArray, now: IntArray) -> Looks:
        """The customers of the sweep who were last looked at under another structure of the model."""
        stale = self.assigner is not None and (rows["epoch"][sweep] != self.assigner.snapshot.epoch)
        open_ = (rows["status"][sweep] != Status.CLOSED) & (rows["status"][sweep] != Status.NEW)
        who = sweep[open_ & stale]
        return Looks(who, np.full(len(who), NO_EVENT), now[who])

    def _settle(self, rows: States, touched: IntArray, looked: IntArray) -> None:
        """Put who was touched into a cell, or out of the population; file the deadlines of who was looked at."""
        mine = rows[touched]
        cells = np.full(len(mine), NURSERY) if self.assigner is None else self.assigner.cells(mine["y"])
        rows["cell"][touched] = np.where(in_population(mine), cells, OUT_OF_POPULATION)
        rows["deadline"][looked] = deadlines(self.features, rows[looked], self.assigner)

    @staticmethod
    def _seen(nobody: Vectors, rounds: Sequence[Changed]) -> Vectors:
        """Every look's vector in order, of those who are in the population, for clusterers that learn rows."""
        return np.concatenate([nobody, *(r.after["y"][in_population(r.after)] for r in rounds)])


@dataclass(frozen=True)
class _Columns:
    """The events of a batch: what they add (events, width), and the hashes of their ids (events,)."""

    x: FloatArray
    hashes: NDArray[np.uint64]


def _forget(looked: IntArray, rows: States, registers: list[Registers]) -> None:
    """Nothing is known any more of who is closed now."""
    for who in looked[rows["status"][looked] == Status.CLOSED].tolist():
        registers[who] = NOTHING


def _looks(rounds: Sequence[Changed]) -> int:
    return sum(len(r.customer) for r in rounds)


def _without_duplicates(looks: Looks, rows: States, hashes: NDArray[np.uint64]) -> tuple[Looks, int]:
    by_event = np.flatnonzero(looks.by_event)
    repeated = by_event[is_duplicate(rows[looks.customer[by_event]], hashes[looks.event[by_event]])]
    if not len(repeated):
        return looks, 0
    keep = np.delete(np.arange(len(looks.customer)), repeated)
    return Looks(looks.customer[keep], looks.event[keep], looks.at_ms[keep]), len(repeated)
