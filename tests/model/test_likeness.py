"""Alike is what has been shown to be, within limits; not what nothing is known of."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.customer.holdings import Holding
from stream.model.likeness import Outcome, alike, likeness
from stream.model.value import value_of
from stream.settings import ValueSettings

MONTH_SECONDS = 30 * 86_400
SETTINGS = ValueSettings()
SOME = Holding(
    active=400,
    dormant=60,
    lifetime_seconds=3000 * MONTH_SECONDS,
    exposure=400 * 30_000,
    orders=400 * 4_000,
    spend=400 * 100_000,
)


def outcome(holding: Holding, *, knows_views: bool = False) -> Outcome:
    return Outcome(holding, value_of(holding, SETTINGS, knows_orders=True, knows_spend=True, knows_views=knows_views))


def are_alike(one: Holding, other: Holding) -> bool:
    return likeness(outcome(one), outcome(other)).holds(SETTINGS)


def times(holding: Holding, **factors: float) -> Holding:
    return replace(holding, **{name: round(getattr(holding, name) * factor) for name, factor in factors.items()})


def test_a_segment_is_alike_to_one_that_does_the_same() -> None:
    assert are_alike(SOME, SOME)
    assert are_alike(SOME, times(SOME, orders=1.2, spend=1.2))


@pytest.mark.parametrize(
    ("what", "factor"),
    [("orders", 1.3), ("spend", 1.3), ("spend", 0.7), ("spend", 0.0), ("spend", -1.0), ("dormant", 2.5)],
)
def test_one_outcome_that_differs_is_enough(what: str, factor: float) -> None:
    assert not are_alike(SOME, times(SOME, **{what: factor}))


def test_of_few_customers_nothing_is_said() -> None:
    few = Holding(*(round(total / 5) for total in (SOME.active, SOME.dormant, SOME.lifetime_seconds, SOME.exposure)))
    few = replace(few, orders=SOME.orders // 5, spend=SOME.spend // 5)
    assert few.active < SETTINGS.alike_customers
    assert not are_alike(few, SOME)


def test_retention_must_be_known_well_enough() -> None:
    """The same retention, of a twentieth of the time: who would tell two points from it?"""
    short = replace(SOME, dormant=3, lifetime_seconds=SOME.lifetime_seconds // 20)
    seen = likeness(outcome(SOME), outcome(short))
    assert seen.retention < SETTINGS.alike_retention
    assert seen.retention + seen.retention_error > SETTINGS.alike_retention
    assert not seen.holds(SETTINGS)
    assert not are_alike(SOME, replace(SOME, lifetime_seconds=0))


def test_the_interval_of_the_retention_holds_the_truth_nine_times_in_ten() -> None:
    rng, hits, hazard = np.random.default_rng(4), 0, -math.log(0.95)
    for _ in range(400):
        lived = rng.exponential(1 / hazard, (2, 600))
        seen = np.minimum(lived, 8.0)
        sides = [
            outcome(Holding(1, int((lived[i] < 8.0).sum()), round(float(seen[i].sum()) * MONTH_SECONDS)))
            for i in (0, 1)
        ]
        pair = likeness(*sides)
        hits += pair.retention <= pair.retention_error
    assert 0.86 < hits / 400 < 0.94


def test_what_is_declared_by_nobody_is_not_asked_for_and_what_one_has_only_is_not_alike() -> None:
    assert {*likeness(outcome(SOME), outcome(SOME)).ratios} == {"orders", "spend", "order_value"}
    views = outcome(replace(SOME, views=10_000), knows_views=True)
    assert likeness(views, views).ratios["conversion"] == 1.0
    assert not likeness(views, outcome(SOME, knows_views=True)).holds(SETTINGS)


def test_pairs_come_the_most_alike_first() -> None:
    outcomes = {n: outcome(times(SOME, orders=f, spend=f)) for n, f in ((7, 1.0), (2, 1.2), (5, 1.05), (3, 2.0))}
    assert [*alike(outcomes, SETTINGS)] == [(5, 7), (2, 5), (2, 7)]
    assert alike({1: outcome(SOME)}, SETTINGS) == {}


counts = st.integers(0, 10**12)
holdings = st.builds(Holding, counts, counts, counts, counts, counts, st.integers(-(10**12), 10**12), counts)


@given(holdings, holdings)
def test_it_is_mutual_and_limits_only_narrow(one: Holding, other: Holding) -> None:
    there, back = likeness(outcome(one), outcome(other)), likeness(outcome(other), outcome(one))
    assert there == back
    wide = ValueSettings(alike_ratio=1e6, alike_retention=1.0, alike_customers=1)
    assert there.holds(wide) or not there.holds(SETTINGS)
    assert all(ratio >= 1.0 for ratio in there.ratios.values())
