"""The same year for others: river's clusterers as they are, and scikit-learn's mini-batch k-means.

All learn every event's vector from the shared stream, in one frozen scale, for none of them has a notion of one that
moves. The label of an event is the centre nearest to it once it was learnt, under
the number that the library gives it: nobody steadies it, nobody matches numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from river import cluster
from sklearn.cluster import MiniBatchKMeans

from benchmarks.quality.data import Data, FloatArray, IntArray
from benchmarks.quality.vectors import Vectors, last_events
from stream.model.kmeans import nearest
from stream.model.river_kinds import RiverGroups
from stream.model.snapshot import Scale
from stream.settings import ModelKind


class Clusterer(Protocol):
    """What a baseline must do."""

    def start(self, customers: Vectors) -> None:
        """Learn the first customers, each once, (n, d)."""
        ...

    def learn(self, rows: Vectors) -> None:
        """Learn events in order, (n, d)."""
        ...

    @property
    def centres_z(self) -> FloatArray:
        """In z of the frozen scale, (k, d)."""
        ...


@dataclass(frozen=True)
class Kind:
    """One baseline. ``events``: after so many it stops, for it is slow; ``every``: events between two readings."""

    build: Callable[[int, int, Scale], Clusterer]
    every: int
    events: int | None = None


class RiverDefault:
    """river's KMeans with its defaults, from a cold start."""

    def __init__(self, k: int, seed: int, scale: Scale) -> None:
        self._model, self._scale = cluster.KMeans(n_clusters=k, seed=seed), scale

    def start(self, customers: Vectors) -> None:
        """Nothing special."""
        self.learn(customers)

    def learn(self, rows: Vectors) -> None:
        """Row by row."""
        for row in self._scale.z(rows).tolist():
            self._model.learn_one(dict(enumerate(row)))

    @property
    def centres_z(self) -> FloatArray:
        """As they are."""
        return np.array([[centre[i] for i in sorted(centre)] for centre in self._model.centers.values()])


class MiniBatch:
    """scikit-learn's mini-batch k-means, one partial fit a batch of 512."""

    def __init__(self, k: int, seed: int, scale: Scale) -> None:
        self._model, self._scale = MiniBatchKMeans(k, random_state=seed, n_init=10), scale

    def start(self, customers: Vectors) -> None:
        """The first fit chooses the centres."""
        self.learn(customers)

    def learn(self, rows: Vectors) -> None:
        """One batch."""
        self._model.partial_fit(self._scale.z(rows))

    @property
    def centres_z(self) -> FloatArray:
        """As they are."""
        return np.asarray(self._model.cluster_centers_, np.float64)


def _shipped(kind: ModelKind) -> Callable[[int, int, Scale], Clusterer]:
    """river's clusterer as the service would run it: tuned, and started on customers instead of events."""
    return lambda k, seed, scale: RiverGroups(kind, k, seed, scale)


KINDS: Mapping[str, Kind] = {
    "river_kmeans": Kind(RiverDefault, 1),
    "river_kmeans_best": Kind(_shipped("kmeans"), 1),
    "river_streamkmeans": Kind(_shipped("streamkmeans"), 1),
    "sklearn_minibatch": Kind(MiniBatch, 512),
    "river_denstream": Kind(_shipped("denstream"), 200, events=20_000),
    "river_clustream": Kind(_shipped("clustream"), 200, events=15_000),
    "river_dbstream": Kind(_shipped("dbstream"), 200, events=3_000),
}


@dataclass(frozen=True)
class Lived:
    """What a baseline made of its part of the year."""

    labels: IntArray
    """Of the first events, from 1; 0 before it started."""
    started: int
    centres_z: Mapping[int, FloatArray]
    """By checkpoint day; a bounded one has one more, its last whole day."""


def live(kind: Kind, data: Data, y: Vectors, scale: Scale, started: int, k: int, seed: int) -> Lived:
    """Start on the customers of the first ``started`` events, then go through the rest as far as the kind goes."""
    end = len(y) if kind.events is None else min(len(y), started + kind.events)
    stops = _stops(data, started, end)
    model = kind.build(k, seed, scale)
    first = last_events(data, int(data.at_ms[started - 1]) + 1)
    model.start(y[first[first >= 0]])
    labels = np.zeros(end, np.int64)
    centres: dict[int, FloatArray] = {}
    at = started
    for to in sorted({*range(started, end, kind.every), *stops, end} - {started}):
        model.learn(y[at:to])
        now = model.centres_z
        labels[at:to] = nearest(scale.z(y[at:to]), now) + 1
        at = to
        if to in stops:
            centres[stops[to]] = now.copy()
    return Lived(labels, started, centres)


def _stops(data: Data, started: int, end: int) -> dict[int, int]:
    """Checkpoint days by how many events lie before their ends; of a part of a year also its last whole day."""
    days = {*data.checkpoint_days}
    if end < len(data.events):
        days.add(int((data.at_ms[end] - data.start_ms) // 86_400_000) - 1)
    ends = {data.before(data.end_of_day_ms(day)): day for day in sorted(days)}
    return {at: day for at, day in ends.items() if started < at <= end}


def describe(kind: Kind, lived: Lived) -> dict[str, Any]:
    """What a reader must know beside the figures."""
    return {"events": len(lived.labels) - lived.started, "is_bounded": kind.events is not None}
