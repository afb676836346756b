"""A macro step: group the population anew and adopt the result. Propose -> match -> adopt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stream.customer.features import DAY_MS
from stream.drift.monitor import SETTLED_HALF_LIVES, Report
from stream.model.adoption import Adoption
from stream.model.choice import Scan, scan
from stream.model.deliberation import Deliberation
from stream.model.footing import Adopted, Ended, ended
from stream.model.grouping import Grouping, Proposal, Regrouping, match
from stream.model.kmeans import partition
from stream.model.ledger import LedgerEntry
from stream.model.naming import Described
from stream.model.number import Number
from stream.model.pictured import pictured
from stream.model.river_kinds import RiverGroups
from stream.model.snapshot import Scale, Snapshot
from stream.model.snapshot_record import SEGMENTS_AT_MOST
from stream.model.state import State
from stream.model.still import Still
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


@dataclass(frozen=True)
class Stepping:
    """What a macro step is made of. It changes ``state``, and nothing else."""

    features: Described
    settings: ModelSettings
    state: State
    told: Told

    def step(self, version: int, learning_offset: int) -> MacroStep:
        """Make model ``version``. Raises ``ValueError`` if there is nobody in the population."""
        state, before = self.state, self.state.snapshot
        rng = np.random.default_rng((self.settings.seed, version))
        if before is not None and self.settings.frozen and self.told.ordered is None:
            return self._still(Still(self.features, before, state, version, learning_offset), rng)
        scale = self._scale()
        if before is None:
            self._start(scale, rng)
        masses = state.population.masses(scale)
        filled = masses[masses.n > 0]
        gone = self._gone(scale)
        regrouping = self._regrouped(filled, scale, rng, gone)
        adoption = Adoption(
            features=self.features,
            before=before,
            regrouping=regrouping,
            cells=filled,
            wordings_before=state.wordings,
            family_wordings_before=state.family_wordings,
            resting_before=state.resting,
            stated_before=state.stated,
            held=state.held,
            holdings=state.holdings,
            now_ms=state.now_ms,
            version=version,
        )
        state.population.cells.revive(masses, scale, self.settings.cells, rng)
        state.snapshot = self._snapshot(adoption, learning_offset)
        state.wordings, state.stated, state.looks = adoption.wordings, adoption.stated, 0
        state.family_wordings, state.resting = adoption.families.wordings, adoption.resting
        adopted = Adopted(regrouping, state.tenures, state.now_ms, round(state.monitor.plan.settle_days * DAY_MS))
        state.footings = adopted.footings(state.footings, anew=self.told.ordered is not None)
        entries = self.told.explained(adoption.entries, self._why_so_many, gone)
        return MacroStep(state.snapshot, entries, regrouping, self._drift(state.snapshot), tuple(self.told.heard))

    def _still(self, still: Still, rng: np.random.Generator) -> MacroStep:
        """The frozen model again, in cells that go on following their customers."""
        state = self.state
        regrouping, entries = still.regrouping, self.told.explained(still.entries, "", {})
        state.population.cells.revive(still.masses, still.before.scale, self.settings.cells, rng)
        state.snapshot, state.looks = still.snapshot, 0
        state.wordings = {s.number: state.wordings[s.number] for s in state.snapshot.segments}
        return MacroStep(state.snapshot, entries, regrouping, self._drift(state.snapshot), tuple(self.told.heard))

    def _drift(self, snapshot: Snapshot) -> Report:
        return self.state.monitor.look(pictured(self.state, snapshot), self.features.names)

    def scan(self) -> Scan:
        """How well 2 to 12 segments would fit: advice, ~35 ms. There must be a model."""
        scale = self._scale()
        masses = self.state.population.masses(scale)
        return self._scanned(masses[masses.n > 0], scale)

    def _scanned(self, filled: Sums, scale: Scale) -> Scan:
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

    def _gone(self, scale: Scale) -> dict[int, Ended]:
        """Segments that are no longer themselves; none where a person says what stands."""
        state = self.state
        if state.snapshot is None or self.told.ordered is not None:
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
        deliberation = Deliberation(
            settings, masses, scale, old, state.docket, version, next_number, gone, state.now_ms, self._patience_ms
        )
        if self.told.ordered is not None:
            regrouping, state.docket = deliberation.obey(self.told.ordered)
            number = state.number or Number(settings.first_segments)
            state.number = number.decided(len(self.told.ordered.centres), settings.segments)
        else:
            regrouping, state.docket = deliberation.decide(rng, self._segments(masses, scale))
        return regrouping

    @property
    def _patience_ms(self) -> int:
        """A third of a half-life: customers whose habits change need about that long to the next segment."""
        return round(self.state.monitor.plan.settle_days * DAY_MS / SETTLED_HALF_LIVES / 3)

    def _segments(self, masses: Sums, scale: Scale) -> int:
        """How many there are to be; looked at anew from time to time, and told even where it is fixed."""
        state, settings = self.state, self.settings
        number = (state.number or Number(settings.first_segments)).under(settings.segments)
        if state.snapshot is not None and (not number.advice or state.scanned >= settings.scan_looks):
            state.scanned = 0
            found = self._scanned(masses, scale)
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
