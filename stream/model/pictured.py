"""What drift is told of a model: where everybody and the segments stand, and how sure decisions are."""

from __future__ import annotations

import numpy as np

from stream.drift.picture import Picture
from stream.model.snapshot import IntArray, Snapshot
from stream.model.state import State


def pictured(state: State, snapshot: Snapshot) -> Picture:
    """The picture of a population under the model just made."""
    standing = [s for s in snapshot.segments if not s.retiring]
    return Picture(
        at_ms=state.now_ms,
        epoch=snapshot.epoch,
        grid=state.population.grid.copy(),
        numbers=np.array([s.number for s in standing], dtype=np.int64),
        customers=np.array([s.customers for s in standing], dtype=np.int64),
        centroids=snapshot.scale.steps(snapshot.centroids_of(standing)),
        radii=np.array([s.radius for s in standing]),
        per_step=snapshot.scale.weight / snapshot.scale.sd,
        decisions=_decisions(state),
    )


def _decisions(state: State) -> IntArray:
    holdings = state.holdings.values()
    ready, low_margin, atypical = (
        sum(getattr(holding, part) for holding in holdings) for part in ("ready", "low_margin", "atypical")
    )
    return np.array([[low_margin, ready], [atypical, ready], state.monitor.week.counts], np.int64)
