"""The service's own engine over the data: broker and store in memory, everything else as it ships."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.data import Data, IntArray
from benchmarks.quality.history import History, history_of_changes
from consumers.lockstep import Lockstep
from consumers.twins import Twins, drain
from consumers.worker import Worker
from producers.sink import Outgoing
from stream.contracts.changes import SegmentChange, decode_change
from stream.contracts.segments import LedgerEntry, decode_entry
from stream.customer.features import FeatureSet
from stream.customer.state import States, unpack
from stream.decision.assign import Assigner
from stream.decision.batch import Step
from stream.settings import Tree


@dataclass(frozen=True)
class Stop:
    """The engine as it stood when a day was over."""

    day: int
    ms: int
    names: list[str]
    rows: States
    """As the store has them, each as of its last look."""
    assigner: Assigner
    record: bytes
    """The newest model record: all that the owner knows."""


@dataclass(frozen=True)
class MacroStep:
    """What one macro step made of the customers as they stood: vectors and held segments frozen."""

    events: int
    """Events before it."""
    assigner: Assigner
    relabelled: float | None
    """Share of them with another nearest segment than under the model before; ``None`` for the first model."""
    moved: float | None
    """Share of them that the stabiliser would let go."""


class Told(NamedTuple):
    """A change with a counterfactual, and the vector that entered the new segment, (d,)."""

    change: SegmentChange
    y: NDArray[np.int16]


@dataclass
class Run:
    """One life of the engine."""

    data: Data
    settings: Tree
    twins: Twins
    stops: list[Stop] = field(default_factory=list)
    macro_steps: list[MacroStep] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    duplicates: int = 0
    """Events that were found to have come before."""

    @cached_property
    def features(self) -> FeatureSet:
        """The compiled declarations."""
        return FeatureSet(self.settings.customers)

    @cached_property
    def changes(self) -> list[SegmentChange]:
        """Everything that was told of customers."""
        return [decode_change(value) for value in self.twins.changes()]

    @cached_property
    def ledger(self) -> list[LedgerEntry]:
        """Everything that was told of segments."""
        entries, _ = self.twins.broker.read(self.settings.topics.ledger, 0, 0, 1 << 62)
        return [decode_entry(entry.value) for _, entry in entries if entry.value is not None]

    @cached_property
    def history(self) -> History:
        """Who held which segment when."""
        return history_of_changes(self.data, self.changes)


def run(
    data: Data, settings: Tree, batch: int = 2000, then: int | None = None, frozen_model: bytes | None = None
) -> Run:
    """Live through the data in batches, stopping where days end. With a model the batches are of ``then`` events.

    ``frozen_model``: a model record to decide by from the beginning, without an owner.
    """
    found = Run(data, settings, Twins(settings))
    lockstep = found.twins.lockstep() if frozen_model is None else _frozen(found.twins, frozen_model)
    drain(lockstep.run_once)  # joining takes rounds of its own, in which records would pile up
    stops = {data.before(data.end_of_day_ms(day)): day for day in data.checkpoint_days}
    model: Assigner | None = None
    start = 0
    while start < len(data.events):
        end = _end(start, batch if model is None or then is None else then, stops, len(data.events))
        found.twins.send(data.events[start:end])
        for done in drain(lockstep.run_once, idle_rounds=1):
            if done.step is not None:
                found.told += told(done.step)
                found.duplicates += done.step.duplicates
        if lockstep.assigner is not model and lockstep.assigner is not None:
            found.macro_steps.append(_macro_step(found, end, model, lockstep.assigner))
            model = lockstep.assigner
        if end in stops and model is not None:
            found.stops.append(_stop(found, lockstep, stops[end]))
        start = end
    lockstep.close()
    return found


def _frozen(twins: Twins, model: bytes) -> Worker:
    twins.broker.append(Outgoing(twins.settings.topics.model, 0, None, model))
    return twins.service().worker()


def told(step: Step) -> list[Told]:
    """The last change of each customer in a step, with the vector it was decided on."""
    rows = step.rows
    return [
        Told(change, rows["entry_y"][who].copy())
        for who, change in step.changes
        if change.counterfactual is not None and rows["version"][who] == change.version
    ]


def states(found: Run) -> tuple[list[str], States]:
    """Every state in the store."""
    partitions = range(found.settings.topics.partitions)
    pairs = [pair for partition in partitions for pair in found.twins.store.reader.states(partition)]
    rows, _ = unpack(found.features, [blob for _, blob in pairs])
    return [name.decode() for name, _ in pairs], rows


def _end(start: int, size: int, stops: Iterable[int], events: int) -> int:
    return min(start + size, events, *(at for at in stops if at > start))


def _stop(found: Run, lockstep: Lockstep | Worker, day: int) -> Stop:
    assert lockstep.assigner is not None
    names, rows = states(found)
    topic = found.settings.topics.model
    records, _ = found.twins.broker.read(topic, 0, found.twins.broker.bounds(topic, 0)[1] - 2, 2)
    record = records[-1][1].value or b""
    return Stop(day, found.data.end_of_day_ms(day), names, rows, lockstep.assigner, record)


def _macro_step(found: Run, events: int, before: Assigner | None, after: Assigner) -> MacroStep:
    if before is None:
        return MacroStep(events, after, None, None)
    _, rows = states(found)
    rows = rows[(rows["segment"] > 0) & (rows["cell"] >= 0)]
    (old, held_before), (new, held) = (_answers(model, rows) for model in (before, after))
    relabelled, moved = (float(np.mean(a != b)) if len(rows) else 0.0 for a, b in ((old, new), (held_before, held)))
    return MacroStep(events, after, relabelled, moved)


def _answers(model: Assigner, rows: States) -> tuple[IntArray, IntArray]:
    """Nearest segment, and the segment to hold on, of each row as it stands."""
    distances = model.distances(rows["y"])
    nearest = np.where(model.enterable, distances, np.inf).argmin(axis=1)
    return model.numbers[nearest], model.decide(distances, rows["segment"].astype(np.int64)).segment
