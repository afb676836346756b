"""How many segments? Four indices over a scan of k on the weighted cells, as advice.

On continuous data they contradict each other, so nobody acts on them but a person.

Simplified silhouette (Hruschka et al., 2004: distances to centroids instead of to all points), Davies-Bouldin
(1979), Calinski-Harabasz (1974), and the elbow of log inertia (the point farthest below the chord: Satopaa et
al., 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.model.kmeans import Partition, lloyd, seeds, squared_distances
from stream.model.snapshot import FloatArray

TRIES = 3
SHORTEST_SCAN = 3
"""An elbow needs a point between two others."""


@dataclass(frozen=True)
class Score:
    """How well k groups fit."""

    k: int
    inertia: float
    silhouette: float
    """In [-1, 1]; more is better."""
    davies_bouldin: float
    """From 0; less is better."""
    calinski_harabasz: float
    """From 0; more is better."""


@dataclass(frozen=True)
class Scan:
    """The scores by rising k, and what each index would choose (0 where the scan is too short to say)."""

    scores: tuple[Score, ...]

    @property
    def advice(self) -> dict[str, int]:
        """Index -> k."""
        if len(self.scores) < SHORTEST_SCAN:
            return dict.fromkeys(("silhouette", "davies_bouldin", "calinski_harabasz", "elbow"), 0)
        return {
            "silhouette": max(self.scores, key=lambda s: s.silhouette).k,
            "davies_bouldin": min(self.scores, key=lambda s: s.davies_bouldin).k,
            "calinski_harabasz": max(self.scores, key=lambda s: s.calinski_harabasz).k,
            "elbow": _elbow(self.scores),
        }


def scan(z: FloatArray, weights: FloatArray, rng: np.random.Generator, k_from: int = 2, k_to: int = 12) -> Scan:
    """Score ``k_from`` .. ``k_to`` groups of points (n, d) of weights (n,), as far as the points go."""
    scores = []
    for k in range(k_from, k_to + 1):
        best = min((lloyd(z, weights, z[seeds(z, weights, k, rng)]) for _ in range(TRIES)), key=lambda p: p.inertia)
        if len(best.centres) < k or best.inertia <= 0.0:
            break
        scores.append(score(z, weights, best))
    return Scan(tuple(scores))


def score(z: FloatArray, weights: FloatArray, partition: Partition) -> Score:
    """The indices of one partition of at least two groups."""
    k = len(partition.centres)
    distances = np.sqrt(squared_distances(z, partition.centres))
    own = distances[np.arange(len(z)), partition.labels]
    return Score(
        k=k,
        inertia=partition.inertia,
        silhouette=_silhouette(distances, own, weights, partition),
        davies_bouldin=_davies_bouldin(own, weights, partition),
        calinski_harabasz=_calinski_harabasz(z, weights, partition),
    )


def _silhouette(distances: FloatArray, own: FloatArray, weights: FloatArray, partition: Partition) -> float:
    others = distances.copy()
    others[np.arange(len(own)), partition.labels] = np.inf
    rival = others.min(axis=1)
    return float(np.average((rival - own) / np.maximum(np.maximum(rival, own), 1e-12), weights=weights))


def _davies_bouldin(own: FloatArray, weights: FloatArray, partition: Partition) -> float:
    k = len(partition.centres)
    mass = np.bincount(partition.labels, weights, k)
    spread = np.bincount(partition.labels, weights * own, k) / mass
    between = np.sqrt(squared_distances(partition.centres, partition.centres))
    np.fill_diagonal(between, np.inf)
    ratio = (spread[:, None] + spread[None, :]) / np.maximum(between, 1e-12)
    return float(ratio.max(axis=1).mean())


def _calinski_harabasz(z: FloatArray, weights: FloatArray, partition: Partition) -> float:
    k, total = len(partition.centres), float(weights.sum())
    middle = np.average(z, axis=0, weights=weights)
    mass = np.bincount(partition.labels, weights, k)
    between = float((mass * ((partition.centres - middle) ** 2).sum(axis=1)).sum())
    return between / (k - 1) / (partition.inertia / max(total - k, 1.0))


def _elbow(scores: tuple[Score, ...]) -> int:
    k = np.array([s.k for s in scores], dtype=np.float64)
    height = np.log([s.inertia for s in scores])
    x = (k - k[0]) / (k[-1] - k[0])
    chord = height[0] + x * (height[-1] - height[0])
    return scores[int((chord - height).argmax())].k
