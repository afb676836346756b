"""river's own clusterers as the source of the centroids (``model.kind`` other than ``cells``).

The population cells stay: they give scale, sizes, identity and profiles. Only where the centroids of a macro
step come from changes. river learns every look, in the z of a scale frozen when it started, for it has no
notion of one that moves.

Facts about river 0.26 that end here (those that would do silent harm are tests):

- ``KMeans.predict_one`` writes centres for features it has not seen, a missing feature counts as 0, and
  ``halflife`` is the share of the way a centre moves, not a half-life: every row has all features, and .05 it
  is.
- ``STREAMKMeans`` and ``CluStream`` start with centres that have no coordinates, and draw one when it is read:
  here it reads 0, and nothing is drawn.
- ``CluStream``'s merge is quadratic in its micro-clusters: 30 take 0.2 ms a row, 60 take 2.
- ``DBSTREAM`` re-clusters and renumbers whenever its centres are read; numbers are ours, by shared customers.
- ``DenStream`` clusters only inside ``predict_one``, and that one adds the micro-clusters of a cluster into
  the first of them where it stands: it is asked on a copy.

So ``predict_one`` is never called on what learns. What cannot be saved as data is not saved: after a restart
a kind other than KMeans learns its last 1,000 rows again; KMeans is its centres, exactly.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from river import cluster

from stream.model.kmeans import lloyd, seeds
from stream.model.snapshot import FloatArray, Scale, Vectors
from stream.settings import ModelKind

KEPT_ROWS = 1000
WARM_TRIES = 10


@dataclass(frozen=True)
class _Wanted:
    """What a kind is built from. ``spread``: root mean square distance to the population's mean, in z."""

    segments: int
    seed: int
    spread: float


def _kmeans(wanted: _Wanted) -> Any:
    return cluster.KMeans(n_clusters=wanted.segments, halflife=0.05, seed=wanted.seed)


def _streamkmeans(wanted: _Wanted) -> Any:
    build: Any = cluster.STREAMKMeans
    return build(chunk_size=200, n_clusters=wanted.segments, halflife=0.5, seed=wanted.seed)


def _clustream(wanted: _Wanted) -> Any:
    return cluster.CluStream(
        n_macro_clusters=wanted.segments,
        max_micro_clusters=30,
        time_window=5000,
        time_gap=200,
        halflife=0.2,
        seed=wanted.seed,
    )


def _dbstream(wanted: _Wanted) -> Any:
    return cluster.DBSTREAM(
        clustering_threshold=0.9 * wanted.spread,
        fading_factor=0.001,
        cleanup_interval=100,
        intersection_factor=0.1,
        minimum_weight=3.0,
    )


def _denstream(wanted: _Wanted) -> Any:
    return cluster.DenStream(
        decaying_factor=0.01,
        beta=0.5,
        mu=2.5,
        epsilon=0.8 * wanted.spread,
        n_samples_init=200,
        stream_speed=100,
    )


_BUILD: Mapping[ModelKind, Callable[[_Wanted], Any]] = {
    "kmeans": _kmeans,
    "streamkmeans": _streamkmeans,
    "clustream": _clustream,
    "dbstream": _dbstream,
    "denstream": _denstream,
}


class RiverGroups:
    """One of river's clusterers and the frozen scale it lives in."""

    def __init__(self, kind: ModelKind, segments: int, seed: int, scale: Scale) -> None:
        self.kind = kind
        self.segments = segments
        self.seed = seed
        self.scale = scale
        self.rows = np.zeros((0, len(scale.mean)), np.int16)
        """The last rows learnt, (<= KEPT_ROWS, d)."""
        self._model = _BUILD[kind](_Wanted(segments, seed, float(np.sqrt((scale.weight**2).sum()))))

    def start(self, customers: Vectors) -> None:
        """Learn the first customers, each counting once, shape (n, d)."""
        if self.kind == "kmeans":
            z, weights, rng = (
                self.scale.z(customers),
                np.ones(len(customers)),
                np.random.default_rng(self.seed),
            )
            tries = (lloyd(z, weights, z[seeds(z, weights, self.segments, rng)]) for _ in range(WARM_TRIES))
            self.resume(min(tries, key=lambda partition: partition.inertia).centres, customers[:0])
        self.learn(customers)

    def resume(self, centres_z: FloatArray, rows: Vectors) -> None:
        """Go on from a record: centres (k, d) in z of the frozen scale, and the last rows learnt."""
        if self.kind == "kmeans":
            self._model.centers = {i: dict(enumerate(centre)) for i, centre in enumerate(centres_z.tolist())}
            self.rows = rows
        else:
            self.learn(rows)

    def learn(self, rows: Vectors) -> None:
        """Learn looks (r, d), in order."""
        for z in self.scale.z(rows).tolist():
            self._model.learn_one(dict(enumerate(z)))
        self.rows = np.concatenate([self.rows, rows])[-KEPT_ROWS:]

    @property
    def centres_z(self) -> FloatArray:
        """Centres in z of the frozen scale, (k, d); the population's mean as long as river has found none."""
        d = len(self.scale.mean)
        read = [[centre.get(i, 0.0) for i in range(d)] for centre in self._centres()]
        return np.array(read or [[0.0] * d])

    @property
    def centres(self) -> FloatArray:
        """Centres in steps, (k, d)."""
        return self.scale.steps(self.centres_z)

    def _centres(self) -> Iterable[Mapping[int, float]]:
        if self.kind == "denstream":
            asked = copy.deepcopy(self._model)
            asked.predict_one(dict.fromkeys(range(len(self.scale.mean)), 0.0))
            return list(asked.centers.values())
        return list(self._model.centers.values())
