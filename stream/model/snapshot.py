"""The model as workers see it: an immutable snapshot of everything an assignment reads.

Spaces: ``y`` is the customer's vector, int16 steps of the declared ranges (``customer.features``). ``z`` is
what distances are measured in: ``z = weight * clip((y - mean) / sd, -clip, +clip)``, Euclidean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stream.customer.holdings import NOBODY, Holding
from stream.customer.state import segment_id

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Vectors = NDArray[np.int16]

OUT = -1
"""Cell of a customer who is not in the population (dormant, closed, never active)."""
NURSERY = 0
"""Cell of everybody before there is a model."""


@dataclass(frozen=True)
class Scale:
    """From steps to distances: population mean and standard deviation per feature, in steps. Shapes (d,)."""

    mean: FloatArray
    sd: FloatArray
    weight: FloatArray
    clip: float

    def z(self, y: Vectors | FloatArray) -> FloatArray:
        """Scaled vectors, shape (n, d)."""
        standard: FloatArray = (y - self.mean) / self.sd
        np.clip(standard, -self.clip, self.clip, out=standard)
        standard *= self.weight
        return standard

    def steps(self, z: FloatArray) -> FloatArray:
        """Inverse of ``z`` within the clip, (n, d); a feature of weight 0 stands at the population mean."""
        unweighted = np.divide(z, self.weight, out=np.zeros_like(z), where=self.weight > 0)
        return np.asarray(unweighted * self.sd + self.mean)


@dataclass(frozen=True)
class Condition:
    """A threshold on one feature, in natural units."""

    feature: str
    is_above: bool
    value: float

    @property
    def operator(self) -> Literal[">", "<"]:
        """As it is written."""
        return ">" if self.is_above else "<"


@dataclass(frozen=True)
class Rule:
    """A readable approximation of a segment: who meets all conditions is, mostly, in it (``rules``)."""

    conditions: tuple[Condition, ...]
    """None: everybody."""
    right: float
    """Share of the population's customers of whom the rule says right whether they are in the segment."""
    precision: float
    """Share of those who meet it that are in the segment."""
    recall: float
    """Share of those in the segment that meet it."""


@dataclass(frozen=True)
class Segment:
    """One segment as people see it. ``number`` 3 is shown as ``s3`` and is never reused."""

    number: int
    name: str
    centroid: tuple[float, ...]
    """In z of the snapshot's scale."""
    radius: float
    """Root mean square distance of its customers to the centroid, in z."""
    customers: int
    """Customers of the population nearest to it at the macro step."""
    profile: dict[str, float] = field(default_factory=dict)
    """Feature -> mean in natural units (geometric where the transform is logarithmic)."""
    retiring: bool = False
    family: int = 0
    """Number of its parent group (``families``): 2 is shown as ``g2``, 0 is none."""
    rule: Rule | None = None
    """``None`` while retiring: nobody enters any more."""

    holding: Holding = NOBODY
    """Sums over the customers who held it at the macro step."""

    @property
    def id(self) -> str:
        """The public id."""
        return segment_id(self.number)


@dataclass(frozen=True)
class Snapshot:
    """An immutable model. Two snapshots of one version are equal.

    ``epoch`` counts structural changes (born, retired, first): customers who were last looked at in an older
    epoch are swept. ``segments`` lists the assignable and the retiring; ``names`` also the retired, for
    messages.
    """

    version: int
    epoch: int
    features_id: str
    features: tuple[str, ...]
    scale: Scale
    segments: tuple[Segment, ...]
    cell_ids: IntArray
    cell_positions: FloatArray
    """In steps, shape (q, d)."""
    margin: float
    names: dict[int, str]
    kind: str = "cells"
    learning_offset: int = 0
    """The first offset of the learning topic that this snapshot does not include."""
    families: dict[int, str] = field(default_factory=dict)
    """Every name of a parent group there is or was, by number; numbers are not reused."""
    near_constant: tuple[str, ...] = ()
    """Features that should count but hardly vary in the population: weight 0 in this snapshot's scale."""

    def centroids_of(self, segments: Sequence[Segment]) -> FloatArray:
        """Their centroids in z, (k, d)."""
        return np.array([s.centroid for s in segments]).reshape(len(segments), len(self.features))
