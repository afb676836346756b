"""Invariant I10: the learner counts what the journaled states add up to, cell by cell, to the last bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from consumers.following import read_between
from consumers.source import Tail
from stream.contracts.commands import KEY as COMMAND
from stream.customer import tenure
from stream.customer.features import STEPS, FeatureSet
from stream.customer.holdings import Holding, difference, holdings, total
from stream.customer.state import OUT_OF_POPULATION, States, Status
from stream.customer.tenure import Tenures
from stream.decision.assign import NONE
from stream.drift.histograms import GRID, grid_counts
from stream.errors import BadRecord
from stream.model.learner import Learner
from stream.model.learning import LearningRecord
from stream.model.snapshot import NURSERY, IntArray
from stream.model.sums import Sums
from stream.settings import ModelSettings, TopicSettings, Tree

_BACK = 64
"""Records of the model topic's end in which the newest good snapshot is looked for."""


@dataclass
class Census:
    """Customers by cell and by held segment."""

    features: FeatureSet
    cells: dict[int, Sums] = field(default_factory=dict)
    """Cell id -> sums of one group; the nursery is a cell too."""
    held: Counter[int] = field(default_factory=Counter)
    holdings: dict[int, Holding] = field(default_factory=dict)
    """What the holders add up to."""
    tenures: tenure.Counts = field(default_factory=dict)
    """How many of them have held it since which week."""
    grid: IntArray = field(init=False)
    """Customers by feature and cell of the grid, (d, GRID)."""

    def __post_init__(self) -> None:
        self.grid = np.zeros((len(self.features.names), GRID), np.int64)

    def count(self, rows: States) -> None:
        """Add the customers of these rows."""
        inside = rows[rows["cell"] != OUT_OF_POPULATION]
        self.grid += grid_counts(inside["y"], np.ones(len(inside), np.int64), STEPS)
        ids, group = np.unique(inside["cell"].astype(np.int64), return_inverse=True)
        sums = Sums.of(inside["y"], np.ones(len(inside), np.int64), group, len(ids))
        for i, cell in enumerate(ids.tolist()):
            self.cells[cell] = self.of(cell) + sums[np.array([i])]
        holders = rows[(rows["segment"] != NONE) & (rows["status"] != Status.CLOSED)]
        self.held.update(holders["segment"].tolist())
        self.holdings = total(self.holdings, holdings(self.features, rows))
        tenure.add(self.tenures, tenure.tenures(rows))

    def of(self, cell: int) -> Sums:
        """Sums of a cell; of one that nobody is in, zeros."""
        return self.cells.get(cell) or Sums.none(1, len(self.features.names))

    @property
    def customers(self) -> int:
        """Everybody in the population."""
        return sum(int(sums.n[0]) for sums in self.cells.values())


@dataclass(frozen=True)
class Learnt:
    """What the learner knows after the newest snapshot and all learning records behind it."""

    census: Census
    faults: tuple[str, ...]


def learnt(settings: Tree, features: FeatureSet, tail: Tail) -> Learnt:
    """The learner's customers at the end of the learning topic. Raises ``BrokerUnavailable``."""
    # river's clusterers keep the same cells beside their own state, and only the cells are audited.
    cells = settings.model.model_copy(update={"kind": "cells"})
    learner, faults = relearnt(settings.topics, features, cells, tail)
    return Learnt(_census_of(learner, features), faults)


def relearnt(
    topics: TopicSettings, features: FeatureSet, model: ModelSettings, tail: Tail
) -> tuple[Learner, tuple[str, ...]]:
    """Do what a new owner would do, without the grouping; and what could not be learnt. ``BrokerUnavailable``."""
    faults = list[str]()
    learner = _newest_learner(topics, features, model, tail)
    first, end = tail.bounds(topics.learning, 0)
    start = learner.snapshot.learning_offset if learner.snapshot else 0
    if first > start:
        faults.append(f"learning records {start} to {first - 1} are needed and no longer there")
    for record in read_between(tail, topics.learning, 0, max(first, start), end):
        if record.key == COMMAND:
            continue  # it moves no customer
        try:
            learner.learn(LearningRecord.unpack(record.value or b""))
        except BadRecord as error:
            faults.append(f"learning record at offset {record.offset} cannot be learnt: {error}")
    return learner, tuple(faults)


def cell_differences(learner: Census, journal: Census) -> Iterator[str]:
    """Cells whose customers or sums differ."""
    for cell in sorted({*learner.cells, *journal.cells}):
        ours, theirs = learner.of(cell), journal.of(cell)
        if ours.n[0] != theirs.n[0]:
            yield f"cell {cell}: the learner counts {ours.n[0]} customers, the journal has {theirs.n[0]}"
        elif (ours.sums != theirs.sums).any() or (ours.squares != theirs.squares).any():
            yield f"cell {cell}: {ours.n[0]} customers in both, but their sums differ"
    wrong = np.flatnonzero((learner.grid != journal.grid).any(axis=1))
    yield from (f"feature '{learner.features.names[feature]}': the histograms differ" for feature in wrong.tolist())


def held_differences(learner: Mapping[int, int], journal: Mapping[int, int]) -> Iterator[str]:
    """Segments whose holders differ in number."""
    for number in sorted({*learner, *journal}):
        ours, theirs = learner.get(number, 0), journal.get(number, 0)
        if ours != theirs:
            yield f"s{number}: the learner counts {ours} holders, the journal has {theirs}"


def holding_differences(learner: Mapping[int, Holding], journal: Mapping[int, Holding]) -> Iterator[str]:
    """Segments whose holders add up to something else."""
    for number, change in difference(learner, journal).items():
        wrong = [f"{name} by {value}" for name, value in asdict(change).items() if value]
        yield f"s{number}: what its holders add up to is off in {', '.join(wrong)}"


def tenure_differences(learner: Tenures, journal: Tenures) -> Iterator[str]:
    """Segments whose holders came at other times."""
    for number in sorted(tenure.difference(learner, journal)):
        yield f"s{number}: the learner counts other weeks of its holders' entries"


def _newest_learner(topics: TopicSettings, features: FeatureSet, model: ModelSettings, tail: Tail) -> Learner:
    first, end = tail.bounds(topics.model, 0)
    records = list(read_between(tail, topics.model, 0, max(first, end - _BACK), end))
    for record in reversed(records):
        try:
            return Learner.from_record(record.value or b"", features, model)
        except BadRecord:  # as the owner: the last good one counts
            continue
    return Learner(features, model)


def _census_of(learner: Learner, features: FeatureSet) -> Census:
    state = learner.state
    population = state.population
    census = Census(features, held=Counter(state.held), holdings=state.holdings, tenures=state.tenures)
    for i, cell in enumerate(population.cells.ids.tolist()):
        census.cells[cell] = population.cells.sums[np.array([i])]
    census.cells[NURSERY] = population.nursery.total
    census.grid = population.grid
    return census
