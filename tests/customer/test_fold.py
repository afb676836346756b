"""The laws of the fold: a commutative monoid, and bit for bit the same for the same order."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks import reference
from stream.contracts.events import Event
from stream.customer.contributions import contributions
from stream.customer.features import ACTIVITY, NEVER, FeatureSet
from stream.customer.fold import add, merge
from stream.customer.state import States, empty
from tests.customer.folding import folded
from tests.helpers import DAY_MS, MONDAY_MS, event, shop
from tests.streams import streams

HALF_LIFE_MS = shop().settings.half_life_ms
one_customer = streams(customers=1, refunds=True)
few = settings(max_examples=40)


def monoid(rows: States) -> bytes:
    return b"".join(np.ascontiguousarray(rows[field]).tobytes() for field in ("sums", "first_at", "newest_at"))


def assert_near(left: States, right: States, events: list[Event]) -> None:
    """Equal within 1e-9 of the sizes that were added up."""
    assert left["first_at"].tolist() == right["first_at"].tolist()
    assert left["newest_at"].tolist() == right["newest_at"].tolist()
    sizes = abs(contributions(shop(), events)).sum(axis=0)
    assert (np.abs(left["sums"] - right["sums"]) <= 2e-9 * sizes + 1e-300).all()


@few
@given(one_customer)
def test_sums_are_what_the_reference_says(events: list[Event]) -> None:
    features = shop()
    active = [e.occurred_at_ms for e in events if e.type != "profile"]
    assume(active)
    rows, at = folded(features, events), max(active)
    values = rows["sums"][0] * features.decay(rows["newest_at"], np.array([at]))[0]
    expected = reference.sums(features.settings, events, at)
    sizes = reference.sums(features.settings, events, at, measure=abs)
    assert (rows["first_at"][0], rows["newest_at"][0]) == (min(active), max(active))
    assert values[ACTIVITY] == pytest.approx(reference.activity(features.settings, events, at), rel=1e-9)
    for (name, category), value in expected.items():
        slots = features.slots[name]
        slot = slots.first + (*slots.values, "other").index(category) if category else slots.total
        assert values[slot] == pytest.approx(value, abs=1e-9 * sizes[name, category] + 1e-300)


@few
@given(one_customer, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_state(events: list[Event], random: Random) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert_near(folded(shop(), events), folded(shop(), shuffled), events)


@few
@given(one_customer, one_customer)
def test_merging_is_commutative_and_the_same_as_folding(left: list[Event], right: list[Event]) -> None:
    a, b = folded(shop(), left), folded(shop(), right)
    joined = merge(a, b, HALF_LIFE_MS)
    assert_near(joined, merge(b, a, HALF_LIFE_MS), left + right)
    assert_near(joined, folded(shop(), left + right), left + right)


@few
@given(one_customer, one_customer, one_customer)
def test_merging_is_associative(first: list[Event], second: list[Event], third: list[Event]) -> None:
    a, b, c = (folded(shop(), events) for events in (first, second, third))
    left = merge(merge(a, b, HALF_LIFE_MS), c, HALF_LIFE_MS)
    right = merge(a, merge(b, c, HALF_LIFE_MS), HALF_LIFE_MS)
    assert_near(left, right, first + second + third)


@few
@given(one_customer)
def test_the_empty_state_is_the_identity(events: list[Event]) -> None:
    rows, nobody = folded(shop(), events), empty(shop(), 1)
    assert monoid(merge(rows, nobody, HALF_LIFE_MS)) == monoid(rows)
    assert monoid(merge(nobody, rows, HALF_LIFE_MS)) == monoid(rows)


def test_a_merge_leaves_its_arguments_alone_and_keeps_the_decision_of_the_left() -> None:
    left, right = (
        folded(shop(), [event("a", MONDAY_MS, 1.0)]),
        folded(shop(), [event("b", MONDAY_MS + DAY_MS * 90, 2.0)]),
    )
    left["segment"], right["segment"] = 3, 4
    before = left.tobytes(), right.tobytes()
    assert merge(left, right, HALF_LIFE_MS)["segment"].tolist() == [3]
    assert (left.tobytes(), right.tobytes()) == before


@few
@given(streams(customers=1, max_events=12), streams(customers=1, max_events=12))
def test_customers_side_by_side_have_the_bits_of_each_alone(left: list[Event], right: list[Event]) -> None:
    features, n = shop(), min(len(left), len(right))
    rows = empty(features, 2)
    x_left, x_right = contributions(features, left), contributions(features, right)
    for i in range(n):
        x = np.stack([x_left[i], x_right[i]])
        at = np.array([left[i].occurred_at_ms, right[i].occurred_at_ms])
        add(rows, x, at, x[:, ACTIVITY] > 0, HALF_LIFE_MS)
    assert rows[:1].tobytes() == folded(features, left[:n]).tobytes()
    assert rows[1:].tobytes() == folded(features, right[:n]).tobytes()


def test_moving_the_landmark_is_exact() -> None:
    """Over ten half-lives in one go or in ten, the old sum has the same bits: scaling by a power of two is exact."""
    features = shop()
    start = [event("c", MONDAY_MS, 0.1), event("c", MONDAY_MS + 12_345, 0.7)]
    free = [event("c", MONDAY_MS + i * HALF_LIFE_MS, 0.0) for i in range(1, 11)]
    spend = features.slots["spend"].first
    slowly, at_once = folded(features, start + free), folded(features, [*start, free[-1]])
    assert slowly["sums"][0, spend] == at_once["sums"][0, spend] != 0.0


def test_an_age_of_silence_leaves_zeros_not_errors() -> None:
    features = FeatureSet(shop().settings.model_copy(update={"half_life_days": 0.001}))
    rows = folded(features, [event("c", MONDAY_MS, 5.0), event("c", MONDAY_MS + 9000 * DAY_MS, 2.0)])
    spend = features.slots["spend"].first
    decay = features.decay(rows["newest_at"], rows["newest_at"])[0]
    assert rows["sums"][0, spend] * decay == pytest.approx(2.0)
    late = folded(features, [event("c", MONDAY_MS, 5.0)], rows)
    assert late["sums"][0, spend] == rows["sums"][0, spend]


def test_only_activity_moves_the_times() -> None:
    profile = event("c", MONDAY_MS + 9 * DAY_MS, kind="profile", attributes={"a": 1})
    assert folded(shop(), [profile])["newest_at"].tolist() == [NEVER]
    rows = folded(shop(), [event("c", MONDAY_MS, 1.0), profile])
    assert (rows["first_at"].tolist(), rows["newest_at"].tolist()) == ([MONDAY_MS], [MONDAY_MS])


def test_what_is_no_activity_adds_nothing_however_far_ahead() -> None:
    rows = folded(shop(), [event("c", MONDAY_MS, 1.0)])
    before = rows.tobytes()
    ones, ages_ahead = np.ones((1, shop().width)), np.array([MONDAY_MS + 2000 * HALF_LIFE_MS])
    add(rows, ones, ages_ahead, np.array([False]), HALF_LIFE_MS)
    assert rows.tobytes() == before
