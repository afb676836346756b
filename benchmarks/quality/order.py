"""Another order: the same events, shuffled within blocks of three days. Do the segments come out the same?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.quality.agreement import between
from benchmarks.quality.data import Data
from benchmarks.quality.service import Run, run
from benchmarks.quality.summary import mean
from stream.customer.features import DAY_MS

BLOCK_DAYS = 3


def shuffled(data: Data, seed: int) -> Data:
    """The events in another order, none farther than a block from its place."""
    block = (data.at_ms - data.start_ms) // (BLOCK_DAYS * DAY_MS)
    order = np.lexsort((np.random.default_rng(seed).random(len(block)), block))
    return replace(data, events=[data.events[i] for i in order.tolist()], checkpoint_days=())


def order_agreement(life: Run, seed: int) -> float | None:
    """Mean agreement at the checkpoints of a run with one on the shuffled events, among the active."""
    other = run(shuffled(life.data, seed), life.settings)
    position = [other.data.number[name] for name in life.data.names]
    moments = [(day, life.data.end_of_day_ms(day)) for day in life.data.checkpoint_days]
    pairs = [between(life.data, [life.history.held(ms), other.history.held(ms)[position]], day) for day, ms in moments]
    return mean(agreement for pair in pairs for agreement in pair)
