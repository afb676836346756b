"""A scene: customers of the data with their past until a day, the model of that day, and what comes after it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property

import numpy as np

from benchmarks.quality.service import Run
from benchmarks.quality.stage import Stage, after, glance
from producers.orders import Encoded, local_rfc3339
from stream.customer.features import DAY_MS
from stream.model.snapshot import Snapshot
from stream.settings import Tree

CUSTOMERS = 2500
RECENT_DAYS = 12
"""Who came within so many days is awake, and stays so for as many more: nobody sleeps before the dormancy floor."""
MINUTE_MS = 60_000
_AT_STOP = 1
"""The second checkpoint: by then everybody has a past."""


@dataclass(frozen=True)
class Scene:
    """Where every play begins."""

    settings: Tree
    ms: int
    past: Sequence[Encoded]
    """Events of its customers before ``ms``."""
    model: Snapshot
    moved: Snapshot
    """The model of the last checkpoint, as one that customers meet at their next look."""
    regrouped: Snapshot
    """The same as one that customers are swept for."""

    def open(self, *, with_past: bool = True) -> Stage:
        """A stage on which the past has happened, and everybody has just been looked at."""
        stage = Stage(self.settings, self.model)
        if with_past:
            stage.send(self.past)
            stage.send(self.glances(self.ms))
        return stage

    def glances(self, ms: int) -> list[Encoded]:
        """A look at everybody, which nothing but time has changed."""
        return [glance(name, ms) for name in self.orders]

    @cached_property
    def orders(self) -> Mapping[str, list[Encoded]]:
        """The orders of each customer who has any."""
        found: dict[str, list[Encoded]] = {}
        for event in self.past:
            if json.loads(event.payload)["type"] == "order":
                found.setdefault(event.key.decode(), []).append(event)
        return found

    @cached_property
    def last_ms(self) -> dict[str, int]:
        """When each customer came last."""
        return {event.key.decode(): event.occurred_at_ms for event in self.past}

    @cached_property
    def recent(self) -> set[str]:
        """Who came a short time ago and is known."""
        since, enough = self.ms - RECENT_DAYS * DAY_MS, self.settings.customers.cold_looks
        return {name for name, last in self.last_ms.items() if last >= since and len(self.orders[name]) >= enough}

    def strange(self, names: Iterable[str], held: Mapping[str, str], at_ms: int, each: int) -> list[Encoded]:
        """For each customer so many orders, a minute apart, as somebody of another segment made them last."""
        rng = np.random.default_rng(self.settings.model.seed)
        known = sorted(name for name in held if len(self.orders.get(name, ())) >= each)
        said = []
        for name in sorted(names):
            others = [other for other in known if held[other] != held.get(name)]
            model = self.orders[others[rng.integers(len(others))]][-each:]
            said += [copied(order, name, at_ms + nth * MINUTE_MS) for nth, order in enumerate(model)]
        return sorted(said, key=lambda event: event.occurred_at_ms)


def scene_of(life: Run) -> Scene | None:
    """From a life under a moving model; ``None`` if it has too few checkpoints."""
    stops = life.stops[_AT_STOP:]
    if len(stops) < 2:
        return None
    start, data = stops[0], life.data
    rng = np.random.default_rng(life.settings.model.seed)
    known = np.unique(data.customer[: data.before(start.ms)])
    chosen = np.isin(data.customer, rng.choice(known, min(CUSTOMERS, len(known)), replace=False))
    past = [data.events[i] for i in np.flatnonzero(chosen[: data.before(start.ms)]).tolist()]
    model = start.assigner.snapshot
    moved, regrouped = (after(model, stops[-1].assigner.snapshot, is_swept=swept) for swept in (False, True))
    return Scene(life.settings, start.ms, past, model, moved, regrouped)


def copied(order: Encoded, customer: str, at_ms: int) -> Encoded:
    """The same order, made by somebody else at another time."""
    said = json.loads(order.payload)
    said |= {"customer_id": customer, "event_id": f"{customer}-{at_ms}", "occurred_at": local_rfc3339(at_ms, UTC)}
    return Encoded(customer.encode(), json.dumps(said).encode(), at_ms)
