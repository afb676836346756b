"""Footing: is a segment still what it was when it was founded? Its people, or its place?

From one macro step to the next the identity rule of ``grouping`` decides. But steps add up. When most of a segment's
customers leave, one after the other, those who stay may be others than it was known for, and its centre goes over to
them in small steps: the id would have become somebody else's. So an id ends, too, when its centre stands further than a
radius from where it was founded *and* fewer than half of the people still hold it who did when it last stood there.

While its people stay, a segment may go wherever they go: after the settle time beyond a radius it is founded anew
there. It is founded anew, too, in each step of the settle time after its birth, while features are still filling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stream.customer.tenure import Tenures, holders
from stream.model.grouping import JUMP_AT_MOST, SHARED_AT_LEAST, Grouping, Regrouping
from stream.model.ledger import SHIFTED_RADII
from stream.model.snapshot import FloatArray, Scale


@dataclass(frozen=True)
class Footing:
    """A segment as it was founded, and its people as they were when it last stood there."""

    mean: FloatArray
    """Where its centroid was, in steps (d,)."""
    radius: float
    """In standard deviations."""
    people_ms: int
    """When it last stood within half a radius of that, in event time; or the settle time ago, if that is later."""
    people: int
    """Active customers who held it then."""
    born_ms: int
    """When its number was born."""
    beyond_ms: int | None = None
    """Since when its centroid stands further than a radius away, ``None`` if it does not."""

    def radii(self, centroid: FloatArray, scale: Scale) -> float:
        """Distance of a centroid in z, (d,), from here, in radii."""
        return float(np.linalg.norm(centroid - scale.z(self.mean[None])[0]) / self.radius)


Footings = Mapping[int, Footing]
"""By segment number."""


@dataclass(frozen=True)
class Ended:
    """Why a number ends."""

    radii: float
    stayed: float
    """Share of its people that still hold it."""

    @property
    def why(self) -> str:
        """In plain words."""
        return (
            f"it stands {self.radii:.1f} radii from where it was founded, "
            f"and only {100 * self.stayed:.0f} % of its customers of then still hold it"
        )


def ended(footings: Footings, old: Grouping, scale: Scale, tenures: Tenures) -> dict[int, Ended]:
    """Numbers of ``old``, as it stands in ``scale``, that are neither in the old place nor of the old people."""
    found = {}
    for number, centroid in zip(old.numbers, old.centroids_under(scale), strict=True):
        footing = footings.get(number)
        if footing is None or not footing.people:
            continue
        radii = footing.radii(centroid, scale)
        stayed = holders(tenures, number, footing.people_ms) / footing.people
        if radii > JUMP_AT_MOST and stayed < SHARED_AT_LEAST:
            found[number] = Ended(radii, stayed)
    return found


@dataclass(frozen=True)
class Adopted:
    """The groups that were just adopted, and who holds them."""

    regrouping: Regrouping
    tenures: Tenures
    now_ms: int
    settle_ms: int

    def footings(self, before: Footings, *, anew: bool) -> dict[int, Footing]:
        """The footings from now on; ``anew`` founds all of them where they are, as when a person said so."""
        numbers = self.regrouping.grouping.numbers
        return {number: self._footing(before.get(number), i, anew=anew) for i, number in enumerate(numbers)}

    def _footing(self, before: Footing | None, i: int, *, anew: bool) -> Footing:
        here, grouping = self._here(before, i), self.regrouping.grouping
        if before is None or anew or self.now_ms - before.born_ms < self.settle_ms:
            return here
        radii = before.radii(grouping.centroids[i], grouping.scale)
        people = replace(before, people_ms=self.now_ms, people=here.people, beyond_ms=None)
        if radii <= SHIFTED_RADII:
            return people
        if radii <= JUMP_AT_MOST:
            return people if self._is_long_ago(before.people_ms) else replace(before, beyond_ms=None)
        beyond_ms = self.now_ms if before.beyond_ms is None else before.beyond_ms
        return here if self._is_long_ago(beyond_ms) else replace(before, beyond_ms=beyond_ms)

    def _here(self, before: Footing | None, i: int) -> Footing:
        """The i-th group, founded now."""
        grouping, mean = self.regrouping.grouping, self.regrouping.sums.mean[i]
        scale = grouping.scale
        return Footing(
            # A centroid knows nothing of a feature that does not count now, and may later.
            mean=np.where(scale.weight > 0, scale.steps(grouping.centroids[i][None])[0], mean),
            radius=float(grouping.radii[i]),
            people_ms=self.now_ms,
            people=holders(self.tenures, grouping.numbers[i]),
            born_ms=before.born_ms if before else self.now_ms,
        )

    def _is_long_ago(self, at_ms: int) -> bool:
        return self.now_ms - at_ms >= self.settle_ms
