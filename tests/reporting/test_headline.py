from __future__ import annotations

from consumers.reporting.drifts import episodes_of
from consumers.reporting.flows import flows_of
from consumers.reporting.headline import headline
from tests.reporting.making import DAY, change, drift

NAMES = {"s1": "one", "s2": "two", "s3": "three"}


def test_before_there_is_anybody_and_before_there_is_a_model() -> None:
    assert headline({}, {}, [], [], 100) == "no customers yet"
    assert headline({"new": 1}, {}, [], [], 1_000) == ("1 customer so far, no segments yet: the first come with 1,000")


def test_a_day_on_which_nothing_happened() -> None:
    assert headline({"s1": 1_200, "s2": 3}, NAMES, [], [], 100) == (
        "1,203 active customers in 2 segments, nobody moved; no drift"
    )


def test_a_flow_between_segments_says_more_than_who_comes_and_goes() -> None:
    flows = flows_of([change("new", "s1")] * 5 + [change("s1", "s2")] * 2)
    assert headline({"s1": 4}, NAMES, flows, [], 100) == (
        "4 active customers in 1 segment, 7 moves, the largest flow from s1 one to s2 two (2); no drift"
    )
    assert "one move, from new to s1 one" in headline({"s1": 4}, NAMES, flows_of([change("new", "s1")]), [], 100)


def test_more_drifts_than_a_sentence_can_bear_are_counted() -> None:
    episodes = episodes_of([drift("begins", f"event.{name}") for name in ("a", "b", "c", "d")], DAY)
    assert headline({"s1": 4}, NAMES, [], episodes, 100).endswith(
        "nobody moved; drift began: a of the orders, b of the orders and 2 more"
    )
