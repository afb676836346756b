"""Customers with positions, and the worker's part: a look at some, and the learner is told how they moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.customer import tenure
from stream.customer.features import STEPS
from stream.customer.holdings import Holding, difference
from stream.customer.tenure import WEEK_MS
from stream.drift.histograms import grid_counts
from stream.model.kmeans import nearest
from stream.model.learner import Learner
from stream.model.learning import LearningRecord
from stream.model.macro_step import MacroStep
from stream.model.snapshot import NURSERY, OUT, FloatArray, IntArray, Snapshot, Vectors
from stream.model.sums import Sums
from stream.settings import Feature, ModelSettings

DAY_MS = 86_400_000
FEATURES_ID = "f" * 16


def feature(name: str, **changes: object) -> Feature:
    """A feature of range -16,000 .. 16,000, so that a step is a unit."""
    fields: dict[str, object] = {
        "name": name,
        "kind": "rate",
        "of": "orders",
        "range": (-16_000, 16_000),
        "unit": "units",
        "low": f"low {name}",
        "high": f"high {name}",
        "min_sd": 4.0,
    }
    return Feature.model_validate(fields | changes)


@dataclass(frozen=True)
class Description:
    """What the learner needs of a feature set."""

    features: tuple[Feature, ...]
    features_id: str = FEATURES_ID

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.features)

    @property
    def weight(self) -> FloatArray:
        return np.array([f.weight for f in self.features])

    @property
    def min_sd(self) -> FloatArray:
        return np.array([f.min_sd for f in self.features])

    def natural(self, y: FloatArray) -> FloatArray:
        return y.astype(np.float64)

    def steps(self, natural: FloatArray) -> FloatArray:
        return natural


def described(d: int) -> Description:
    """d plain features, a value feature first."""
    return Description(tuple(feature(f"x{i}", group="value" if i == 0 else "behaviour") for i in range(d)))


def settings(**changes: object) -> ModelSettings:
    """A small model that learns at once."""
    fields: dict[str, object] = {
        "segments": 3,
        "cells": 30,
        "warmup_customers": 60,
        "macro_rows": 1,
        "seed": 11,
    }
    return ModelSettings.model_validate(fields | changes)


@dataclass
class Crowd:
    """Where customers stand (``y``), in which cells they are counted, which segments they hold (0: none)."""

    y: Vectors
    learner: Learner
    cell: IntArray = field(init=False)
    held: IntArray = field(init=False)
    now_ms: int = 0
    entered_ms: IntArray = field(init=False)
    """When each entered the segment it holds."""

    def __post_init__(self) -> None:
        self.cell = np.full(len(self.y), OUT)
        self.held = np.zeros(len(self.y), np.int64)
        self.entered_ms = np.zeros(len(self.y), np.int64)

    @property
    def everybody(self) -> IntArray:
        return np.arange(len(self.y))

    def look(self, who: IntArray, to: Vectors | None = None, snapshot: Snapshot | None = None) -> LearningRecord:
        """``who`` (distinct) are looked at, at a new place, under the learner's snapshot or an older one."""
        snapshot = snapshot or self.learner.snapshot
        new = self.y[who] if to is None else to
        cell, held = np.full(len(who), NURSERY), np.zeros(len(who), np.int64)
        if snapshot is not None:
            z = snapshot.scale.z(new)
            enterable = [s for s in snapshot.segments if not s.retiring]
            cell = snapshot.cell_ids[nearest(z, snapshot.scale.z(snapshot.cell_positions))]
            held = np.array([s.number for s in enterable])[nearest(z, np.array([s.centroid for s in enterable]))]
        record = self._record(who, new, cell, held)
        self.entered_ms[who] = np.where(held != self.held[who], self.now_ms, self.entered_ms[who])
        self.y[who], self.cell[who], self.held[who] = new, cell, held
        return record

    def leave(self, who: IntArray) -> LearningRecord:
        """They turn dormant: out of the population, their segment still held."""
        record = self._record(who, self.y[who], np.full(len(who), OUT), self.held[who])
        self.cell[who] = OUT
        return record

    def step(self, who: IntArray | None = None, to: Vectors | None = None) -> MacroStep:
        """A look of ``who`` (all) is learnt, and a macro step follows."""
        self.learner.learn(self.look(self.everybody if who is None else who, to))
        return self.learner.macro_step(self.now_ms)

    def sums(self) -> dict[int, tuple[int, list[int], list[int]]]:
        """The sums of every cell with customers, counted afresh."""
        return {
            int(c): _plain(Sums.of(rows, np.ones(len(rows), np.int64), np.zeros(len(rows), np.int64), 1), 0)
            for c in np.unique(self.cell)
            if c != OUT
            for rows in [self.y[self.cell == c]]
        }

    def _record(self, who: IntArray, new: Vectors, new_cell: IntArray, new_held: IntArray) -> LearningRecord:
        old, rows = self.y[who], self.learner.settings.kind != "cells"
        cell = np.concatenate([self.cell[who], new_cell])
        y = np.concatenate([old, new])
        sign = np.repeat(np.array([-1, 1], np.int8), len(who))
        inside, nursery = cell > NURSERY, cell == NURSERY
        cells, label = np.unique(cell[inside], return_inverse=True)
        change = Sums.of(y[inside], sign[inside].astype(np.int64), label, len(cells))
        numbers, changes = np.concatenate([self.held[who], new_held]), np.repeat([-1, 1], len(who))
        held = {int(n): int(changes[numbers == n].sum()) for n in np.unique(numbers[numbers > 0])}
        return LearningRecord(
            features_id=self.learner.features.features_id,
            now_ms=self.now_ms,
            looks=len(who),
            cells=cells,
            n=change.n,
            sums=change.sums,
            squares=change.squares,
            nursery_sign=sign[nursery],
            nursery_y=y[nursery],
            held={n: d for n, d in held.items() if d},
            holdings=self._holdings(numbers, np.where(cell == OUT, 0, changes)),
            tenures=self._tenures(who, new_cell, new_held),
            rows=new if rows else new[:0],
            **self._grid(y[cell != OUT], sign[cell != OUT]),
        )

    def _tenures(self, who: IntArray, new_cell: IntArray, new_held: IntArray) -> tenure.Counts:
        old_week, now_week = self.entered_ms[who] // WEEK_MS, self.now_ms // WEEK_MS
        new_week = np.where(new_held == self.held[who], old_week, now_week)
        change: tenure.Counts = {}
        for sign, held, week, cell in (1, new_held, new_week, new_cell), (-1, self.held[who], old_week, self.cell[who]):
            for number, at in zip(held[cell != OUT].tolist(), week[cell != OUT].tolist(), strict=True):
                tenure.add(change, {number: {at: sign}} if number else {})
        return change

    @staticmethod
    def _grid(y: Vectors, sign: NDArray[np.int8]) -> dict[str, Any]:
        counts = grid_counts(y, sign.astype(np.int64), STEPS).ravel()
        return {"grid_cells": np.flatnonzero(counts), "grid_n": counts[counts != 0]}

    @staticmethod
    def _holdings(numbers: IntArray, active: IntArray) -> dict[int, Holding]:
        """Changes of who is active, and of nothing else."""
        sums = {int(n): Holding(active=int(active[numbers == n].sum())) for n in np.unique(numbers[numbers > 0])}
        return difference(sums, {})


def learnt(learner: Learner) -> dict[int, tuple[int, list[int], list[int]]]:
    """The sums of every cell that has any, and of the nursery, as the learner has them."""
    population = learner.state.population
    cells = {int(c): _plain(population.cells.sums, i) for i, c in enumerate(population.cells.ids)}
    everything = cells | {NURSERY: _plain(population.nursery.total, 0)}
    return {cell: sums for cell, sums in everything.items() if sums[0] or any(sums[1]) or any(sums[2])}


def blobs(rng: np.random.Generator, centres: list[list[float]], n: int, sd: float = 300.0) -> Vectors:
    """n customers around each centre."""
    around = [np.array(c) + rng.normal(0.0, sd, (n, len(c))) for c in centres]
    return np.rint(np.concatenate(around)).astype(np.int16)


def _plain(sums: Sums, group: int) -> tuple[int, list[int], list[int]]:
    return int(sums.n[group]), sums.sums[group].tolist(), sums.squares[group].tolist()
