"""Streams of raw event values: some that do not drift, and some with a known shift of at least 2,000 customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from producers.journey import Journey
from stream.contracts.events import DecodeRules, decode
from stream.customer.contributions import contributions
from stream.customer.features import DAY_MS, FeatureSet
from stream.customer.signals import RawSignals
from stream.settings import load

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EVENTS_A_DAY = 2000
"""Of the made-up streams: a million events are 500 days."""
CUSTOMERS = 2500
WEEKS = 52
SHIFT_AT = 100_000
"""Event at which the made-up streams shift: the reference is complete, and has been for a while."""
_AFTER = 50_000
"""Events after the shift; a detector that is silent until then has missed it."""


@dataclass(frozen=True)
class Stream:
    """Some signals of one stream of events, and where it shifts, if it does."""

    values: FloatArray
    """(events, signals)."""
    at_ms: IntArray
    """Event time, (events,)."""
    shift_at: int | None = None


def _evenly(events: int) -> IntArray:
    return (np.arange(events) * (DAY_MS / EVENTS_A_DAY)).astype(np.int64)


def iid(rng: np.random.Generator, events: int, signals: int) -> Stream:
    """Independent standard normal values."""
    return Stream(rng.standard_normal((events, signals)), _evenly(events))


def lognormal(rng: np.random.Generator, events: int, signals: int) -> Stream:
    """As spend: heavy to the right, and not put into logarithms first, as the service would."""
    return Stream(np.exp(rng.standard_normal((events, signals))), _evenly(events))


def ar95(rng: np.random.Generator, events: int, signals: int) -> Stream:
    """Each value is .95 of the one before and some noise; variance 1."""
    noise = rng.standard_normal((events, signals)) * np.sqrt(1 - 0.95**2)
    return Stream(np.asarray(lfilter([1.0], [1.0, -0.95], noise, axis=0)), _evenly(events))


def daily(rng: np.random.Generator, events: int, signals: int) -> Stream:
    """A daily wave of .3 standard deviations either way."""
    at_ms = _evenly(events)
    wave = 0.3 * np.sin(2 * np.pi * at_ms / DAY_MS + 1.0)
    return Stream(rng.standard_normal((events, signals)) + wave[:, None], at_ms)


def journey_weekly_blocks(rng: np.random.Generator, events: int, signals: int) -> Stream:
    """Complete Journey with its 52 weeks shuffled: real days and weeks, and no season. All signals of the service."""
    whole = journey()
    week = (whole.at_ms - whole.at_ms[0]) // (7 * DAY_MS)
    order = rng.permutation(WEEKS)
    parts = [np.flatnonzero(week == w) for w in order]
    moved = np.concatenate(
        [np.full(len(part), 7 * DAY_MS * (k - w)) for k, (w, part) in enumerate(zip(order, parts, strict=True))]
    )
    rows = np.concatenate(parts)
    return Stream(whole.values[rows], whole.at_ms[rows] + moved)


@cache
def journey() -> Stream:
    """The year as it was, in the signals that the service reads off it."""
    features = FeatureSet(load(flags={"profile": "retail"}).customers)
    decoded = (decode(e.key, e.payload, e.occurred_at_ms, 0, DecodeRules(partitions=1)) for e in Journey())
    events = [event for event in decoded if event.type == "order"]
    at_ms = np.array([event.occurred_at_ms for event in events], dtype=np.int64)
    return Stream(RawSignals(features).values(contributions(features, events)), at_ms)


STILL: dict[str, Callable[[np.random.Generator, int, int], Stream]] = {
    "iid": iid,
    "lognormal": lognormal,
    "ar95": ar95,
    "daily": daily,
    "journey_weekly_blocks": journey_weekly_blocks,
}
"""Nothing drifts here."""


def value_half_sd(rng: np.random.Generator) -> Stream:
    """A quarter of the variance is between 2,500 customers. All of them spend half a standard deviation more."""
    events = SHIFT_AT + _AFTER
    customer = rng.integers(CUSTOMERS, size=events)
    values = rng.normal(0, 0.5, CUSTOMERS)[customer] + rng.normal(0, np.sqrt(0.75), events)
    values[SHIFT_AT:] += 0.5
    return Stream(values[:, None], _evenly(events), SHIFT_AT)


def daily_half_sd(rng: np.random.Generator) -> Stream:
    """The same on top of the daily wave."""
    still = value_half_sd(rng)
    wave = 0.3 * np.sin(2 * np.pi * still.at_ms / DAY_MS + 1.0)
    return replace(still, values=still.values + wave[:, None])


def ar95_half_sd(rng: np.random.Generator) -> Stream:
    """Each value is .95 of the one before and some noise, and half a standard deviation more from the shift on."""
    still = ar95(rng, SHIFT_AT + _AFTER, 1)
    still.values[SHIFT_AT:] += 0.5
    return replace(still, shift_at=SHIFT_AT)


def lognormal_half_sd(rng: np.random.Generator) -> Stream:
    """Lognormal spend of 2,500 customers; every amount rises by half the standard deviation of all amounts."""
    still = value_half_sd(rng)
    still.values[SHIFT_AT:] -= 0.5
    values = np.exp(still.values)
    values[SHIFT_AT:] += 0.5 * values[:SHIFT_AT].std()
    return replace(still, values=values)


def share_30_60(rng: np.random.Generator) -> Stream:
    """A mark on some of 2,500 customers' orders, each with a liking of its own (Beta): .3 of all, then .6."""
    events = SHIFT_AT + _AFTER
    customer = rng.integers(CUSTOMERS, size=events)
    before, after = rng.beta(1.5, 3.5, CUSTOMERS), rng.beta(3.0, 2.0, CUSTOMERS)
    liking = np.where(np.arange(events) < SHIFT_AT, before[customer], after[customer])
    return Stream((rng.random(events) < liking).astype(np.float64)[:, None], _evenly(events), SHIFT_AT)


def journey_half_sd(rng: np.random.Generator) -> Stream:
    """The 2,469 households in shuffled weeks; from the middle on all spend half a standard deviation (log) more."""
    still = journey_weekly_blocks(rng, 0, 0)
    values, half = still.values[:, :1].copy(), len(still.values) // 2
    values[half:] += 0.5 * values.std()
    return Stream(values, still.at_ms, half)


SHIFTS: dict[str, Callable[[np.random.Generator], Stream]] = {
    "value_half_sd": value_half_sd,
    "daily_half_sd": daily_half_sd,
    "ar95_half_sd": ar95_half_sd,
    "lognormal_half_sd": lognormal_half_sd,
    "share_30_60": share_30_60,
    "journey_half_sd": journey_half_sd,
}
"""One raw value drifts here."""


def rounds(events: int, at_once: int) -> Iterator[slice]:
    """As a worker polls."""
    return (slice(start, start + at_once) for start in range(0, events, at_once))
