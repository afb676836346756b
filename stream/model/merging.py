"""Merging two segments, because a person says so: one goes, the other stands where the customers of both are.

A segment is whoever is nearest to its centre. So who is between the two and a third one may go there, and segments that
lie far apart, with another one in between, cannot be one at all: that is foretold from the cells, and refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.customer.state import segment_id
from stream.model.grouping import Grouping
from stream.model.kmeans import weighted_means
from stream.model.proposals import Flows, foretold
from stream.model.sums import Sums

TOGETHER_AT_LEAST = 0.5
"""Share of the customers of each of the two who must be in the one, as for the identity of a segment (``grouping``)."""

FEWEST = 2
"""Segments that a merge must leave: one that everybody is in says nothing of anybody."""


@dataclass(frozen=True)
class Merger:
    """What comes of it."""

    number: int
    """Of the segment that goes."""
    into: int
    grouping: Grouping
    """One group less; the others where they were. Radii are those of before."""
    flows: Flows
    """Who would move where, as the stabiliser decides."""

    @property
    def joining(self) -> int:
        """Customers of the one that goes who would be in the other."""
        return self.flows.get(self.number, {}).get(self.into, 0)

    @property
    def elsewhere(self) -> int:
        """Customers of the two who would be in a third segment."""
        both = (self.flows.get(n, {}) for n in (self.number, self.into))
        return sum(n for row in both for to, n in row.items() if to != self.into)

    @property
    def others(self) -> int:
        """Customers of other segments who would change theirs."""
        rows = ((old, row) for old, row in self.flows.items() if old not in (self.number, self.into))
        return sum(n for old, row in rows for to, n in row.items() if to != old)

    @property
    def refusal(self) -> str:
        """Why the two cannot be one; empty if they can."""
        for old in (self.number, self.into):
            row = self.flows.get(old, {})
            everybody, together = sum(row.values()), row.get(self.into, 0)
            if together < TOGETHER_AT_LEAST * everybody:
                one, other = segment_id(self.number), segment_id(self.into)
                return (
                    f"{one} and {other} are too far apart to be one segment: "
                    f"only {together} of {everybody} customers of {segment_id(old)} would be in it"
                )
        return ""


def not_two(numbers: tuple[int, ...], number: int, into: int) -> str:
    """Why these are not two segments that can be one of several; empty if they are."""
    for wanted in (number, into):
        if wanted not in numbers:
            return f"there is no segment {segment_id(wanted) or 's0'} to merge"
    if number == into:
        return f"{segment_id(number)} is one segment already"
    return f"only {len(numbers)} segments are left" if len(numbers) <= FEWEST else ""


def merger(masses: Sums, old: Grouping, number: int, into: int, margin: float) -> Merger:
    """Merge group ``number`` of ``old`` into another one; both must be there. ``masses`` are of non-empty cells."""
    z, weights, labels = old.scale.z(masses.mean), masses.n.astype(np.float64), old.labels(masses.mean)
    leaving, staying = old.numbers.index(number), old.numbers.index(into)
    is_either = (labels == leaving) | (labels == staying)
    centroids = old.centroids.copy()
    if is_either.any():
        centroids[staying] = weighted_means(z[is_either], weights[is_either], labels[is_either] * 0, 1)[0]
    numbers = tuple(n for n in old.numbers if n != number)
    kept = np.delete(np.arange(len(old.numbers)), leaving)
    new = Grouping(old.scale, numbers, centroids[kept], old.radii[kept])
    return Merger(number, into, new, foretold(masses, old.scale, old, new, margin))
