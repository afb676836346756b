"""Late, out of order and twice: the same events as brokers may bring them. What differs in the end, and by how much?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.quality.data import Data, FloatArray
from benchmarks.quality.history import NONE
from benchmarks.quality.service import Run, run, states
from stream.customer.features import DAY_MS, NEVER
from stream.customer.state import States

LATE_SHARE, LATE_DAYS = 0.10, 3.0
"""So many of the events come up to so much later than they happened."""
TWICE_SHARE = 0.02
"""So many come a second time, within the same delay."""


@dataclass(frozen=True)
class Arrivals:
    """Events in the order in which they come, and how many of them have come before."""

    data: Data
    late: int
    repeated: int


def late(data: Data, seed: int) -> Arrivals:
    """The same events, some late and some twice."""
    rng = np.random.default_rng(seed)
    count = len(data.events)
    delayed, twice = rng.random(count) < LATE_SHARE, np.flatnonzero(rng.random(count) < TWICE_SHARE)
    delay = rng.uniform(0, LATE_DAYS * DAY_MS, count + len(twice)).astype(np.int64)
    delay[:count][~delayed] = 0
    which = np.concatenate([np.arange(count), twice])
    order = which[np.argsort(data.at_ms[which] + delay, kind="stable")]
    events = [data.events[i] for i in order.tolist()]
    return Arrivals(replace(data, events=events, checkpoint_days=()), int(delayed.sum()), len(twice))


def lateness(life: Run, seed: int) -> dict[str, Any]:
    """A life held against one on late events, and both again under the model that the first ended with."""
    arrivals = late(life.data, seed)
    ordered = replace(life.data, checkpoint_days=())
    learning = run(arrivals.data, life.settings)
    model = life.stops[-1].record
    frozen, frozen_late = (run(data, life.settings, frozen_model=model) for data in (ordered, arrivals.data))
    return {
        "lateness": {
            "accumulators_worst": max(accumulators_worst(life, learning), accumulators_worst(frozen, frozen_late)),
            "segments_same_frozen": segments_same(frozen, frozen_late),
            "segments_same_learning": segments_same(life, learning, by_customers=True),
            "segment_ids_same_learning": segments_same(life, learning),
            "duplicates_rejected": frozen_late.duplicates / arrivals.repeated if arrivals.repeated else None,
            "events_late": arrivals.late,
            "events_twice": arrivals.repeated,
        }
    }


def accumulators_worst(left: Run, right: Run) -> float:
    """The worst relative difference of any sum of any customer, decayed to one moment."""
    mine, theirs = _side_by_side(left, right)
    active = (mine["newest_at"] != NEVER) | (theirs["newest_at"] != NEVER)
    mine, theirs = mine[active], theirs[active]
    ms = int(max(mine["newest_at"].max(), theirs["newest_at"].max()))
    half_life_ms = left.settings.customers.half_life_ms
    a, b = (_at(rows, ms, half_life_ms) for rows in (mine, theirs))
    larger = np.maximum(np.abs(a), np.abs(b))
    return float(np.divide(np.abs(a - b), larger, out=np.zeros_like(larger), where=larger > 0).max(initial=0.0))


def segments_same(left: Run, right: Run, *, by_customers: bool = False) -> float | None:
    """Share of the customers in the same segment in the end, of who is in one in either.

    The same is the one of the same id, or ``by_customers`` the one with most of the same people, one to one: models
    that learnt on their own give their segments numbers of their own.
    """
    mine, theirs = (rows["segment"].astype(np.int64) for rows in _side_by_side(left, right))
    known = (mine != NONE) | (theirs != NONE)
    together = np.zeros((mine.max(initial=0) + 1, theirs.max(initial=0) + 1), np.int64)
    np.add.at(together, (mine[known], theirs[known]), 1)
    together[NONE], together[:, NONE] = 0, 0
    if not known.any():
        return None
    same = together[linear_sum_assignment(together, maximize=True)] if by_customers else together.diagonal()
    return float(same.sum() / known.sum())


def _at(rows: States, ms: int, half_life_ms: int) -> FloatArray:
    """The sums as they are worth at a moment, (n, width)."""
    newest = np.where(rows["newest_at"] == NEVER, ms, rows["newest_at"])  # nothing is worth nothing at any time
    weight = np.exp2((newest // half_life_ms * half_life_ms - ms) / half_life_ms)
    return np.asarray(rows["sums"] * weight[:, None])


def _side_by_side(left: Run, right: Run) -> tuple[States, States]:
    """The states of both, customer by customer. Raises ``ValueError`` if they do not know the same ones."""
    (mine, rows), (theirs, others) = states(left), states(right)
    position = {name: i for i, name in enumerate(theirs)}
    if position.keys() != set(mine):
        raise ValueError("one of them knows customers whom the other never saw")
    return rows, others[[position[name] for name in mine]]
