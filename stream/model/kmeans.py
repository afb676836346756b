"""Weighted k-means on a few hundred points, in numpy.

Lloyd (1982), "Least squares quantization in PCM": assign every point to its nearest centre, move every centre
to the mean of its points, repeat. Seeds: Arthur and Vassilvitskii (2007), "k-means++: the advantages of
careful seeding".

Distances are differences squared, not ``|x|^2 - 2 x c + |c|^2``: no cancellation, and no matrix product whose
bits would depend on the library under it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.model.snapshot import FloatArray, IntArray

ITERATIONS = 10
"""Lloyd's at most; a warm start needs about three."""
_CHUNK = 1024
"""Points a pass of ``nearest``: bounds its memory at chunk x centres x features."""


@dataclass(frozen=True)
class Partition:
    """n points in k groups, none of them empty."""

    centres: FloatArray
    """(k, d)."""
    labels: IntArray
    """Group of every point, (n,)."""
    inertia: float
    """Sum of weight x squared distance to the centre."""


def squared_distances(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Squared Euclidean distances, shape (n, k).

    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 1.0]])).tolist()
    [[25.0, 1.0]]
    """
    difference = points[:, None, :] - centres[None, :, :]
    return np.asarray(np.einsum("nkd,nkd->nk", difference, difference))


def nearest(points: FloatArray, centres: FloatArray) -> IntArray:
    """Index of the nearest centre of every point, (n,). Ties go to the first."""
    chunks = [points[at : at + _CHUNK] for at in range(0, len(points), _CHUNK)]
    return np.concatenate([np.zeros(0, np.int64), *(squared_distances(c, centres).argmin(axis=1) for c in chunks)])


def weighted_means(points: FloatArray, weights: FloatArray, labels: IntArray, groups: int) -> FloatArray:
    """Mean point of every label, (groups, d); not a number where a label has no weight."""
    d = points.shape[1]
    flat = (labels[:, None] * d + np.arange(d)).ravel()
    total = np.bincount(flat, (points * weights[:, None]).ravel(), groups * d).reshape(groups, d)
    mass = np.bincount(labels, weights, groups)[:, None]
    return np.divide(total, mass, out=np.full_like(total, np.nan), where=mass > 0)


def seeds(
    points: FloatArray, weights: FloatArray, k: int, rng: np.random.Generator, given: FloatArray | None = None
) -> IntArray:
    """k-means++: indices of k points to start at, far from each other and from the ``given`` centres (g, d).

    Fewer than k only if there are fewer distinct points.
    """
    chosen = [] if given is not None else [_drawn(weights, rng)]
    gap = squared_distances(points, points[chosen] if given is None else given).min(axis=1)
    while len(chosen) < k and (weights * gap).any():
        chosen.append(_drawn(weights * gap, rng))
        gap = np.minimum(gap, squared_distances(points, points[chosen[-1:]])[:, 0])
    return np.array(chosen, dtype=np.int64)


def lloyd(points: FloatArray, weights: FloatArray, start: FloatArray, iterations: int = ITERATIONS) -> Partition:
    """Weighted k-means from ``start`` (k, d). A centre that loses its points restarts at a costly one."""
    centres, labels = start.copy(), np.full(len(points), -1)
    for _ in range(iterations):
        distances = squared_distances(points, centres)
        now = distances.argmin(axis=1)
        if np.array_equal(now, labels):
            break
        labels = _without_empty(distances, weights, now)
        moved = weighted_means(points, weights, labels, len(centres))
        centres = np.where(np.isnan(moved), centres, moved)
    return partition(points, weights, centres)


def partition(points: FloatArray, weights: FloatArray, centres: FloatArray) -> Partition:
    """Points at their nearest centres; centres without a point are left out."""
    distances = squared_distances(points, centres)
    used, labels = np.unique(distances.argmin(axis=1), return_inverse=True)
    return Partition(centres[used], labels, float((weights * distances.min(axis=1)).sum()))


def _without_empty(distances: FloatArray, weights: FloatArray, labels: IntArray) -> IntArray:
    """Labels with the points of the greatest cost handed to the centres that have none."""
    empty = np.flatnonzero(np.bincount(labels, minlength=distances.shape[1]) == 0)
    if not len(empty):
        return labels
    cost = weights * distances.min(axis=1)
    costliest = np.argsort(-cost, kind="stable")[: len(empty)]
    costliest = costliest[cost[costliest] > 0]
    labels = labels.copy()
    labels[costliest] = empty[: len(costliest)]
    return labels


def _drawn(odds: FloatArray, rng: np.random.Generator) -> int:
    """Index of one point, drawn in proportion to ``odds`` (n,)."""
    ladder = np.cumsum(odds)
    return min(int(np.searchsorted(ladder, rng.random() * ladder[-1], side="right")), len(odds) - 1)
