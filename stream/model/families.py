"""Families: the two or three parent groups of the segments, for people who cannot hold eight things in mind.

Segments are merged two by two, always those whose merger costs least in the sum of squares over their customers
(Ward 1963), which gives a tree. It is cut where the next merger would cost much more than the last one did: at two or
three families, two of fewer than five segments. A family's number follows its customers, as that of a segment does
(Kuhn 1955). As long as the segments are the same, families stay as they are until others are clearly better: on a year
of baskets they changed with 6 of 155 models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from stream.model.grouping import SHARED_AT_LEAST, Regrouping
from stream.model.kmeans import squared_distances
from stream.model.naming import Namer, Wording
from stream.model.snapshot import FloatArray, IntArray, Snapshot

FAMILIES_AT_MOST = 3
SEGMENTS_FOR_THREE = 5
"""With fewer, three families would be hardly fewer things than the segments."""
CLEARLY = 0.25
"""By which share another cut, or another number of families, must be better than the one that people know."""

Parts = tuple[tuple[int, ...], ...]
"""Segments by family, as indices: each family rising, families by their first segment."""


@dataclass(frozen=True)
class Level:
    """The tree where so many families are left."""

    parts: Parts
    height: float
    """Of the next merger: root of what it adds to the sum of squares."""


@dataclass(frozen=True)
class Families:
    """The families of one macro step."""

    of: dict[int, int]
    """Family of each assignable segment, by number."""
    wordings: dict[int, Wording]
    """Of the families that have segments."""
    names: dict[int, str]
    """Every name there is or was."""


def adopted(
    before: Snapshot | None,
    regrouping: Regrouping,
    wordings: Mapping[int, Wording],
    namer: Namer,
    now_ms: int,
    version: int,
) -> Families:
    """What becomes of the families in the macro step that makes ``version``. ``wordings`` are those before."""
    names, known, lost = dict[int, str](), dict[int, int](), 0
    if before is not None:
        names, lost = dict(before.families), version - before.version - 1
        known = {s.number: s.family for s in before.segments if s.family and not s.retiring}
    # Each model that is lost may have used up as many numbers.
    of = family_numbers(regrouping, known, 1 + max(names, default=0) + FAMILIES_AT_MOST * lost)
    present, labels = np.unique([of[n] for n in regrouping.grouping.numbers], return_inverse=True)
    scale, means = regrouping.grouping.scale, regrouping.sums.grouped(labels, len(present)).mean
    differences = dict(zip(present.tolist(), (means - scale.mean) / scale.sd, strict=True))
    regrouped = [f for f in differences if _members(of, f) != _members(known, f)]
    worded = namer.name(differences, wordings, now_ms, regrouped)
    return Families(of, worded, names | {family: wording.name for family, wording in worded.items()})


def levels(centroids: FloatArray, customers: FloatArray) -> dict[int, Level]:
    """The whole tree of k segments at ``centroids`` (k, d) with ``customers`` (k,): families left -> level."""
    found, parts = dict[int, Level](), list[tuple[int, ...]]((i,) for i in range(len(centroids)))
    means, n = centroids, customers
    while len(parts) > 1:
        cost = n[:, None] * n / (n[:, None] + n) * squared_distances(means, means)
        cost[np.tril_indices(len(n))] = np.inf
        one, other = np.unravel_index(int(cost.argmin()), cost.shape)  # one < other; of equal ones the first
        found[len(parts)] = Level(tuple(parts), float(np.sqrt(cost[one, other])))
        parts[one] = tuple(sorted(parts[one] + parts.pop(other)))
        merged = list(parts[one])
        means, n = np.delete(means, other, axis=0), np.delete(n, other)
        means[one], n[one] = _mean(centroids[merged], customers[merged]), customers[merged].sum()
    return found | {1: Level(tuple(parts), np.inf)}


def cut(tree: Mapping[int, Level], known: int | None = None) -> Parts:
    """The families of a tree; ``known`` is how many people know of, which is favoured."""
    segments = max(tree)
    if segments < SEGMENTS_FOR_THREE:
        return tree[min(segments, 2)].parts
    gap = {n: tree[n].height - tree[n + 1].height for n in range(2, FAMILIES_AT_MOST + 1)}
    if known in gap:
        gap[known] *= 1 + CLEARLY
    return tree[max(gap, key=lambda n: (gap[n], -n))].parts


def within(centroids: FloatArray, customers: FloatArray, parts: Parts) -> float:
    """Sum over the customers of squared distances between their segment's centroid and their family's mean."""
    total = 0.0
    for part in map(list, parts):
        off = centroids[part] - _mean(centroids[part], customers[part])
        total += float((customers[part, None] * off**2).sum())
    return total


def family_numbers(regrouping: Regrouping, before: Mapping[int, int], next_number: int) -> dict[int, int]:
    """Family of each segment number. ``before`` are those of the segments before; new ones from ``next_number`` on."""
    numbers = regrouping.grouping.numbers
    centroids, customers = regrouping.grouping.centroids, regrouping.sums.n.astype(np.float64)
    known = _parts_of([before.get(n, 0) for n in numbers])
    fresh = cut(levels(centroids, customers), len(known))
    if set(numbers) == set(before) and len(fresh) == len(known):
        bound = (1 - CLEARLY) * within(centroids, customers, known)
        if within(centroids, customers, fresh) >= bound:
            return {n: before[n] for n in numbers}
    shared, old = _shared(regrouping, before, fresh)
    kept = _kept(shared, old)
    by_size = sorted(range(len(fresh)), key=lambda j: (-customers[list(fresh[j])].sum(), fresh[j]))
    found = dict[int, int]()
    for j in by_size:
        family = kept.get(j, next_number)
        next_number += j not in kept
        found |= {numbers[i]: family for i in fresh[j]}
    return {n: found[n] for n in numbers}


def _mean(points: FloatArray, weights: FloatArray) -> FloatArray:
    return np.asarray((points * weights[:, None]).sum(axis=0) / weights.sum())


def _members(families: Mapping[int, int], family: int) -> set[int]:
    return {segment for segment, of in families.items() if of == family}


def _parts_of(families: list[int]) -> Parts:
    parts = (tuple(i for i, family in enumerate(families) if family == known) for known in set(families))
    return tuple(sorted(parts))


def _shared(regrouping: Regrouping, before: Mapping[int, int], fresh: Parts) -> tuple[IntArray, list[int]]:
    """Customers that were in an old family and are in a fresh one, (old, fresh); and the numbers of the old."""
    old = sorted({before[n] for n in regrouping.before if n in before})
    shared = np.zeros((len(old), len(fresh)), np.int64)
    for row, number in enumerate(regrouping.before):
        if number in before:
            shared[old.index(before[number])] += [int(regrouping.shared[row, list(part)].sum()) for part in fresh]
    return shared, old


def _kept(shared: IntArray, old: list[int]) -> dict[int, int]:
    """Fresh family -> number, where at least half of the smaller one's customers are the same people."""
    smaller = np.minimum(shared.sum(axis=1)[:, None], shared.sum(axis=0)[None, :])
    admissible = (shared > 0) & (shared >= SHARED_AT_LEAST * smaller)
    rows, columns = linear_sum_assignment(np.where(admissible, shared, 0), maximize=True)
    return {int(j): old[i] for i, j in zip(rows, columns, strict=True) if admissible[i, j]}
