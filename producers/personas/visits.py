"""When customers order: a renewal process in each customer's own time.

A customer's rate of ordering varies with its persona, the day of the week and the season. Summed up over the
days the rate is the customer's own clock, on which gaps are Gamma distributed with mean 1; reading that clock
backwards gives the days (time rescaling; Brown et al., 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from producers.personas.cast import GONE, Cast
from producers.personas.people import FloatArray, IntArray, People, share
from producers.personas.plan import DAY_MS, PersonasPlan

_REGULARITY = 3.0
"""Shape of the gaps: 1 would be a Poisson process; people are more regular than that."""
_HOUR_MS = 3_600_000
_EVENING_STARTS = 17
_VIEW_MEAN_MS = 20 * 60_000
_CHRISTMAS_DAY_OF_YEAR = 352


@dataclass(frozen=True)
class Visits:
    """One entry an order or a view, in order of time."""

    customer: IntArray
    at_ms: IntArray
    """Since the start."""
    is_view: NDArray[np.bool_]


def visit(plan: PersonasPlan, people: People, rng: Generator) -> Visits:
    """All visits of all customers."""
    order_days = _order_days(plan, people, rng)
    customer = np.repeat(np.arange(plan.customers), [len(days) for days in order_days])
    day = np.concatenate(order_days)
    row = people.row(customer, day)
    evening = people.looks.column(lambda p: p.evening_share)[row]
    at_ms = day * DAY_MS + _time_of_day(share(evening, people.traits.evening[customer]), plan.cast, rng)
    views = rng.poisson(plan.views_per_order + people.looks.column(lambda p: p.views_per_order)[row])
    before = rng.exponential(_VIEW_MEAN_MS, views.sum()).astype(np.int64)
    viewed_at = np.maximum(np.repeat(at_ms, views) - before, np.repeat(day, views) * DAY_MS)
    customer = np.concatenate([customer, np.repeat(customer, views)])
    at_ms = np.concatenate([at_ms, viewed_at])
    is_view = np.arange(len(at_ms)) >= len(day)
    in_time = np.lexsort((~is_view, customer, at_ms))
    return Visits(customer[in_time], at_ms[in_time], is_view[in_time])


def season(plan: PersonasPlan) -> tuple[FloatArray, FloatArray]:
    """Factors by day of the rate and of the amounts: a slow wave; before Christmas more and dearer orders."""
    of_year = (plan.start.timetuple().tm_yday - 1 + np.arange(plan.days)) % 365
    christmas = np.exp(-(((of_year - _CHRISTMAS_DAY_OF_YEAR) / 9) ** 2))
    more, dearer = plan.cast.christmas_orders * christmas, plan.cast.christmas_amounts * christmas
    return 1 + 0.08 * np.sin(2 * np.pi * of_year / 365) + more, 1 + dearer


def _order_days(plan: PersonasPlan, people: People, rng: Generator) -> list[IntArray]:
    looks, traits = people.looks, people.traits
    days = np.arange(plan.days)
    edges = np.arange(plan.days + 1.0)
    is_weekend = (plan.start.weekday() + days) % 7 >= 5
    gap, weekend = looks.column(lambda p: p.gap_days), looks.column(lambda p: p.weekend_share)
    rate, _ = season(plan)
    found = []
    for life, gap_offset, weekend_offset in zip(people.lives, traits.gap, traits.weekend, strict=True):
        row = looks.row[life, days]
        at_weekend = share(weekend[row], weekend_offset)
        of_week = np.where(is_weekend, 3.5 * at_weekend, 1.4 * (1 - at_weekend))
        daily = np.where(life == GONE, 0.0, rate * of_week / (gap[row] * np.exp(gap_offset)))
        clock = np.concatenate([[0.0], np.cumsum(daily)])
        found.append(np.interp(_renewals(clock[-1], rng), clock, edges).astype(np.int64))
    return found


def _renewals(until: float, rng: Generator) -> FloatArray:
    """Times in [0, until) of a renewal process with mean gap 1, whose first gap is already under way."""
    plenty = int(until + 6 * np.sqrt(until)) + 10
    gaps = rng.gamma(_REGULARITY, 1 / _REGULARITY, plenty)
    gaps[0] *= rng.random()
    times = np.cumsum(gaps)
    return times[times < until]


def _time_of_day(evening_share: FloatArray, cast: Cast, rng: Generator) -> IntArray:
    n = len(evening_share)
    is_evening = rng.random(n) < evening_share
    opens = np.where(is_evening, _EVENING_STARTS, cast.opens_hour)
    closes = np.where(is_evening, cast.closes_hour, _EVENING_STARTS)
    return np.asarray((opens + rng.random(n) * (closes - opens)) * _HOUR_MS, dtype=np.int64)
