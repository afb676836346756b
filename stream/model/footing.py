"""Footing: is a segment still what it was when it was founded? Its people, or its place?

From one macro step to the next the identity rule of ``grouping`` decides. But steps add up. When most of a segment's
customers leave, one after the other, those who stay may be others than it was known for, and its centre goes over to
them in small steps: the id would have become somebody else's. So an id ends, too, when its centre stands further than a
radius from where it was founded *and* fewer than half of those who held it then still do.

While its people stay, a segment may go wherever they go: after the settle time beyond a radius it is founded anew
there. It is founded anew, too, in each step of the settle time after its birth, while features are still filling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stream.customer.tenure import Tenures, holders
from stream.model.grouping import JUMP_AT_MOST, SHARED_AT_LEAST, Grouping
from stream.model.snapshot import FloatArray, Scale


@dataclass(frozen=True)
class Footing:
    """A segment as it was founded."""

    mean: FloatArray
    """Its centroid, in steps (d,)."""
    radius: float
    """In standard deviations."""
    at_ms: int
    """Event time."""
    holders: int
    """Active customers who held it then."""
    born_ms: int
    """When its number was born."""
    beyond_ms: int | None = None
    """Since when its centroid stands further than a radius away, ``None`` if it does not."""

    def radii(self, centroid: FloatArray, scale: Scale) -> float:
        """Distance of a centroid in z, (d,), from here, in radii."""
        return float(np.linalg.norm(centroid - scale.z(self.mean[None])[0]) / self.radius)

    def is_settled(self, now_ms: int, settle_ms: int) -> bool:
        """Whether the features of its people had the time to fill."""
        return now_ms - self.born_ms >= settle_ms


Footings = Mapping[int, Footing]
"""By segment number."""


@dataclass(frozen=True)
class Ended:
    """Why a number ends."""

    radii: float
    stayed: float
    """Share of those who held it at its founding that still do."""

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
        if footing is None or not footing.holders:
            continue
        radii = footing.radii(centroid, scale)
        stayed = holders(tenures, number, footing.at_ms) / footing.holders
        if radii > JUMP_AT_MOST and stayed < SHARED_AT_LEAST:
            found[number] = Ended(radii, stayed)
    return found


def stepped(footings: Footings, new: Grouping, tenures: Tenures, now_ms: int, settle_ms: int) -> dict[int, Footing]:
    """The footings of a grouping that was just adopted, from those of the one before."""
    found = {}
    for number, centroid, radius in zip(new.numbers, new.centroids, new.radii, strict=True):
        before = footings.get(number)
        here = Footing(
            mean=new.scale.steps(centroid[None])[0],
            radius=float(radius),
            at_ms=now_ms,
            holders=holders(tenures, number),
            born_ms=before.born_ms if before else now_ms,
        )
        found[number] = here if before is None else _kept(before, here, new, centroid, now_ms, settle_ms)
    return found


def _kept(before: Footing, here: Footing, new: Grouping, centroid: FloatArray, now_ms: int, settle_ms: int) -> Footing:
    """The old footing, or the new one where the segment is young, or has taken its people along for long."""
    if not before.is_settled(now_ms, settle_ms):
        return here
    if before.radii(centroid, new.scale) <= JUMP_AT_MOST:
        return replace(before, beyond_ms=None)
    beyond_ms = now_ms if before.beyond_ms is None else before.beyond_ms
    return here if now_ms - beyond_ms >= settle_ms else replace(before, beyond_ms=beyond_ms)
