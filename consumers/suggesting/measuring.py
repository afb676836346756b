"""What a sample says in numbers: how long customers wait, and what declared features are in natural units. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from math import floor, log10
from zoneinfo import ZoneInfo

import numpy as np

from stream.contracts.events import Event
from stream.customer.contributions import contributions
from stream.customer.features import DAY_MS, FeatureSet, FloatArray, TimeArray

KNOWN_ORDERS = 3
"""Orders from which on a customer says what customers do; below, one order is most of the answer."""
_KNOWN_CUSTOMERS = 20
"""With fewer such customers everybody counts."""
_LARGEST = 1e15


def median_gap_days(events: Sequence[Event]) -> float | None:
    """The median over customers of the median time between their orders, ``None`` if nobody came twice.

    Orders at the same instant are one visit. Everybody counts once, however often they come.
    """
    customer, at_ms = _columns(events)
    order = np.lexsort((at_ms, customer))
    gap_days = np.diff(at_ms[order]) / DAY_MS
    is_gap = (np.diff(customer[order]) == 0) & (gap_days > 0)
    whose, gaps = customer[order][1:][is_gap], gap_days[is_gap]
    if not len(gaps):
        return None
    starts = np.flatnonzero(np.diff(whose, prepend=-1))
    return float(np.median([np.median(mine) for mine in np.split(gaps, starts[1:])]))


def raw(features: FeatureSet, events: Sequence[Event]) -> FloatArray:
    """Features of the customers as of their last order, in natural units, shape (customers, d); below 0 counts as 0."""
    sums, first_at, newest_at = _folded(features, events)
    with np.errstate(over="ignore"):  # without a prior, a discount on next to nothing is any number of times it
        found = features.raw(sums, first_at, newest_at, newest_at)
    return np.asarray(np.clip(found, 0.0, _LARGEST))


def sd_steps(features: FeatureSet, events: Sequence[Event]) -> FloatArray:
    """How much each feature varies between customers, as the model sees it, shape (d,)."""
    sums, first_at, newest_at = _folded(features, events)
    return np.asarray(features.y(sums, first_at, newest_at, newest_at).astype(np.float64).std(axis=0))


def known(events: Sequence[Event]) -> list[Event]:
    """The orders of customers who made enough of them, or all if hardly anybody did."""
    customer, _ = _columns(events)
    counts = np.bincount(customer)
    if (counts >= KNOWN_ORDERS).sum() < _KNOWN_CUSTOMERS:
        return list(events)
    return [event for event, is_known in zip(events, (counts >= KNOWN_ORDERS)[customer], strict=True) if is_known]


def are_dates(events: Sequence[Event], timezone: str) -> bool:
    """Whether all times are midnights: such a file knows the day and not the hour."""
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    return all(datetime.fromtimestamp(e.occurred_at_ms / 1000, zone).time() == time() for e in events)


def rounded(value: float) -> float:
    """Three digits: more would claim what a sample does not know.

    >>> rounded(1234.5), rounded(0.0471234)
    (1230.0, 0.0471)
    """
    return float(f"{value:.3g}")


def round_above(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 ... that is not less; ``value`` is above 0.

    >>> round_above(0.3), round_above(120), round_above(500)
    (0.5, 200.0, 500.0)
    """
    decade = floor(log10(value))
    candidates = (float(f"{digit}e{decade}") for digit in (1, 2, 5, 10))
    return next(candidate for candidate in candidates if candidate >= value)


def _folded(features: FeatureSet, events: Sequence[Event]) -> tuple[FloatArray, TimeArray, TimeArray]:
    """Decayed sums, first and newest time of each customer. The service's own bits do not matter here."""
    customer, at_ms = _columns(events)
    first_at = np.full(customer.max() + 1, np.iinfo(np.int64).max)
    newest_at = np.zeros(customer.max() + 1, dtype=np.int64)
    np.minimum.at(first_at, customer, at_ms)
    np.maximum.at(newest_at, customer, at_ms)
    half_life = features.settings.half_life_ms
    landmark = newest_at // half_life * half_life
    weight = np.exp2((at_ms - landmark[customer]) / half_life)
    sums = np.zeros((len(first_at), features.width))
    np.add.at(sums, customer, contributions(features, events) * weight[:, None])
    return sums, first_at, newest_at


def _columns(events: Sequence[Event]) -> tuple[TimeArray, TimeArray]:
    """Customer numbers in order of first appearance, and event times in ms."""
    numbers: dict[str, int] = {}
    customer = [numbers.setdefault(event.customer_id, len(numbers)) for event in events]
    return np.array(customer, dtype=np.int64), np.array([event.occurred_at_ms for event in events], dtype=np.int64)
