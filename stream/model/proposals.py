"""Proposals: groupings that would move many customers at once, and wait for a person (``model.regroup``).

A proposal is kept as its centres. When it is accepted they become the segments, warm-started on the population as it is
by then; how many customers that moves from where to where is estimated from the cells, as the stabiliser would decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stream.model.grouping import Grouping
from stream.model.kmeans import Partition, squared_distances
from stream.model.snapshot import FloatArray, IntArray, Scale
from stream.model.sums import Sums
from stream.settings import ModelSettings

ALIKE = 0.95
"""From this share of customers in the same groups on, two groupings are the same proposal."""

SPREAD = 32
"""Vectors that stand for the customers of a cell in a forecast."""

Flows = dict[int, dict[int, int]]
"""Customers by the number of the segment they hold and of the one they would hold."""


@dataclass(frozen=True)
class Waiting:
    """A better grouping that waits. ``version`` of the model it would replace is what it is called by."""

    version: int
    centres: FloatArray
    """In steps, (k, d)."""
    gain: float
    """By which share its inertia is less than that of the segments as they stand."""
    flows: Flows

    @property
    def moved_share(self) -> float:
        """Share of customers who would change segment."""
        return moved_share(self.flows)


@dataclass(frozen=True)
class Challenge:
    """Challengers are found, step by step or nearly so. Event times."""

    since_ms: int
    newest_ms: int


@dataclass(frozen=True)
class Docket:
    """What is open, and what people have decided."""

    waiting: Waiting | None = None
    rejected: FloatArray | None = None
    """Centres in steps of the proposal that was rejected last: it is not proposed again."""
    is_cautious: bool = False
    """After a rollback or a merge: whatever ``model.regroup`` says, until a proposal is accepted."""
    challenge: Challenge | None = None
    """What is seen of challengers, until one wins."""

    def must_wait(self, flows: Flows, settings: ModelSettings) -> bool:
        """Whether a regrouping with these ``flows`` is for a person to decide."""
        asks = settings.regroup == "propose" or self.is_cautious
        return asks and moved_share(flows) > settings.max_regroup

    def is_challenged_since(self, at_ms: int) -> bool:
        """Whether challengers have been found from ``at_ms`` on, or before."""
        return self.challenge is not None and self.challenge.since_ms <= at_ms

    def challenged(self, now_ms: int) -> Docket:
        """A challenger is found."""
        since_ms = now_ms if self.challenge is None else self.challenge.since_ms
        return replace(self, challenge=Challenge(since_ms, now_ms))

    def unchallenged(self, now_ms: int, patience_ms: int) -> Docket:
        """None is found. Cold starts may miss one that is there: only half of the patience without any ends it."""
        challenge = self.challenge
        is_over = challenge is None or now_ms - challenge.newest_ms >= patience_ms / 2
        return replace(self, waiting=None, challenge=None if is_over else challenge)

    def closed(self) -> Docket:
        """Nothing is open any more."""
        return replace(self, waiting=None, challenge=None)

    def put(self, waiting: Waiting) -> Docket:
        """A proposal waits now. One that is there already keeps its place, but not its figures."""
        version = self.waiting.version if self.waiting else waiting.version
        return replace(self, waiting=replace(waiting, version=version))

    def is_rejected(self, partition: Partition, masses: Sums, scale: Scale) -> bool:
        """Whether this grouping is, but for a few customers, the one that was rejected."""
        if self.rejected is None:
            return False
        theirs = squared_distances(scale.z(masses.mean), scale.z(self.rejected)).argmin(axis=1)
        together = np.zeros((len(self.rejected), len(partition.centres)))
        np.add.at(together, (theirs, partition.labels), masses.n)
        return bool(together.max(axis=1).sum() >= ALIKE * together.sum())


def foretold(masses: Sums, scale: Scale, old: Grouping, new: Grouping, margin: float) -> Flows:
    """Who would move where: each cell's customers hold what they are likely to, and decide under the new grouping.

    Who holds a segment that stays leaves it only for one that is nearer by ``margin``, as in ``decision.assign``. A
    cell's customers are spread around its mean as its variance says: at the mean alone all would move together, and be
    nearer to every centroid than they are, so that the margin would hold fewer than it does.
    """
    y, numbers = _spread(masses), np.array(new.numbers)
    held = likely_held(old, y, margin)
    distances = np.sqrt(squared_distances(scale.z(y), new.centroids_under(scale)))
    is_held = held[:, None] == numbers
    d_held = np.where(is_held, distances, 0.0).max(axis=1)
    stays = is_held.any(axis=1) & (distances.min(axis=1) >= (1.0 - margin) * d_held)
    then = np.where(stays, held, numbers[distances.argmin(axis=1)])
    places, index = np.unique(np.stack([held, then], axis=1), axis=0, return_inverse=True)
    parts = np.bincount(index.reshape(-1), np.repeat(masses.n, SPREAD)).astype(np.int64)
    flows: Flows = {}
    for (before, after), n in zip(places.tolist(), _wholes(parts).tolist(), strict=True):
        flows.setdefault(before, {})[after] = n
    return flows


def _spread(masses: Sums) -> FloatArray:
    """``SPREAD`` vectors in steps for each cell, in pairs around its mean, cell by cell, (q * SPREAD, d)."""
    half = np.random.default_rng(0).standard_normal((len(masses), SPREAD // 2, masses.sums.shape[1]))
    off = np.concatenate([half, -half], axis=1) * np.sqrt(masses.variance)[:, None, :]
    return (masses.mean[:, None, :] + off).reshape(-1, masses.sums.shape[1])


def likely_held(old: Grouping, y: FloatArray, margin: float) -> IntArray:
    """Numbers of the segments that customers at ``y`` hold, (n,): the nearest, or the second, where both would be held.

    Who wanders between two borders holds the side that it touched last: as likely the farther one as it stands far
    from the border of the nearer, from half in the middle to nobody where the margin ends.
    """
    distances = np.sqrt(squared_distances(old.scale.z(y), old.centroids))
    first, second = np.argsort(distances, axis=1, kind="stable")[:, [0, min(1, distances.shape[1] - 1)]].T
    row = np.arange(len(y))
    far = np.maximum(distances[row, second], np.finfo(float).tiny)
    gap = (far - distances[row, first]) / far
    behind = 0.5 * (1.0 - gap / margin) if margin > 0 else np.zeros(len(y))
    is_second = np.random.default_rng(1).random(len(y)) < behind
    return np.asarray(np.array(old.numbers)[np.where(is_second, second, first)])


def _wholes(parts: IntArray) -> IntArray:
    """Customers, from ``SPREAD`` parts of each: whole ones, and as many as there are; the largest rests get one.

    >>> _wholes(np.array([SPREAD + 1, SPREAD - 1])).tolist()
    [1, 1]
    """
    wholes, rests = np.divmod(parts, SPREAD)
    wholes[np.argsort(-rests, kind="stable")[: rests.sum() // SPREAD]] += 1
    return np.asarray(wholes)


def moved_share(flows: Flows) -> float:
    """Share of customers whose segment is another one.

    >>> moved_share({1: {1: 3, 2: 1}, 2: {2: 4}})
    0.125
    """
    everybody = sum(sum(row.values()) for row in flows.values())
    stayed = sum(row.get(number, 0) for number, row in flows.items())
    return 1.0 - stayed / everybody if everybody else 0.0
