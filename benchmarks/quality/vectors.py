"""The shared vector stream: the vector of every event's customer right after it, by the service's own fold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.data import Data, FloatArray, IntArray
from stream.contracts.events import DecodeRules, decode
from stream.customer.contributions import contributions
from stream.customer.features import ACTIVITY, FeatureSet
from stream.customer.fold import add
from stream.customer.state import empty
from stream.settings import CustomerSettings, load

Vectors = NDArray[np.int16]

REFERENCE_FEATURES = Path(__file__).parent / "offline_features.toml"
_CHUNK = 10_000
_CLIP_SD = 3.0


def vectors(data: Data, customers: CustomerSettings) -> Vectors:
    """One row an event, (events, d), int16 steps. The same for every model, so computed once."""
    features = FeatureSet(customers)
    x = _contributions(data, features)
    rows = empty(features, len(data.names))
    y = np.empty((len(data.events), len(features.names)), np.int16)
    by_turn = np.argsort(data.nth, kind="stable")
    turns = np.searchsorted(data.nth[by_turn], np.arange(1, int(data.nth.max()) + 2))
    for start, end in zip(turns[:-1].tolist(), turns[1:].tolist(), strict=True):
        event = by_turn[start:end]
        who, at = data.customer[event], data.at_ms[event]
        mine = rows[who]
        add(mine, x[event], at, x[event, ACTIVITY] > 0, customers.half_life_ms)
        rows[who] = mine
        y[event] = features.y(mine["sums"], mine["first_at"], mine["newest_at"], np.maximum(at, mine["newest_at"]))
    return y


def reference_vectors(data: Data) -> Vectors:
    """The same by the frozen reference features."""
    return vectors(data, load(REFERENCE_FEATURES).customers)


def last_events(data: Data, ms: int) -> IntArray:
    """Position of each customer's last event before a moment, -1 for none; (customers,)."""
    last = np.full(len(data.names), -1)
    end = data.before(ms)
    np.maximum.at(last, data.customer[:end], np.arange(end))
    return last


def standardised(y: Vectors) -> FloatArray:
    """Each feature in standard deviations around its mean, clipped: what a batch run would do."""
    sd = y.std(axis=0)
    z = (y - y.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
    return np.asarray(np.clip(z, -_CLIP_SD, _CLIP_SD))


def _contributions(data: Data, features: FeatureSet) -> FloatArray:
    settings = features.settings
    rules = DecodeRules(1, settings.max_event_bytes, round(settings.future_tolerance_seconds * 1000))
    parts = []
    for at in range(0, len(data.events), _CHUNK):
        some = data.events[at : at + _CHUNK]
        parts.append(contributions(features, [decode(e.key, e.payload, e.occurred_at_ms, 0, rules) for e in some]))
    return np.concatenate(parts)
