from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given

from benchmarks import reference
from stream.contracts.events import Event
from stream.customer.contributions import contributions
from stream.customer.features import ACTIVITY, FeatureSet
from tests.helpers import DAY_MS, MONDAY_MS, event, shop, shop_settings
from tests.streams import streams


def added(name: str, one: Event, features: FeatureSet | None = None) -> float:
    features = features or shop()
    return float(contributions(features, [one])[0, features.slots[name].total])


def at(local: str, offset: str) -> int:
    return round(datetime.fromisoformat(f"{local}{offset}").timestamp() * 1000)


@given(streams(refunds=True))
def test_every_slot_is_what_the_reference_says(events: list[Event]) -> None:
    features = shop()
    x = contributions(features, events)
    for row, one in zip(x, events, strict=True):
        expected = reference.sums(features.settings, [one], one.occurred_at_ms)
        assert row[ACTIVITY] == reference.activity(features.settings, [one], one.occurred_at_ms)
        for accumulator in features.settings.accumulators:
            slots = features.slots[accumulator.name]
            assert row[slots.total] == pytest.approx(expected[accumulator.name, ""], rel=1e-12)
            for i, category in enumerate((*slots.values, "other") if slots.values else ()):
                assert row[slots.first + i] == pytest.approx(expected[accumulator.name, category], rel=1e-12)


@given(streams(refunds=True))
def test_the_batch_does_not_change_the_bits(events: list[Event]) -> None:
    together = contributions(shop(), events)
    alone = np.concatenate([contributions(shop(), [one]) for one in events])
    assert together.tobytes() == alone.tobytes()


def test_no_events_add_nothing() -> None:
    assert contributions(shop(), []).shape == (0, shop().width)


def test_a_profile_is_no_sign_of_life_and_adds_nothing() -> None:
    assert not contributions(shop(), [event("c", MONDAY_MS, kind="profile", attributes={"a": 1})]).any()


def test_a_view_is_a_sign_of_life_but_no_order() -> None:
    view = event("c", MONDAY_MS, kind="view")
    assert (added("views", view), added("orders", view)) == (1.0, 0.0)
    assert contributions(shop(), [view])[0, ACTIVITY] == 1.0


def test_a_refund_is_a_negative_sum_and_still_an_order() -> None:
    refund = event("c", MONDAY_MS, -20.0)
    assert (added("spend", refund), added("orders", refund)) == (-20.0, 1.0)


def test_lines_of_an_undeclared_category_are_other() -> None:
    basket = event("c", MONDAY_MS, 9.0, lines=(("fruit", 2.0, True), ("candles", 3.0, False), ("fruit", 4.0, False)))
    first = shop().slots["goods"].first
    assert contributions(shop(), [basket])[0, first : first + 5].tolist() == [6.0, 0.0, 0.0, 3.0, 9.0]
    assert added("own_brand", basket) == 2.0


@pytest.mark.parametrize(
    ("local", "offset", "weekend", "evening"),
    [
        ("2025-01-10T23:59:59.999", "+01:00", 0.0, 1.0),
        ("2025-01-11T00:00:00", "+01:00", 1.0, 0.0),
        ("2025-01-12T23:59:59.999", "+01:00", 1.0, 1.0),
        ("2025-01-13T00:00:00", "+01:00", 0.0, 0.0),
        ("2025-01-13T16:59:59.999", "+01:00", 0.0, 0.0),
        ("2025-01-13T17:00:00", "+01:00", 0.0, 1.0),
        ("2025-07-14T16:59:59.999", "+02:00", 0.0, 0.0),  # summer time
        ("2025-07-14T17:00:00", "+02:00", 0.0, 1.0),
        ("2025-07-14T16:30:00", "+01:00", 0.0, 1.0),  # the same moment, told otherwise
    ],
)
def test_weekend_and_evening_are_local(local: str, offset: str, weekend: float, evening: float) -> None:
    one = event("c", at(local, offset), 5.0)
    assert (added("weekend", one), added("evening_spend", one) / 5.0) == (weekend, evening)


def test_conditions_hold_for_lines_too() -> None:
    basket = (("soap", 3.0, False),)
    assert added("weekend_lines", event("c", MONDAY_MS + 12 * 3_600_000, 3.0, lines=basket)) == 0.0
    assert added("weekend_lines", event("c", MONDAY_MS + 5 * DAY_MS + 12 * 3_600_000, 3.0, lines=basket)) == 3.0


def test_zones_with_half_hours_are_right() -> None:
    features = FeatureSet(shop_settings(timezone="Asia/Kolkata"))
    assert added("evening_spend", event("c", at("2025-01-13T16:59:59", "+05:30"), 1.0), features) == 0.0
    assert added("evening_spend", event("c", at("2025-01-13T17:00:00", "+05:30"), 1.0), features) == 1.0
