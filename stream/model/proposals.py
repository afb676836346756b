"""Proposals: groupings that would move many customers at once, and wait for a person (``model.regroup``).

A proposal is kept as its centres. When it is accepted they become the segments, warm-started on the population as it is
by then; how many customers that moves from where to where is foretold from the cells, as the stabiliser would decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stream.model.grouping import Grouping
from stream.model.kmeans import Partition, squared_distances
from stream.model.snapshot import FloatArray, Scale
from stream.model.sums import Sums
from stream.settings import ModelSettings

ALIKE = 0.95
"""From this share of customers in the same groups on, two groupings are the same proposal."""

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
class Docket:
    """What is open, and what people have decided."""

    waiting: Waiting | None = None
    rejected: FloatArray | None = None
    """Centres in steps of the proposal that was rejected last: it is not proposed again."""
    is_cautious: bool = False
    """After a rollback or a merge: whatever ``model.regroup`` says, until a proposal is accepted."""

    def must_wait(self, flows: Flows, settings: ModelSettings) -> bool:
        """Whether a regrouping with these ``flows`` is for a person to decide."""
        asks = settings.regroup == "propose" or self.is_cautious
        return asks and moved_share(flows) > settings.max_regroup

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
    """Who would move where: each cell's customers hold the segment nearest to the cell, and decide under the new one.

    Who holds a segment that stays leaves it only for one that is nearer by ``margin``, as in ``decision.assign``.
    """
    held = np.array(old.numbers)[old.labels(masses.mean)]
    distances = np.sqrt(squared_distances(scale.z(masses.mean), new.centroids_under(scale)))
    numbers = np.array(new.numbers)
    is_held = held[:, None] == numbers
    d_held = np.where(is_held, distances, 0.0).max(axis=1)
    stays = is_held.any(axis=1) & (distances.min(axis=1) >= (1.0 - margin) * d_held)
    then = np.where(stays, held, numbers[distances.argmin(axis=1)])
    flows: Flows = {}
    for before, after, n in zip(held.tolist(), then.tolist(), masses.n.tolist(), strict=True):
        row = flows.setdefault(before, {})
        row[after] = row.get(after, 0) + n
    return flows


def moved_share(flows: Flows) -> float:
    """Share of customers whose segment is another one.

    >>> moved_share({1: {1: 3, 2: 1}, 2: {2: 4}})
    0.125
    """
    everybody = sum(sum(row.values()) for row in flows.values())
    stayed = sum(row.get(number, 0) for number, row in flows.items())
    return 1.0 - stayed / everybody if everybody else 0.0
