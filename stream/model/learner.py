"""The learner: learning records in, snapshots out.

Deterministic: the same settings, records and macro steps give the same snapshots, bit for bit, also when the
learner was restored from a record in between (``kind`` cells and kmeans; see ``river_kinds`` for the others).
No wall clock: time is what the records say.
"""

from __future__ import annotations

import numpy as np

from stream.contracts.commands import Command
from stream.customer import tenure
from stream.customer.holdings import total
from stream.drift.monitor import Monitor, Plan, Report
from stream.errors import BadRecord
from stream.model.choice import Scan
from stream.model.learning import LearningRecord
from stream.model.macro_step import MacroStep, Stepping
from stream.model.naming import Described
from stream.model.population import Population
from stream.model.snapshot import Snapshot
from stream.model.state import State, pack_state, unpack_state
from stream.model.told import Told
from stream.settings import ModelSettings


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
        if state.river is not None and not self.settings.frozen:
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
        return state.looks >= settings.macro_rows and self.is_peopled

    def macro_step(self, learning_offset: int) -> MacroStep:
        """Group the population anew and adopt the result.

        ``learning_offset`` is the first offset of the learning topic that was not learnt yet.
        Raises ``ValueError`` if there is nobody in the population.
        """
        before, told = self.state.snapshot, self._told
        version = max(before.version if before else 0, self._published) + 1
        made = Stepping(self.features, self.settings, self.state, told).step(version, learning_offset)
        self._told, self._is_recordable = Told(), True
        return made

    def drift(self) -> Report | None:
        """How drift stands, without a macro step; ``None`` without a model."""
        return None if self.state.snapshot is None else self.state.monitor.report(self.features.names)

    def scan(self) -> Scan:
        """How well 2 to 12 segments would fit: advice, ~35 ms. There must be a model."""
        return Stepping(self.features, self.settings, self.state, self._told).scan()
