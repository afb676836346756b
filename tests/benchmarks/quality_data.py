"""Small data with known answers for the measures of ``benchmarks.quality``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import numpy as np

from benchmarks.quality.data import Data
from producers.orders import encode_order
from stream.customer.features import DAY_MS


def orders(
    said: Sequence[tuple[str, float]],
    lives: Sequence[Sequence[int]] | None = None,
    checkpoint_days: tuple[int, ...] = (),
    amount: float = 10.0,
) -> Data:
    """Orders by (customer, day), in order of time; ``lives`` in order of the customers' names."""
    in_time = sorted(said, key=lambda order: order[1])
    events = [
        encode_order(f"e{i}", customer, round(day * DAY_MS), UTC, amount) for i, (customer, day) in enumerate(in_time)
    ]
    names = tuple(sorted({customer for customer, _ in said}))
    truth = None if lives is None else np.array(lives, dtype=np.int8)
    return Data("test", events, 0, checkpoint_days, truth, names)
