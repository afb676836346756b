"""Builders that tests share: events, declarations, a fixed model, and a town of customers who live through batches."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stream.contracts.changes import SegmentChange
from stream.contracts.events import Event
from stream.customer.features import NEVER, STEPS, FeatureSet
from stream.customer.state import Registers, States, empty, pack, unpack
from stream.decision.assign import Assigner
from stream.decision.batch import Batch, Step
from stream.decision.clock import Clock
from stream.decision.step import Stepper
from stream.model.snapshot import Scale, Segment, Snapshot, Vectors
from stream.settings import CustomerSettings, load

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MONDAY_MS = 1_736_121_600_000
"""2025-01-06 00:00 UTC."""
WALL_MS = 1_800_000_000_000

_ids = count(1)

Lines = tuple[tuple[str, float, bool], ...]


def event(
    customer: str,
    at_ms: int,
    amount: float = 0.0,
    *,
    kind: Literal["order", "view", "profile"] = "order",
    event_id: str | None = None,
    items: float = 0.0,
    discount: float = 0.0,
    lines: Lines = (),
    attributes: dict[str, str | int | float | bool] | None = None,
) -> Event:
    """One event; its id is new unless given."""
    name = event_id if event_id is not None else f"e{next(_ids)}"
    return Event(name, customer, kind, at_ms, amount, items, discount, lines, attributes, 0)


def shop_settings(**changes: Any) -> CustomerSettings:
    """A little shop: every kind of accumulator and feature once, half-life 28 days, dormancy floor 28 days."""
    declared: dict[str, Any] = {
        "timezone": "Europe/Berlin",
        "accumulators": [
            {"name": "orders", "kind": "count"},
            {"name": "views", "kind": "count", "of": "view"},
            {"name": "spend", "kind": "sum", "field": "amount"},
            {"name": "weekend", "kind": "count", "when": "weekend"},
            {"name": "evening_spend", "kind": "sum", "field": "amount", "when": "evening"},
            {"name": "own_brand", "kind": "sum", "field": "lines.amount", "when": "private_label"},
            {"name": "weekend_lines", "kind": "sum", "field": "lines.amount", "when": "weekend"},
            {"name": "goods", "kind": "mix", "field": "lines.amount", "values": ["fruit", "bread", "soap"]},
        ],
        "features": [
            _feature(
                "orders", "rate", "orders", prior=4.0, prior_weight=7.0, transform="log1p", range=[0, 150]
            ),
            _feature(
                "basket", "ratio", "spend", per="orders", prior=30.0, transform="log1p", range=[0, 3000]
            ),
            _feature(
                "fresh",
                "share",
                "goods",
                values=["fruit", "bread"],
                per="goods",
                prior=0.5,
                prior_weight=30.0,
            ),
            _feature("variety", "entropy", "goods", prior_weight=3.0),
            _feature("weekend", "share", "weekend", per="orders", prior=0.3),
            _feature("views", "rate", "views", prior_weight=7.0, range=[0, 2000]),
        ],
    }
    return CustomerSettings.model_validate(declared | changes)


def _feature(name: str, kind: str, of: str, **rest: Any) -> dict[str, Any]:
    words = {"unit": f"{name} unit", "low": f"low {name}", "high": f"high {name}"}
    return {"name": name, "kind": kind, "of": of, "range": [0, 1]} | words | rest


@cache
def shop() -> FeatureSet:
    """The compiled declarations of ``shop_settings``."""
    return FeatureSet(shop_settings())


@cache
def retail() -> FeatureSet:
    """The shipped retail declarations."""
    return FeatureSet(load().customers)


def steps(features: FeatureSet, natural: Mapping[str, float]) -> NDArray[np.float64]:
    """A vector in steps, shape (d,), from natural units; features that are not named stand in the middle."""
    vector = np.zeros(len(features.names))
    for column, feature in enumerate(features.features):
        if feature.name in natural:
            ends = np.array([*feature.range, natural[feature.name]])
            low, high, at = np.log1p(ends) if feature.transform == "log1p" else ends
            vector[column] = (at - low) / (high - low) * STEPS - STEPS // 2
    return vector


def model(
    features: FeatureSet,
    segments: Mapping[int, Mapping[str, float]],
    *,
    weights: Mapping[str, float] | None = None,
    version: int = 1,
    epoch: int = 1,
    margin: float = 0.25,
    retiring: Iterable[int] = (),
    sd: float = 3000.0,
) -> Snapshot:
    """A model with a segment at each place (natural units), and a cell at each segment and each corner about it.

    ``weights``: only these features count; default all, as declared.
    """
    d = len(features.names)
    weight = features.weight if weights is None else np.array([weights.get(n, 0.0) for n in features.names])
    scale = Scale(np.zeros(d), np.full(d, sd), weight, 6.0)
    places = {number: steps(features, place) for number, place in segments.items()}
    leaving = set(retiring)
    known = tuple(
        Segment(number, f"name of {number}", tuple(scale.z(at[None])[0]), 1.0, 10, retiring=number in leaving)
        for number, at in places.items()
    )
    around = [
        at + off for at in places.values() for off in (np.zeros(d), *(np.eye(d) * sd), *(np.eye(d) * -sd))
    ]
    return Snapshot(
        version=version,
        epoch=epoch,
        features_id=features.features_id,
        features=features.names,
        scale=scale,
        segments=known,
        cell_ids=np.arange(1, len(around) + 1),
        cell_positions=np.array(around),
        margin=margin,
        names={segment.number: segment.name for segment in known},
    )


def shop_model(**changes: Any) -> Snapshot:
    """Three segments of the little shop: 1 rare small baskets, 2 frequent small ones, 3 large ones; frequency is told first."""
    places = {
        1: {"orders": 1.0, "basket": 20.0},
        2: {"orders": 15.0, "basket": 20.0},
        3: {"orders": 5.0, "basket": 400.0},
    }
    return model(shop(), places, weights={"orders": 1.0, "basket": 0.7, "fresh": 0.2}, **changes)


def random_model(features: FeatureSet, y: Vectors, k: int, cells: int, rng: np.random.Generator) -> Snapshot:
    """A model whose segments and cells stand where some of these vectors do."""
    scale = Scale(y.mean(axis=0), np.maximum(y.std(axis=0), 1.0), features.weight, 3.0)
    chosen = y[rng.choice(len(y), k, replace=False)]
    segments = tuple(
        Segment(i + 1, f"name of {i + 1}", tuple(z), 1.5, 10) for i, z in enumerate(scale.z(chosen).tolist())
    )
    return Snapshot(
        version=1,
        epoch=1,
        features_id=features.features_id,
        features=features.names,
        scale=scale,
        segments=segments,
        cell_ids=np.arange(1, cells + 1),
        cell_positions=y[rng.choice(len(y), cells, replace=len(y) < cells)].astype(np.float64),
        margin=0.25,
        names={s.number: s.name for s in segments},
    )


class Town:
    """Customers and their states between batches, held as a worker holds them: packed, by partition, with a clock each.

    ``due_limit`` is how many customers who did nothing a batch may load for their timers.
    """

    def __init__(
        self,
        features: FeatureSet,
        snapshot: Snapshot | None = None,
        *,
        partitions: int = 1,
        due_limit: int = 1_000_000,
        wall_ms: int = WALL_MS,
        learns_rows: bool = False,
    ) -> None:
        self.features = features
        self.snapshot = snapshot
        self.clocks = [Clock() for _ in range(partitions)]
        self.states: dict[str, bytes] = {}
        self.steps: list[Step] = []
        self.wall_ms = wall_ms
        self._due_limit = due_limit
        self._learns_rows = learns_rows

    @property
    def changes(self) -> list[SegmentChange]:
        """Every change so far."""
        return [change for step in self.steps for _, change in step.changes]

    @property
    def duplicates(self) -> int:
        """Every duplicate so far."""
        return sum(step.duplicates for step in self.steps)

    def partition(self, customer: str) -> int:
        """Where a customer lives."""
        return zlib.crc32(customer.encode()) % len(self.clocks)

    def row(self, customer: str) -> Any:
        """The state of one customer."""
        return unpack(self.features, [self.states[customer]])[0][0]

    def rows(self) -> States:
        """The states of all, in name order."""
        return unpack(self.features, [self.states[c] for c in sorted(self.states)])[0]

    def live(self, events: Sequence[Event], cuts: Iterable[int] = (), *, sweep: Iterable[str] = ()) -> None:
        """Feed events in batches cut at these positions, then let every timer fire that fell due meanwhile."""
        bounds = [0, *sorted(cuts), len(events)]
        for start, end in zip(bounds, bounds[1:], strict=False):
            self.feed(events[start:end], sweep if end == len(events) else ())
        while any(self._due(p, self.clocks[p].now_ms) for p in range(len(self.clocks))):
            self.feed([])

    def feed(self, events: Sequence[Event], sweep: Iterable[str] = ()) -> Step:
        """One batch."""
        batch = self.batch(events, sweep)
        assigner = None if self.snapshot is None else Assigner(self.snapshot)
        step = Stepper(self.features, assigner, self._learns_rows).step(batch)
        for who, blob in zip(step.touched.tolist(), self._packed(step), strict=True):
            self.states[batch.customers[who]] = blob
        self.clocks = list(step.clocks)
        self.steps.append(step)
        return step

    def batch(self, events: Sequence[Event], sweep: Iterable[str] = ()) -> Batch:
        """The batch that a worker would assemble."""
        everybody = range(len(self.clocks))
        ordered = [e for p in everybody for e in events if self.partition(e.customer_id) == p]
        homes = [self.partition(e.customer_id) for e in ordered]
        newest = [max([self.clocks[p].now_ms, *_times(ordered, homes, p)]) for p in everybody]
        due = [c for p in everybody for c in self._due(p, newest[p])]
        swept = list(sweep)
        customers = list(dict.fromkeys([*(e.customer_id for e in ordered), *due, *swept]))
        index = {customer: i for i, customer in enumerate(customers)}
        rows, registers = self._loaded(customers)
        return Batch(
            partitions=list(everybody),
            clocks=self.clocks,
            bounds=np.searchsorted(homes, range(len(self.clocks) + 1)),
            events=ordered,
            event_customer=np.array([index[e.customer_id] for e in ordered], dtype=np.int64),
            customers=customers,
            customer_partition=np.array([self.partition(c) for c in customers], dtype=np.int64),
            rows=rows,
            registers=registers,
            sweep=np.array([index[c] for c in swept], dtype=np.int64),
            wall_ms=self.wall_ms,
        )

    def _loaded(self, customers: Sequence[str]) -> tuple[States, list[Registers]]:
        rows, registers = empty(self.features, len(customers)), list[Registers]([{} for _ in customers])
        known = [i for i, customer in enumerate(customers) if customer in self.states]
        held, held_registers = unpack(self.features, [self.states[customers[i]] for i in known])
        rows[known] = held
        for i, register in zip(known, held_registers, strict=True):
            registers[i] = register
        return rows, registers

    def _packed(self, step: Step) -> list[bytes]:
        return pack(step.rows[step.touched], [step.registers[i] for i in step.touched.tolist()])

    def _due(self, partition: int, before_ms: int) -> list[str]:
        waiting = ((int(self.row(c)["deadline"]), c) for c in self.states if self.partition(c) == partition)
        return [c for at, c in sorted(waiting) if NEVER < at < before_ms][: self._due_limit]


def _times(events: Sequence[Event], homes: Sequence[int], partition: int) -> list[int]:
    return [e.occurred_at_ms for e, home in zip(events, homes, strict=True) if home == partition]


def told(changes: Iterable[SegmentChange]) -> dict[str, list[SegmentChange]]:
    """Changes by customer, each in its order, without the wall clock: what must not depend on batching."""
    by_customer: dict[str, list[SegmentChange]] = {}
    for change in changes:
        by_customer.setdefault(change.customer_id, []).append(replace(change, decided_at=""))
    return by_customer


def plain(row: Any) -> str:
    """A row of state as text, for messages of failed comparisons."""
    return json.dumps({name: np.asarray(row[name]).tolist() for name in row.dtype.names})
