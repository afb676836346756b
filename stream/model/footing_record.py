"""The footings in the owner's record, across restarts."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from stream.model.footing import Footing, Footings
from stream.model.snapshot_record import array
from stream.packing import Arrays

_MEANS = "footing_means"


def head_of(footings: Footings) -> list[list[Any]]:
    """What of them is JSON."""
    return [[n, f.radius, f.people_ms, f.people, f.born_ms, f.beyond_ms] for n, f in sorted(footings.items())]


def arrays_of(footings: Footings, d: int) -> Arrays:
    """What of them is vectors, of ``d`` features."""
    return {_MEANS: np.array([footing.mean for _, footing in sorted(footings.items())]).reshape(-1, d)}


def footings_of(head: Sequence[Sequence[Any]], arrays: Arrays, d: int) -> dict[int, Footing]:
    """The inverse, for ``d`` features. Raises ``BadRecord``, ``KeyError``, ``TypeError`` or ``ValueError``."""
    means = array(arrays, _MEANS, np.float64, len(head), d)
    found = {}
    for mean, (number, radius, people_ms, people, born_ms, beyond_ms) in zip(means, head, strict=True):
        beyond = None if beyond_ms is None else index(beyond_ms)
        found[index(number)] = Footing(mean, float(radius), index(people_ms), index(people), index(born_ms), beyond)
    return found
