"""Agreement of two groupings of the same customers, and the ceiling: a batch re-fit at every checkpoint.

ARI: Hubert and Arabie (1985), 1 for the same grouping, about 0 for chance. Compared are the customers active in the
last 60 days: of who has left nobody can know the present persona.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from benchmarks.quality.data import Data, IntArray
from benchmarks.quality.history import NONE
from benchmarks.quality.vectors import Vectors, last_events, standardised
from stream.customer.features import DAY_MS

ACTIVE_DAYS = 60
BATCH_TRIES = 10


def active(data: Data, ms: int) -> NDArray[np.bool_]:
    """Who had an event in the last 60 days before a moment, (customers,)."""
    last = last_events(data, ms)
    return np.asarray((last >= 0) & (data.at_ms[last] >= ms - ACTIVE_DAYS * DAY_MS))


def persona(data: Data, day: int) -> IntArray:
    """True persona of each customer on a day; of who has just left, the last one it was. -1 for none yet."""
    assert data.truth is not None
    lives = data.truth[:, : day + 1]
    ever = lives >= 0
    last = day - ever[:, ::-1].argmax(axis=1)
    return np.where(ever.any(axis=1), lives[np.arange(len(lives)), last], -1).astype(np.int64)


def ari(left: IntArray, right: IntArray, among: NDArray[np.bool_]) -> float:
    """Agreement among some customers who have a label on both sides; 1 if there are none."""
    both = among & (left != NONE) & (right != NONE)
    return float(adjusted_rand_score(left[both], right[both])) if both.any() else 1.0


def agreement(data: Data, held: IntArray, day: int) -> float:
    """Of segments held with true personas at the end of a day."""
    return ari(held, persona(data, day) + 1, active(data, data.end_of_day_ms(day)))


def offline(data: Data, y: Vectors, day: int, k: int) -> IntArray:
    """Labels of a fresh batch k-means (n_init 10) on the last vector of everybody active, from 1; (customers,)."""
    ms = data.end_of_day_ms(day)
    who = np.flatnonzero(active(data, ms))
    z = standardised(y[last_events(data, ms)[who]])
    labels = np.full(len(data.names), NONE, np.int64)
    labels[who] = KMeans(min(k, len(who)), n_init=BATCH_TRIES, random_state=0).fit(z).labels_ + 1
    return labels


def between(data: Data, helds: Sequence[IntArray], day: int) -> list[float]:
    """Agreement of every two of several runs at the end of a day."""
    who = active(data, data.end_of_day_ms(day))
    return [ari(left, right, who) for left, right in combinations(helds, 2)]
