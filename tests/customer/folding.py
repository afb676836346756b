"""Folding a few events, for tests that need a state and not a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream.contracts.events import Event
from stream.customer.contributions import contributions
from stream.customer.features import ACTIVITY, FeatureSet
from stream.customer.fold import add
from stream.customer.state import States, empty


def folded(features: FeatureSet, events: Sequence[Event], rows: States | None = None) -> States:
    """The state, shape (1,), of one customer after its events, one by one in this order."""
    rows = empty(features, 1) if rows is None else rows.copy()
    x = contributions(features, events)
    for one, contribution in zip(events, x, strict=True):
        at, active = np.array([one.occurred_at_ms]), np.array([contribution[ACTIVITY] > 0])
        add(rows, contribution[None], at, active, features.settings.half_life_ms)
    return rows
