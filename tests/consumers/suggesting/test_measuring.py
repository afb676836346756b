from __future__ import annotations

import pytest

from consumers.suggesting.declaring import suggest
from consumers.suggesting.measuring import known, median_gap_days
from consumers.suggesting.sample import Sample
from stream.contracts.events import Event
from tests.helpers import DAY_MS, MONDAY_MS, event


def every(customer: str, days: float, count: int, amount: float = 0.0) -> list[Event]:
    return [event(customer, MONDAY_MS + round(i * days * DAY_MS), amount) for i in range(count)]


def test_everybody_counts_once_however_often_they_come() -> None:
    events = every("daily", 1, 100) + every("weekly", 7, 5) + every("monthly", 30, 3) + every("once", 1, 1)
    assert median_gap_days(events) == 7


def test_orders_of_one_instant_are_one_visit() -> None:
    assert median_gap_days(every("a", 3, 4) + every("a", 3, 4)) == 3
    assert median_gap_days([event("a", MONDAY_MS), event("a", MONDAY_MS), event("b", MONDAY_MS + 5)]) is None


def test_the_order_of_events_does_not_matter() -> None:
    events = every("a", 2, 5) + every("b", 5, 5)
    assert median_gap_days(events[::-1]) == median_gap_days(events) == 3.5


def test_customers_with_few_orders_are_left_out_if_there_are_enough_others() -> None:
    regulars = [e for n in range(25) for e in every(f"r{n}", 7, 3)]
    assert known(regulars + every("once", 1, 1)) == regulars
    assert len(known(every("a", 1, 3) + every("b", 1, 1))) == 4


@pytest.mark.parametrize(
    ("days", "gap", "per_days"),
    [(1e-6, 0.0417, 1.0), (0.25, 0.25, 1.0), (7, 7, 30.0), (90, 90, 365.0), (3000, 365, 365.0)],
)
def test_rates_are_counted_by_a_period_that_people_would_choose(days: float, gap: float, per_days: float) -> None:
    suggestion = suggest(Sample("x", every("a", days, 3, amount=5.0), 1, 3))
    assert suggestion.pace.typical_gap_days == gap
    assert suggestion.features[0].per_days == per_days


def test_without_a_second_visit_the_gap_is_a_guess() -> None:
    suggestion = suggest(Sample("x", [event("a", MONDAY_MS, amount=5.0)], 1, 1))
    assert (suggestion.is_gap_guessed, suggestion.pace.typical_gap_days) == (True, 7.0)


def test_the_commonest_categories_make_the_mix_and_the_most_telling_the_shares() -> None:
    def shopper(name: str, own: str) -> list[Event]:
        lines = (*((f"k{i}", 1.0, False) for i in range(10)), (own, 10.0, False))
        return [event(name, MONDAY_MS + i * DAY_MS, 20.0, lines=lines[i % 2 :]) for i in range(4)]

    events = [e for n in range(24) for e in shopper(f"c{n}", ("k7", "k8")[n % 2])]
    suggestion = suggest(Sample("x", events, 24, len(events)))
    (mix,) = (a for a in suggestion.accumulators if a.kind == "mix")
    assert mix.values == ("k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8")
    assert {"k7_share", "k8_share"} <= {f.name for f in suggestion.features}
    assert suggestion.categories == 10
