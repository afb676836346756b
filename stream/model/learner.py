"""The learner: learning records in, snapshots out. A macro step is propose -> match -> adopt.

Deterministic: the same settings, records and macro steps give the same snapshots, bit for bit, also when the
learner was restored from a record in between (``kind`` cells and kmeans; see ``river_kinds`` for the others).
No wall clock: time is what the records say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stream.contracts.commands import Command
from stream.customer import tenure
from stream.customer.features import DAY_MS
from stream.customer.holdings import total
from stream.drift.monitor import Monitor, Plan, Report
from stream.errors import BadRecord
from stream.model.adoption import Adoption
from stream.model.choice import Scan, scan
from stream.model.deliberation import Deliberation
from stream.model.footing import Adopted, Ended, ended
from stream.model.grouping import Grouping, Proposal, Regrouping, match
from stream.model.kmeans import partition
from stream.model.learning import LearningRecord
from stream.model.ledger import LedgerEntry
from stream.model.naming import Described
from stream.model.number import Number
from stream.model.pictured import pictured
from stream.model.population import Population
from stream.model.river_kinds import RiverGroups
from stream.model.snapshot import Scale, Snapshot
from stream.model.snapshot_record import SEGMENTS_AT_MOST
from stream.model.state import State, pack_state, unpack_state
from stream.model.sums import Sums
from stream.model.told import Heard, Told
from stream.settings import ModelSettings


@dataclass(frozen=True)
class MacroStep:
    """What one macro step made: the model, its history, and what was matched to what."""

    snapshot: Snapshot
    entries: tuple[LedgerEntry, ...]
    regrouping: Regrouping
    drift: Report
    heard: tuple[Heard, ...] = ()
    """What was said since the last one."""


class Learner:
    """Keeps the population's exact sums and, when it is time, groups them anew."""

    def __init__(
        self, features: Described, settings: ModelSettings, state: State | None = None, plan: Plan | None = None
    ) -> None:
        self.features = features
        self.settings = settings
        self.state = state or State(Population.none(len(features.names)), monitor=Monitor(plan or Plan()))
        self._published = 0
        self._is_recordable = False
        self._told = Told()

    @classmethod
    def from_record(
        cls, record: bytes, features: Described, settings: ModelSettings, plan: Plan | None = None
    ) -> Learner:
        """Go on where another learner made its last macro step; with drift by ``plan``, or as it was.

        Raises ``BadRecord``.
        """
        state = unpack_state(record, settings, plan)
        if state.snapshot is None or state.snapshot.features_id != features.features_id:
            raise BadRecord("model record is of other features: it needs a migration")
        learner = cls(features, settings, state)
        learner._is_recordable = True
        return learner

    def to_record(self, snapshot: Snapshot) -> bytes:
        """The model record of ``snapshot``, with all that ``from_record`` needs.

        Raises ``ValueError`` unless ``snapshot`` is what the last macro step made and nothing was learnt
        since: the record must hold the state at the snapshot's ``learning_offset``.
        """
        if snapshot is not self.state.snapshot or not self._is_recordable:
            raise ValueError("a record is of the macro step just made")
        return pack_state(self.state, snapshot)

    def succeed(self, published: int) -> None:
        """Go on behind models up to version ``published`` that are lost: their versions and cells are not used again.

        Their segments are not either, as far as customers hold them. Raises ``ValueError`` without a model.
        """
        if self.snapshot is None:
            raise ValueError("there is no model to go on from")
        self.state.population.cells.skip(published - self.snapshot.version)
        self._published = published

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest model."""
        return self.state.snapshot

    def learn(self, record: LearningRecord) -> None:
        """Take in a record, or none of it: raises ``BadRecord`` if it is not of these features and cells."""
        state = self.state
        if record.features_id != self.features.features_id:
            raise BadRecord(f"learning record of features {record.features_id}, not {self.features.features_id}")
        if record.rows.dtype != np.int16 or record.rows.shape[1:] != (state.population.dimensions,):
            raise BadRecord("learning record has rows of another width or type")
        state.population.add(record)
        for number, change in record.held.items():
            state.held[number] = state.held.get(number, 0) + change
        state.held = {number: n for number, n in state.held.items() if n}
        state.holdings = total(state.holdings, record.holdings)
        tenure.add(state.tenures, record.tenures)
        state.looks += record.looks
        state.scanned += record.looks
        state.now_ms = max(state.now_ms, record.now_ms)
        state.monitor.learn(record.raw)
        state.monitor.week.add(record.now_ms, record.flaps, record.moves)
        state.monitor.abreast.take(record.reached_ms)
        if state.river is not None:
            state.river.learn(record.rows)
        self._is_recordable = False

    def obey(self, command: Command, earlier: Snapshot | None = None) -> str:
        """Do what an analyst said, in the next macro step, which is due then.

        ``earlier``: the model to go back to, if it is that. Returns why not, in words; empty if it will be done.
        """
        refusal = self._told.take(command, self.state, earlier)
        self._is_recordable = False
        return refusal

    @property
    def is_told(self) -> bool:
        """Whether an analyst's word waits for the next macro step."""
        return bool(self._told.commands) and self.is_peopled

    @property
    def is_peopled(self) -> bool:
        """Whether there is anybody to group."""
        return bool(self.state.population.total.n[0] > 0)

    @property
    def due(self) -> bool:
        """Whether enough was learnt for a macro step. How often at most, in wall time, the caller decides."""
        state, settings = self.state, self.settings
        if state.snapshot is None:
            return state.population.nursery.customers >= settings.warmup_customers
        if self.is_told:
            return True
        return not settings.frozen and state.looks >= settings.macro_rows and self.is_peopled

    def macro_step(self, learning_offset: int) -> MacroStep:
        """Group the population anew and adopt the result.

        ``learning_offset`` is the first offset of the learning topic that was not learnt yet.
        Raises ``ValueError`` if there is nobody in the population.
        """
        state, before = self.state, self.state.snapshot
        version = max(before.version if before else 0, self._published) + 1
        rng = np.random.default_rng((self.settings.seed, version))
        scale = self._scale()
        if before is None:
            self._start(scale, rng)
        masses = state.population.masses(scale)
        filled = masses[masses.n > 0]
        ended = self._ended(scale)
        regrouping = self._regrouped(filled, scale, rng, ended)
        told, self._told = self._told, Told()
        adoption = Adoption(
            features=self.features,
            before=before,
            regrouping=regrouping,
            cells=filled,
            wordings_before=state.wordings,
            family_wordings_before=state.family_wordings,
            stated_before=state.stated,
            held=state.held,
            holdings=state.holdings,
            now_ms=state.now_ms,
            version=version,
        )
        state.population.cells.revive(masses, scale, self.settings.cells, rng)
        state.snapshot = self._snapshot(adoption, learning_offset)
        state.wordings, state.stated, state.looks = adoption.wordings, adoption.stated, 0
        state.family_wordings = adoption.families.wordings
        adopted = Adopted(regrouping, state.tenures, state.now_ms, round(state.monitor.plan.settle_days * DAY_MS))
        state.footings = adopted.footings(state.footings, anew=told.ordered is not None)
        self._is_recordable = True
        entries = told.explained(adoption.entries, self._why_so_many, ended)
        drift = state.monitor.look(pictured(state, state.snapshot), self.features.names)
        return MacroStep(state.snapshot, entries, regrouping, drift, tuple(told.heard))

    def drift(self) -> Report | None:
        """How drift stands, without a macro step; ``None`` without a model."""
        return None if self.state.snapshot is None else self.state.monitor.report(self.features.names)

    def scan(self) -> Scan:
        """How well 2 to 12 segments would fit: advice, ~35 ms. There must be a model."""
        scale = self._scale()
        masses = self.state.population.masses(scale)
        filled = masses[masses.n > 0]
        return scan(scale.z(filled.mean), filled.n.astype(np.float64), np.random.default_rng(self.settings.seed))

    def _scale(self) -> Scale:
        if self.state.population.total.n[0] < 1:
            raise ValueError("there is nobody in the population")
        return self.state.population.scale(self.features.weight, self.features.min_sd, self.settings.clip_sd)

    def _start(self, scale: Scale, rng: np.random.Generator) -> None:
        """First positions of the cells, and river's first customers."""
        state, settings = self.state, self.settings
        state.population.settle(settings.cells, scale, rng)
        if settings.kind != "cells":
            y, counts = state.population.nursery.vectors()
            state.river = RiverGroups(settings.kind, settings.first_segments, settings.seed, scale)
            state.river.start(np.repeat(y, counts, axis=0))

    def _ended(self, scale: Scale) -> dict[int, Ended]:
        """Segments that are no longer themselves; none where a person says what stands."""
        state = self.state
        if state.snapshot is None or self._told.ordered is not None:
            return {}
        return ended(state.footings, Grouping.of(state.snapshot), scale, state.tenures)

    def _regrouped(self, masses: Sums, scale: Scale, rng: np.random.Generator, gone: Mapping[int, Ended]) -> Regrouping:
        state, before, settings = self.state, self.state.snapshot, self.settings
        old = Grouping.of(before) if before else None
        # A number that anybody holds is taken, also one born in a model that is lost.
        next_number = 1 + max((*(before.names if before else ()), *state.held), default=0)
        if state.river is not None:
            return match(masses, scale, old, _proposal_of(state.river, masses, scale), next_number, ended=gone)
        version = before.version if before else 0
        deliberation = Deliberation(settings, masses, scale, old, state.docket, version, next_number, gone)
        if self._told.ordered is not None:
            regrouping, state.docket = deliberation.obey(self._told.ordered)
            number = state.number or Number(settings.first_segments)
            state.number = number.decided(len(self._told.ordered.centres), settings.segments)
        elif settings.frozen and old is not None:
            regrouping = deliberation.keep(old)
        else:
            regrouping, state.docket = deliberation.decide(rng, self._segments(masses, scale))
        return regrouping

    def _segments(self, masses: Sums, scale: Scale) -> int:
        """How many there are to be; looked at anew from time to time, and told even where it is fixed."""
        state, settings = self.state, self.settings
        number = (state.number or Number(settings.first_segments)).under(settings.segments)
        if state.snapshot is not None and (not number.advice or state.scanned >= settings.scan_looks):
            state.scanned = 0
            found = self.scan()
            least, most = settings.segments_least, settings.segments_most
            is_auto = settings.segments == "auto"
            number = number.after(found, least, most) if is_auto else replace(number, advice=found.advice)
        state.number = number
        return number.k

    @property
    def _why_so_many(self) -> str:
        """Why their number is another than before, if it is; said once."""
        number = self.state.number
        if number is None or not number.why:
            return ""
        self.state.number = replace(number, why="")
        return number.why

    def _snapshot(self, adoption: Adoption, learning_offset: int) -> Snapshot:
        cells, scale = self.state.population.cells, adoption.regrouping.grouping.scale
        muted = (scale.weight == 0) & (self.features.weight > 0)
        return Snapshot(
            version=adoption.version,
            epoch=adoption.epoch,
            features_id=self.features.features_id,
            features=self.features.names,
            scale=scale,
            segments=adoption.segments,
            cell_ids=cells.ids.copy(),
            cell_positions=cells.positions,
            margin=self.settings.margin,
            names=adoption.names,
            kind=self.settings.kind,
            learning_offset=learning_offset,
            families=adoption.families.names,
            near_constant=tuple(name for name, is_muted in zip(self.features.names, muted, strict=True) if is_muted),
        )


def _proposal_of(river: RiverGroups, masses: Sums, scale: Scale) -> Proposal:
    """river's centres that have customers, the heaviest if they are more than a person can hold."""
    z, weights = scale.z(masses.mean), masses.n.astype(np.float64)
    found = partition(z, weights, scale.z(river.centres))
    mass = np.bincount(found.labels, weights)
    heaviest = np.sort(np.argsort(-mass, kind="stable")[:SEGMENTS_AT_MOST])
    return Proposal(partition(z, weights, found.centres[heaviest]))
