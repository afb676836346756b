"""One row a checkpoint: everything that is measured where a day is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.quality.agreement import active, agreement, ari, offline, persona
from benchmarks.quality.data import Data, IntArray
from benchmarks.quality.fit import batch_inertia, indices, inertia, largest_share, population
from benchmarks.quality.history import NONE
from benchmarks.quality.service import Run, Stop
from benchmarks.quality.vectors import Vectors
from benchmarks.quality.worth import eta2_next_spend
from stream.model.choice import Scan
from stream.model.learner import Learner

PERSONA_AT_LEAST = 0.03
"""Share of the active customers from which on a persona counts as one that is there."""


@dataclass(frozen=True)
class Ceiling:
    """Labels of an offline batch re-fit at every checkpoint; the same whatever the model under test."""

    by_day: dict[int, IntArray]

    @classmethod
    def of(cls, data: Data, reference: Vectors, k: int) -> Ceiling:
        """Fit it. ``reference``: vectors by the frozen reference features."""
        return cls({day: offline(data, reference, day, k) for day in data.checkpoint_days})

    def agreement(self, data: Data, held: IntArray, day: int) -> float:
        """With the truth, of the customers who hold a segment."""
        who = active(data, data.end_of_day_ms(day)) & (held != NONE)
        return ari(self.by_day[day], persona(data, day) + 1, who)


def checkpoint(run: Run, stop: Stop, ceiling: Ceiling | None) -> dict[str, Any]:
    """The row of one stop."""
    data, ms = run.data, stop.ms
    held, who = run.history.held(ms), active(run.data, ms)
    people = population(run.features, stop)
    centroids = stop.assigner.centroids[stop.assigner.enterable]
    k = len(centroids)
    row: dict[str, Any] = {
        "day": stop.day,
        "active": int(who.sum()),
        "without_segment": int((who & (held == NONE)).sum()),
        "segments": k,
        "inertia_ratio": inertia(people.z, centroids) / batch_inertia(people.z, k),
        "inertia_ratio_aged": inertia(people.z_aged, centroids) / batch_inertia(people.z_aged, k),
        **indices(people.z, people.segment),
        "sizes": {f"s{i}": int(n) for i, n in enumerate(np.bincount(people.segment)) if n and i != NONE},
        "largest_share": largest_share(people.segment),
        "eta2_next_spend": eta2_next_spend(data, held, stop.day, who),
        "k_scan": scan(run, stop).advice,
    }
    return row | (_truth(data, held, stop.day, ceiling) if ceiling is not None else {})


def scan(run: Run, stop: Stop) -> Scan:
    """What the owner's scan says of the number of segments, from its own record."""
    return Learner.from_record(stop.record, run.features, run.settings.model).scan()


def _truth(data: Data, held: IntArray, day: int, ceiling: Ceiling) -> dict[str, Any]:
    who = active(data, data.end_of_day_ms(day))
    counts = np.bincount(persona(data, day)[who])
    return {
        "agreement": agreement(data, held, day),
        "offline_agreement": ceiling.agreement(data, held, day),
        "agreement_with_offline": ari(held, ceiling.by_day[day], who),
        "personas": int((counts > PERSONA_AT_LEAST * counts.sum()).sum()),
    }
