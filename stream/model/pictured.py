"""What drift is told of a model: where everybody and the segments stand."""

from __future__ import annotations

import numpy as np

from stream.drift.picture import Picture
from stream.model.population import Population
from stream.model.snapshot import Snapshot


def pictured(snapshot: Snapshot, population: Population, at_ms: int) -> Picture:
    """The picture of a model and its population at event time ``at_ms``."""
    standing = [s for s in snapshot.segments if not s.retiring]
    return Picture(
        at_ms=at_ms,
        epoch=snapshot.epoch,
        grid=population.grid.copy(),
        numbers=np.array([s.number for s in standing], dtype=np.int64),
        customers=np.array([s.customers for s in standing], dtype=np.int64),
        centroids=snapshot.scale.steps(snapshot.centroids_of(standing)),
        radii=np.array([s.radius for s in standing]),
        per_step=snapshot.scale.weight / snapshot.scale.sd,
    )
