"""One row a checkpoint: everything that is measured where a day is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.quality.agreement import active, agreement, ari, offline, persona
from benchmarks.quality.data import Data, FloatArray, IntArray
from benchmarks.quality.fit import batch_inertia, indices, inertia, largest_share, population
from benchmarks.quality.history import NONE, History
from benchmarks.quality.service import Run, Stop
from benchmarks.quality.vectors import Vectors
from benchmarks.quality.worth import eta2_next_spend
from stream.model.choice import Scan
from stream.model.learner import Learner

PERSONA_AT_LEAST = 0.03
"""Share of the active customers from which on a persona counts as one that is there."""


@dataclass
class Ceiling:
    """An offline batch re-fit at every checkpoint: what could be had if nobody had to go on from yesterday."""

    data: Data
    reference: Vectors
    """By the frozen reference features."""
    k: int
    by_day: dict[int, IntArray] = field(default_factory=dict)

    def labels(self, day: int) -> IntArray:
        """Of every customer; fitted once."""
        if day not in self.by_day:
            self.by_day[day] = offline(self.data, self.reference, day, self.k)
        return self.by_day[day]

    def agreement(self, held: IntArray, day: int) -> float:
        """With the truth, of the customers who hold a segment."""
        who = active(self.data, self.data.end_of_day_ms(day)) & (held != NONE)
        return ari(self.labels(day), persona(self.data, day) + 1, who)


def checkpoint(run: Run, stop: Stop, ceiling: Ceiling | None) -> dict[str, Any]:
    """The row of one stop of the service."""
    people = population(run.features, stop)
    centroids = stop.assigner.centroids[stop.assigner.enterable]
    aged = inertia(people.z_aged, centroids) / batch_inertia(people.z_aged, len(centroids))
    row = grouped(run.data, run.history, stop.day, people.z, people.segment, centroids)
    row |= {"inertia_ratio_aged": aged, "k_scan": scan(run, stop).advice}
    return row | (against_truth(run.history, stop.day, ceiling) if ceiling is not None else {})


def grouped(
    data: Data, history: History, day: int, z: FloatArray, labels: IntArray, centroids: FloatArray
) -> dict[str, Any]:
    """What can be said of any grouping: z (n, d) with ``labels`` (n,), and the centroids behind them."""
    ms = data.end_of_day_ms(day)
    held, who = history.held(ms), active(data, ms)
    return {
        "day": day,
        "active": int(who.sum()),
        "without_segment": int((who & (held == NONE)).sum()),
        "segments": len(centroids),
        "inertia_ratio": inertia(z, centroids) / batch_inertia(z, len(centroids)),
        **indices(z, labels),
        "sizes": {f"s{i}": int(n) for i, n in enumerate(np.bincount(labels)) if n and i != NONE},
        "largest_share": largest_share(labels),
        "eta2_next_spend": eta2_next_spend(data, held, day, who),
    }


def against_truth(history: History, day: int, ceiling: Ceiling) -> dict[str, Any]:
    """Agreement with the personas, beside the ceiling's."""
    data = ceiling.data
    held, who = history.held(data.end_of_day_ms(day)), active(data, data.end_of_day_ms(day))
    counts = np.bincount(persona(data, day)[who])
    return {
        "agreement": agreement(data, held, day),
        "offline_agreement": ceiling.agreement(held, day),
        "agreement_with_offline": ari(held, ceiling.labels(day), who),
        "personas": int((counts > PERSONA_AT_LEAST * counts.sum()).sum()),
    }


def scan(run: Run, stop: Stop) -> Scan:
    """What the owner's scan says of the number of segments, from its own record."""
    return Learner.from_record(stop.record, run.features, run.settings.model).scan()
