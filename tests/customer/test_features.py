from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks import reference
from stream.contracts.events import Event
from stream.customer.contributions import contributions
from stream.customer.features import ACTIVITY, NEVER, STEPS, FeatureSet
from stream.customer.state import States
from tests.customer.folding import folded
from tests.helpers import DAY_MS, MONDAY_MS, event, retail, shop, shop_settings, steps
from tests.streams import streams

silences = st.integers(0, 400 * DAY_MS)


def raw(features: FeatureSet, rows: States, at_ms: NDArray[np.int64]) -> NDArray[np.float64]:
    return features.raw(rows["sums"], rows["first_at"], rows["newest_at"], at_ms)


@given(streams(customers=1), silences)
def test_features_are_what_the_reference_says(events: list[Event], silence_ms: int) -> None:
    features, at = shop(), max(e.occurred_at_ms for e in events) + silence_ms
    values = features.bounded(raw(features, folded(features, events), np.array([at])))[0]
    expected = reference.natural(features.settings, events, at)
    assert dict(zip(features.names, values.tolist(), strict=True)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(streams(customers=1, refunds=True), silences)
def test_vectors_are_within_their_steps_and_half_a_step_true(events: list[Event], silence_ms: int) -> None:
    features, rows = shop(), folded(shop(), events)
    at = np.array([max(e.occurred_at_ms for e in events) + silence_ms])
    y = features.y(rows["sums"], rows["first_at"], rows["newest_at"], at)
    natural = features.bounded(raw(features, rows, at))[0]
    exact = steps(features, dict(zip(features.names, natural.tolist(), strict=True)))
    assert y.dtype == np.int16
    assert np.abs(y).max() <= STEPS // 2
    assert np.abs(y[0] - exact).max() <= 0.5 + 1e-6


@given(st.lists(st.integers(-STEPS // 2, STEPS // 2), min_size=6, max_size=6))
def test_natural_units_invert_the_steps(y: list[int]) -> None:
    features = shop()
    natural = features.natural(np.array([y], dtype=np.int16))[0]
    back = steps(features, dict(zip(features.names, natural.tolist(), strict=True)))
    assert back == pytest.approx(y, abs=1e-6)


def test_natural_units_of_wide_untransformed_ranges_do_not_overflow() -> None:
    features = shop()
    views = features.names.index("views")
    assert features.natural(np.full((1, 6), STEPS // 2, dtype=np.int16))[0, views] == pytest.approx(2000.0)


@given(streams(customers=6, max_events=40), silences)
@settings(max_examples=30)
def test_the_batch_does_not_change_the_bits(events: list[Event], silence_ms: int) -> None:
    features = shop()
    everybody = sorted({e.customer_id for e in events})
    rows = np.concatenate([folded(features, [e for e in events if e.customer_id == c]) for c in everybody])
    rows = rows[rows["newest_at"] != NEVER]
    at = rows["newest_at"] + silence_ms
    together = raw(features, rows, at)
    alone = [raw(features, rows[i : i + 1], at[i : i + 1]) for i in range(len(rows))]
    assert together.tobytes() == b"".join(part.tobytes() for part in alone)


def test_functions_of_many_numbers_have_the_bits_of_one() -> None:
    """numpy vectorises these by the processor; that must not depend on how many customers stand side by side."""
    x = np.random.default_rng(5).uniform(0.0, 3.0, 257)
    functions: tuple[Any, ...] = (np.exp2, np.log1p, np.log, np.expm1, np.sqrt)
    for function in functions:
        assert function(x).tobytes() == b"".join(function(x[i : i + 1]).tobytes() for i in range(len(x)))


def test_a_customer_without_activity_stands_at_the_priors() -> None:
    features = shop()
    rows = folded(features, [event("c", MONDAY_MS, kind="profile", attributes={"a": 1})])
    values = raw(features, rows, np.array([MONDAY_MS]))[0]
    expected = {"orders": 4.0, "basket": 30.0, "fresh": 0.5, "variety": 1.0, "weekend": 0.3, "views": 0.0}
    assert dict(zip(features.names, values.tolist(), strict=True)) == pytest.approx(expected)


def test_more_refunds_than_orders_stay_within_the_ranges() -> None:
    features = shop()
    rows = folded(features, [event("c", MONDAY_MS, -500.0, lines=(("fruit", -500.0, False),))])
    values = features.bounded(raw(features, rows, np.array([MONDAY_MS])))[0]
    for value, feature in zip(values, features.features, strict=True):
        assert feature.range[0] <= value <= feature.range[1]


def test_own_gap_is_frozen_in_silence_and_near_the_true_gap() -> None:
    features = shop()
    rows = folded(features, [event("c", MONDAY_MS + i * 5 * DAY_MS, 1.0) for i in range(60)])
    gap = features.own_gap_days(rows["sums"], rows["first_at"], rows["newest_at"])[0]
    assert gap == pytest.approx(5.0, rel=0.1)


def test_one_visit_has_no_gap_yet() -> None:
    rows = folded(shop(), [event("c", MONDAY_MS, 1.0)])
    assert shop().own_gap_days(rows["sums"], rows["first_at"], rows["newest_at"]).tolist() == [0.0]


def test_slots_do_not_overlap_and_fill_the_width() -> None:
    for features in (shop(), retail()):
        taken = [ACTIVITY]
        for slots in features.slots.values():
            taken += range(slots.first, slots.total + 1)
        assert sorted(taken) == list(range(features.width))


def test_the_id_names_the_declarations_and_nothing_else() -> None:
    own = FeatureSet(shop_settings()).features_id
    assert own == shop().features_id
    assert FeatureSet(shop_settings(dormancy_own_gaps=9.0)).features_id == own
    assert FeatureSet(shop_settings(timezone="UTC")).features_id != own
    assert FeatureSet(shop_settings(half_life_days=29.0)).features_id != own
    assert FeatureSet(shop_settings(features=shop_settings().model_dump()["features"][:5])).features_id != own


def test_contributions_of_the_shipped_declarations_fit() -> None:
    features = retail()
    basket = event(
        "c", MONDAY_MS, 30.0, items=4.0, discount=3.0, lines=(("PRODUCE", 10.0, False), ("TOYS", 20.0, True))
    )
    rows = folded(features, [basket])
    assert contributions(features, [basket]).shape == (1, features.width)
    values = features.bounded(raw(features, rows, rows["newest_at"]))[0]
    expected = reference.natural(features.settings, [basket], MONDAY_MS)
    assert dict(zip(features.names, values.tolist(), strict=True)) == pytest.approx(expected)
