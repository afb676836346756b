"""Fit: how tight are the segments, beside the tightest that a batch run finds on the same vectors?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from benchmarks.quality.agreement import BATCH_TRIES
from benchmarks.quality.data import FloatArray, IntArray
from benchmarks.quality.history import NONE
from benchmarks.quality.service import Stop
from stream.customer.features import FeatureSet
from stream.customer.state import Status


@dataclass(frozen=True)
class Population:
    """Every customer who is not dormant, where it stood at its last look and where it stands now."""

    z: FloatArray
    """Of the vectors of the last looks, (n, d). Who is silent is only looked at when something would change."""
    z_aged: FloatArray
    """Of the same customers, aged to the moment."""
    segment: IntArray
    """Held, (n,)."""
    atypical: IntArray


def population(features: FeatureSet, stop: Stop) -> Population:
    """The population at a stop, in the scale of its model."""
    awake = (stop.rows["status"] == Status.READY) | (stop.rows["status"] == Status.COLD)
    rows, scale = stop.rows[awake], stop.assigner.snapshot.scale
    now = np.maximum(stop.ms, rows["newest_at"])
    aged = features.y(rows["sums"], rows["first_at"], rows["newest_at"], now)
    return Population(scale.z(rows["y"]), scale.z(aged), rows["segment"].astype(np.int64), rows["atypical"] & 1)


def inertia(z: FloatArray, centroids: FloatArray) -> float:
    """Sum of squared distances to the nearest centroid.

    >>> inertia(np.array([[0.0], [3.0]]), np.array([[1.0], [5.0]]))
    5.0
    """
    return float(((z[:, None, :] - centroids[None]) ** 2).sum(axis=2).min(axis=1).sum())


def batch_inertia(z: FloatArray, k: int) -> float:
    """The same of a fresh batch k-means, the best of ten starts."""
    return float(KMeans(k, n_init=BATCH_TRIES, random_state=0).fit(z).inertia_)


def indices(z: FloatArray, labels: IntArray) -> dict[str, float | None]:
    """Rousseeuw's silhouette (1987), Davies-Bouldin (1979), Calinski-Harabasz (1974) of who has a label."""
    z, labels = z[labels != NONE], labels[labels != NONE]
    groups = len(np.unique(labels))
    if not 2 <= groups < len(z):
        return dict.fromkeys(("silhouette", "davies_bouldin", "calinski_harabasz"))
    return {
        "silhouette": float(silhouette_score(z, labels)),
        "davies_bouldin": float(davies_bouldin_score(z, labels)),
        "calinski_harabasz": float(calinski_harabasz_score(z, labels)),
    }


def largest_share(labels: IntArray) -> float:
    """Share of the largest segment among who has one.

    >>> largest_share(np.array([0, 1, 1, 1, 2]))
    0.75
    """
    counts = np.bincount(labels[labels != NONE])
    return float(counts.max() / counts.sum()) if len(counts) else 0.0
