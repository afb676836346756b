"""Deciding again: what a batch did is a function of the states before it, its events and one model.

The journal has the states and where each batch began and ended, the input topic the events, the model topic the models.
So every decision can be had again, to the bit, whatever happened to the processes that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from consumers.assembling import Intake, assemble, take_in
from consumers.following import read_between
from consumers.source import Record, Tail
from stream.contracts.changes import SegmentChange
from stream.contracts.events import DecodeRules
from stream.customer.features import NEVER, FeatureSet
from stream.customer.state import pack, unpack
from stream.decision.assign import Assigner
from stream.decision.batch import Batch
from stream.decision.step import Stepper
from stream.settings import Tree
from stream.view.journal import NOTHING, JournalPart, Mark
from stream.view.store import Loaded


@dataclass(frozen=True)
class JournaledBatch:
    """One batch as the journal has it, all parts together."""

    mark: Mark
    start: int
    """First input offset."""
    previous: int
    states: Mapping[str, bytes]


@dataclass(frozen=True)
class Redone:
    """What the same batch comes to when it is decided again."""

    states: Mapping[str, bytes]
    changes: Sequence[SegmentChange]


@dataclass
class Redoing:
    """One partition from the beginning of its journal, batch by batch.

    ``model``: the model of a version, ``None`` for 0. Each batch is redone from what is journaled before it, so that
    one difference is not found again and again.
    """

    settings: Tree
    features: FeatureSet
    partition: int
    rules: DecodeRules
    model: Callable[[int], Assigner | None]
    states: dict[str, bytes] = field(default_factory=dict)
    mark: Mark | None = None
    is_complete: bool = False
    """Whether everybody has been seen: who is not in ``states`` is new."""

    def has_model(self, batch: JournaledBatch) -> bool:
        """Whether the model that the batch was decided with is known."""
        version = batch.mark.model_version
        return version == 0 or self.model(version) is not None

    def redo(self, batch: JournaledBatch, records: Sequence[Record]) -> Redone:
        """Decide ``batch`` again, of which ``records`` are the input; then take it as it was."""
        model = self.model(batch.mark.model_version)
        rules = replace(self.rules, segments=frozenset() if model is None else model.open_ids)
        again = self._batch(batch, take_in(records, self.partition, rules, self.settings.topics))
        learns_rows = self.settings.model.kind != "cells"
        step = Stepper(self.features, model, learns_rows).step(again)
        blobs = pack(step.rows[step.touched], [step.registers[i] for i in step.touched])
        names = [again.customers[i] for i in step.touched.tolist()]
        self.take(batch)
        return Redone(dict(zip(names, blobs, strict=True)), [change for _, change in step.changes])

    def take(self, batch: JournaledBatch) -> None:
        """Take a batch as it was."""
        self.states.update(batch.states)
        self.mark = batch.mark

    def _batch(self, batch: JournaledBatch, intake: Intake) -> Batch:
        customers = [name.encode() for name in dict.fromkeys([*intake.customers, *batch.states])]
        known = {c: self.states[c.decode()] for c in customers if c.decode() in self.states}
        # Timers fire by their deadlines, whoever is passed as swept: of both, the journal has who was written. Who came
        # with nothing but duplicates may have been swept as well.
        others = [name.encode() for name in batch.states]
        mark = replace(batch.mark, now_ms=NEVER, claims={}) if self.mark is None else self.mark
        if not intake.events:
            mark = replace(mark, now_ms=batch.mark.now_ms)  # where the wall clock had carried it
        # Side by side they stand as they were written; the sweep goes in name order.
        view = Loaded(None, known, due=others, sweep=sorted(others))
        wall_ms = self._decided_at(batch)
        return assemble(
            self.features, {self.partition: intake}, {self.partition: mark}, {self.partition: view}, wall_ms
        )

    def _decided_at(self, batch: JournaledBatch) -> int:
        """The wall clock of the batch, as whoever changed in it has kept it; 0 if nobody did, and nobody needs it."""
        after, _ = unpack(self.features, list(batch.states.values()))
        known = [i for i, name in enumerate(batch.states) if name in self.states]
        before, _ = unpack(self.features, [self.states[name] for name in batch.states if name in self.states])
        versions = np.zeros(len(after), dtype=np.int64)
        versions[known] = before["version"]
        return int(after["change_decided_at"][after["version"] > versions].max(initial=0))


def batches(records: Iterator[Record]) -> Iterator[JournaledBatch]:
    """The batches of a partition's journal. Raises ``BadRecord``."""
    states: dict[str, bytes] = {}
    for record in records:
        part = JournalPart.unpack(record.value or b"")
        states.update(part.states)
        if part.is_last:
            yield JournaledBatch(replace(part.mark, journal=record.offset), part.start, part.previous, states)
            states = {}


def decided_again(redoing: Redoing, tail: Tail) -> Iterator[tuple[JournaledBatch, Redone | None]]:
    """Every batch of the journal; ``None`` where it cannot be redone.

    That is: where its model or its input is gone, and where the journal was cut off, until it has everybody again.
    Raises ``BrokerUnavailable`` and ``BadRecord``.
    """
    topics, partition = redoing.settings.topics, redoing.partition
    first, end = tail.bounds(topics.journal, partition)
    oldest, newest = tail.bounds(topics.events, partition)
    events = _Input(read_between(tail, topics.events, partition, oldest, newest))
    for batch in batches(read_between(tail, topics.journal, partition, first, end)):
        records = events.before(batch.mark.next)
        if batch.previous == NOTHING or (redoing.mark is not None and redoing.mark.floor >= first):
            redoing.is_complete = True
        has_input = batch.start >= oldest or batch.start == batch.mark.next
        if redoing.is_complete and has_input and redoing.has_model(batch):
            yield batch, redoing.redo(batch, records)
        else:
            redoing.take(batch)
            yield batch, None


class _Input:
    """The input of one partition, read on as far as it is asked for."""

    def __init__(self, records: Iterator[Record]) -> None:
        self._records = records
        self._ahead: Record | None = None

    def before(self, offset: int) -> list[Record]:
        """What comes next and is before ``offset``."""
        taken: list[Record] = []
        while (record := self._ahead or next(self._records, None)) is not None and record.offset < offset:
            self._ahead = None
            taken.append(record)
        self._ahead = record
        return taken


def state_differences(batch: JournaledBatch, redone: Redone) -> Iterator[str]:
    """Customers whose state is another when the batch is decided again."""
    where = f"batch {batch.mark.sequence}"
    for name in dict.fromkeys([*batch.states, *redone.states]):
        if name not in redone.states:
            yield f"{where}: nothing happened to '{name}', but it was written"
        elif name not in batch.states:
            yield f"{where}: something happened to '{name}', but it was not written"
        elif batch.states[name] != redone.states[name]:
            yield f"{where}: '{name}' is decided otherwise"
