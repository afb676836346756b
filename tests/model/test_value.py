"""The value of a segment: ratios of exact sums, a hazard, and a formula from a paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.customer.holdings import Holding
from stream.model.learner import Learner
from stream.model.value import Value, clv, retention, value_of
from stream.settings import ValueSettings
from tests.model.crowd import Crowd, blobs, described, settings

DAY_SECONDS = 86_400
PERIOD_SECONDS = 30 * DAY_SECONDS


def valued(holding: Holding) -> Value:
    return value_of(holding, ValueSettings(), knows_orders=True, knows_spend=True, knows_views=True)


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.97])
def test_retention_finds_the_hazard_that_lives_were_drawn_from(kept: float) -> None:
    rng = np.random.default_rng(5)
    lives = rng.exponential(-1 / math.log(kept), 20_000)
    watched = rng.uniform(0, 12, 20_000)
    seen = np.minimum(lives, watched)
    dormant = int((lives < watched).sum())
    holding = Holding(20_000 - dormant, dormant, round(seen.sum() * PERIOD_SECONDS))
    assert retention(holding) == pytest.approx(kept, abs=0.01)


def test_nobody_keeps_all_and_nothing_is_said_of_no_time() -> None:
    few, many = (retention(Holding(n, 0, n * PERIOD_SECONDS)) for n in (10, 1000))
    assert few is not None
    assert many is not None
    assert 0.9 < few < many < 1.0
    assert retention(Holding(active=3)) is None


def test_clv_is_the_sum_of_what_the_years_bring() -> None:
    """Margins of the periods to come, kept and discounted one by one."""
    discount = 1.12 ** (30 / 365)
    brought = sum(7.5 * (0.95 / discount) ** period for period in range(1, 2000))
    assert clv(7.5, 0.95, 0.12) == pytest.approx(brought)


def test_ratios() -> None:
    value = valued(Holding(10, 0, 10 * PERIOD_SECONDS, 300_000, 40_000, 1_000_000, 200_000))
    assert (value.orders, value.spend, value.conversion, value.order_value) == (4.0, 100.0, 0.2, 25.0)
    assert value.retention is not None
    assert value.clv == pytest.approx(clv(25.0, value.retention, 0.12))


def test_nothing_is_divided_by_nothing() -> None:
    assert valued(Holding()) == Value(None, None, None, None, None, None)
    no_views = valued(Holding(1, 0, 1, 1000, 1000, 1000, 0))
    assert (no_views.conversion, no_views.order_value) == (None, 1.0)


counts = st.integers(0, 10**15)


@given(st.builds(Holding, counts, counts, counts, counts, counts, counts, counts))
def test_every_figure_is_finite_and_shares_are_shares(holding: Holding) -> None:
    value = valued(holding)
    for figure in (value.retention, value.orders, value.spend, value.conversion, value.order_value, value.clv):
        assert figure is None or (math.isfinite(figure) and figure >= 0)
    assert value.retention is None or value.retention <= 1


def people() -> Crowd:
    y = blobs(np.random.default_rng(0), [[0.0, 0.0], [4000.0, 0.0], [0.0, 4000.0]], 60)
    return Crowd(y, Learner(described(2), settings()))


def test_the_model_carries_what_holders_add_up_to_and_a_restart_changes_nothing() -> None:
    crowd = people()
    crowd.step()
    snapshot = crowd.step().snapshot
    assert [s.holding for s in snapshot.segments] == [Holding(active=60)] * 3
    packed = crowd.learner.to_record(snapshot)
    restored = Learner.from_record(packed, crowd.learner.features, crowd.learner.settings)
    assert restored.state.holdings == crowd.learner.state.holdings
    assert restored.snapshot is not None
    assert restored.snapshot.segments == snapshot.segments


def test_a_retiring_segment_keeps_its_holders_and_a_retired_one_leaves_nothing() -> None:
    crowd = people()
    crowd.step()
    crowd.step()
    number = int(crowd.held[0])
    crowd.learner.learn(crowd.leave(np.arange(60)))
    leaving = crowd.learner.macro_step(0)
    assert crowd.learner.state.holdings.keys() == {1, 2, 3} - {number}
    assert next(s for s in leaving.snapshot.segments if s.number == number).holding == Holding()
    crowd.learner.learn(crowd.look(np.arange(60), crowd.y[60:120]))
    retired = crowd.learner.macro_step(0)
    assert number not in {s.number for s in retired.snapshot.segments}
    assert number not in crowd.learner.state.holdings
