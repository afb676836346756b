"""Raw values of a batch: what its orders were like, before any memory of the customer smooths it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream.customer.features import FeatureSet, FloatArray
from stream.customer.signals import RawSignals
from stream.decision.agenda import NO_EVENT
from stream.decision.batch import Batch
from stream.decision.changed import Changed
from stream.drift.blocks import Chunks

CHUNK_EVENTS = 100
"""Orders whose raw values are told as one sum: a batch tells 20 rows at most."""


def raw_values(features: FeatureSet, batch: Batch, x: FloatArray, rounds: Sequence[Changed]) -> Chunks:
    """Those of the orders that were looked at in ``rounds``, so none twice, in order of time.

    ``x`` (events, width) is what each event adds to the accumulators.
    """
    is_order = np.array([event.type == "order" for event in batch.events], dtype=bool)
    taken = np.concatenate([np.zeros(0, np.int64), *(r.event[r.event != NO_EVENT] for r in rounds)])
    orders = taken[is_order[taken]]
    orders = orders[np.lexsort((orders, batch.event_at[orders]))]
    return Chunks.of(RawSignals(features).values(x[orders]), batch.event_at[orders], CHUNK_EVENTS)
