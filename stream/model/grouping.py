"""Grouping: cells into numbered segments. A macro step is propose -> match -> adopt; this is the first two.

*Propose*: weighted k-means over the cells, warm-started from the segments as they stand, so that they follow
the population; cold challengers (k-means++) get it out of a local optimum, and win only if they are clearly
better. *Match*: a group takes over the number of an old one if their customers are largely the same people
(Hungarian assignment on shared mass, Kuhn 1955) and it stands where the old one stood. Otherwise the number
goes and a new one comes, also at fixed k: an id must not silently become somebody else.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from stream.model.kmeans import Partition, lloyd, nearest, seeds, squared_distances, weighted_means
from stream.model.snapshot import FloatArray, IntArray, Scale, Snapshot, Vectors
from stream.model.sums import Sums

FIRST_TRIES = 10
"""Cold starts of the first grouping, which no warm start can improve on later."""
RADIUS_FLOOR = 0.1
"""In standard deviations: customers that all stand alike still have a neighbourhood."""
SHARED_AT_LEAST = 0.5
"""Share of the smaller group's customers that the old and the new group of one number must have in common."""
JUMP_AT_MOST = 1.0
"""Radii that a number's centroid may move in one step."""


@dataclass(frozen=True)
class Grouping:
    """Numbered groups as they were published."""

    scale: Scale
    numbers: tuple[int, ...]
    centroids: FloatArray
    """In z of ``scale``, (k, d)."""
    radii: FloatArray
    """In z, (k,)."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Grouping:
        """The assignable segments of a model."""
        assignable = [s for s in snapshot.segments if not s.retiring]
        return cls(
            scale=snapshot.scale,
            numbers=tuple(s.number for s in assignable),
            centroids=snapshot.centroids_of(assignable),
            radii=np.array([s.radius for s in assignable]),
        )

    def labels(self, y: FloatArray | Vectors) -> IntArray:
        """Index of the group nearest to each vector in steps, (n,)."""
        return nearest(self.scale.z(y), self.centroids)

    def centroids_under(self, scale: Scale) -> FloatArray:
        """The centroids in another scale, (k, d)."""
        return scale.z(self.scale.steps(self.centroids))


@dataclass(frozen=True)
class Proposal:
    """A partition of the cells that might become the next grouping."""

    partition: Partition
    challenger_won: bool = False


@dataclass(frozen=True)
class Proposals:
    """What one macro step could do: follow the segments as they stand, or go over to a clearly better grouping."""

    warm: Proposal
    challenger: Proposal | None = None
    """``None`` if no challenger was better by enough."""

    @property
    def best(self) -> Proposal:
        """The challenger, if there is one."""
        return self.challenger or self.warm


@dataclass(frozen=True)
class Regrouping:
    """A proposal, matched to what was there before. Groups are in order of their numbers."""

    grouping: Grouping
    sums: Sums
    """Customers of each group, (k,)."""
    before: tuple[int, ...]
    """Numbers of the grouping before, none at first."""
    shared: IntArray
    """Customers by group before and group now, (before, k)."""
    challenger_won: bool

    @property
    def born(self) -> tuple[int, ...]:
        """Numbers that were not there before."""
        return tuple(n for n in self.grouping.numbers if n not in self.before)

    @property
    def gone(self) -> tuple[int, ...]:
        """Numbers that are no longer there."""
        return tuple(n for n in self.before if n not in self.grouping.numbers)

    @property
    def flows(self) -> dict[int, dict[int, int]]:
        """Customers by old and new number, without the zeros: the old -> new mapping."""
        now = self.grouping.numbers
        return {
            old: {new: int(n) for new, n in zip(now, row, strict=True) if n}
            for old, row in zip(self.before, self.shared, strict=True)
        }

    @property
    def moved_share(self) -> float:
        """Share of customers whose nearest group has another number than before; 0 at first."""
        stayed = sum(row.get(old, 0) for old, row in self.flows.items())
        return 1.0 - stayed / int(self.shared.sum()) if self.shared.any() else 0.0


def propose(
    masses: Sums,
    scale: Scale,
    old: Grouping | None,
    rng: np.random.Generator,
    *,
    k: int,
    tries: int,
    gain: float,
) -> Proposals:
    """Group non-empty ``masses`` into at most k groups: warm from ``old``, or cold if there is none.

    The best of ``tries`` challengers is proposed if its inertia is less than (1 - ``gain``) times the warm one's.
    """
    z, weights = scale.z(masses.mean), masses.n.astype(np.float64)
    cold_starts = tries if old is not None else max(tries, FIRST_TRIES)
    cold = [lloyd(z, weights, z[seeds(z, weights, k, rng)]) for _ in range(cold_starts)]
    if old is None:
        return Proposals(Proposal(min(cold, key=_inertia)))
    warm = lloyd(z, weights, _warm_start(z, weights, old.labels(masses.mean), k, rng))
    better = [challenger for challenger in cold if challenger.inertia < (1.0 - gain) * warm.inertia]
    challenger = Proposal(min(better, key=_inertia), challenger_won=True) if better else None
    return Proposals(Proposal(warm), challenger)


def match(
    masses: Sums,
    scale: Scale,
    old: Grouping | None,
    proposal: Proposal,
    next_number: int,
    given: Mapping[int, int] | None = None,
    ended: Container[int] = (),
) -> Regrouping:
    """Number a proposal's groups: as before where the identity rule holds, else from ``next_number`` on.

    ``given`` numbers of groups count before the rule: groups that had them once are back. ``ended`` are not kept, for
    the rule does not hold for them over a longer time (``footing``).
    """
    labels, centres = proposal.partition.labels, proposal.partition.centres
    k = len(centres)
    sums = masses.grouped(labels, k)
    if old is None:
        shared, kept = np.zeros((0, k), np.int64), dict[int, int]()
    else:
        shared = np.zeros((len(old.numbers), k), np.int64)
        np.add.at(shared, (old.labels(masses.mean), labels), masses.n)
        kept = _kept(shared, old, scale, centres, ended) if given is None else dict(given)
    numbers = _numbered(sums, centres, kept, next_number)
    order = np.argsort(numbers)
    radii = rms_distances(sums, scale, centres)
    grouping = Grouping(scale, tuple(numbers[order].tolist()), centres[order], radii[order])
    before = old.numbers if old is not None else ()
    return Regrouping(grouping, sums[order], before, shared[:, order], proposal.challenger_won)


def rms_distances(sums: Sums, scale: Scale, centroids: FloatArray) -> FloatArray:
    """Root mean square distance in z of each group's customers to its centroid, (k,); ignores the clip."""
    per_step = scale.weight / scale.sd
    off = (sums.mean - scale.mean) * per_step - centroids
    squared = (sums.variance * per_step**2 + off**2).sum(axis=1)
    return np.asarray(np.maximum(np.sqrt(squared), RADIUS_FLOOR))


def _inertia(partition: Partition) -> float:
    return partition.inertia


def _warm_start(z: FloatArray, weights: FloatArray, labels: IntArray, k: int, rng: np.random.Generator) -> FloatArray:
    """Means of what the old groups hold now; with k-means++ seeds up to k, or the nearest merged down to k."""
    used, labels = np.unique(labels, return_inverse=True)
    means = weighted_means(z, weights, labels, len(used))
    mass: FloatArray = np.bincount(labels, weights).astype(np.float64)
    while len(means) > k:
        means, mass = _merged(means, mass)
    return np.concatenate([means, z[seeds(z, weights, k - len(means), rng, given=means)]])


def _merged(means: FloatArray, mass: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One group less: of the pair whose union adds least to the inertia (Ward, 1963)."""
    cost = squared_distances(means, means) * (mass[:, None] * mass) / (mass[:, None] + mass)
    np.fill_diagonal(cost, np.inf)
    i, j = sorted(divmod(int(cost.argmin()), len(means)))
    means, mass = means.copy(), mass.copy()
    means[i] = (means[i] * mass[i] + means[j] * mass[j]) / (mass[i] + mass[j])
    mass[i] += mass[j]
    return np.delete(means, j, axis=0), np.delete(mass, j)


def _kept(shared: IntArray, old: Grouping, scale: Scale, centres: FloatArray, ended: Container[int]) -> dict[int, int]:
    """New group -> number: of the pairs that the identity rule admits, those that keep the most customers."""
    smaller = np.minimum(shared.sum(axis=1)[:, None], shared.sum(axis=0)[None, :])
    jump = np.linalg.norm(old.centroids_under(scale)[:, None, :] - centres[None, :, :], axis=2)
    admissible = (shared > 0) & (shared >= SHARED_AT_LEAST * smaller)
    admissible &= jump <= JUMP_AT_MOST * old.radii[:, None]
    admissible &= np.array([number not in ended for number in old.numbers])[:, None]
    rows, columns = linear_sum_assignment(np.where(admissible, shared, 0), maximize=True)
    return {int(j): old.numbers[i] for i, j in zip(rows, columns, strict=True) if admissible[i, j]}


def _numbered(sums: Sums, centres: FloatArray, kept: dict[int, int], next_number: int) -> IntArray:
    """Numbers of the groups, (k,): the kept ones, and new ones by size, so that labels do not matter."""
    numbers = np.zeros(len(centres), dtype=np.int64)
    by_size = sorted(range(len(centres)), key=lambda j: (-int(sums.n[j]), centres[j].tolist()))
    for j in by_size:
        numbers[j] = kept.get(j, next_number)
        next_number += j not in kept
    return numbers
