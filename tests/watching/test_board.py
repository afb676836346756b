"""What the page says, over the twins: every state in words, and numbers that are those of the view."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from consumers.control import tell
from consumers.page.document import MOST_BYTES
from consumers.twins import Twins
from consumers.watching.feed import entry
from consumers.watching.flows import LAST, Flows
from consumers.watching.history import MOST, History
from consumers.watching.lag import Behind, Lag
from consumers.watching.projection import Projection
from producers.personas import Personas
from producers.writer import MemoryWriter
from stream.contracts.examples import CHANGE, DRIFT_ENTRY
from stream.contracts.segments import encode_entry
from tests.consumers.shop import PLAN, quiet_shop, settle
from tests.page.shops import Watched, tree


@pytest.fixture(scope="module")
def shop() -> Watched:
    watched = Watched(quiet_shop(tree()))
    watched.look()
    return watched


def test_the_counts_are_those_of_the_view(shop: Watched) -> None:
    rows = [fields for _, fields in shop.twins.store.reader.customers()]
    awake = Counter(row["id"] for row in rows if row["status"] != "dormant" and row["id"])
    assert {s["id"]: s["customers"] for s in shop.said["segments"]} == {**dict.fromkeys(awake, 0), **awake}
    assert shop.sentence.startswith(f"{awake.total()} active customers in 3 segments, up to date, events up to 2023-")
    assert shop.said["status"]["kind"] == "ok"


def test_between_two_counts_the_changes_are_added_up() -> None:
    twins = Twins(tree())
    shop = Watched(twins)
    shop.look()
    twins.send(Personas(PLAN))
    settle(twins)
    while shop.page.live.board.changes < sum(1 for _ in twins.changes()):
        shop.broker.round()
    added_up = +shop.page.live.board.counts
    shop.census.round()
    assert added_up == shop.page.live.board.counts


def test_an_empty_a_warming_and_a_backlogged_service_say_so() -> None:
    twins = Twins(tree())
    shop = Watched(twins)
    assert shop.sentence.startswith(("the store has not answered", "counting"))
    shop.look()
    assert shop.sentence == "no customers yet: the first event makes the first one"
    twins.send(event for event, _ in zip(Personas(PLAN), range(30), strict=False))
    shop.look()
    assert shop.sentence == "no customers yet: 30 events wait for a worker"
    settle(twins)
    shop.look()
    assert shop.said["status"]["kind"] == "warming"
    assert shop.sentence.endswith("the first segments come with 40")


def test_a_service_that_stands_still_is_stale_and_a_paused_one_paused() -> None:
    twins = quiet_shop(tree())
    shop = Watched(twins)
    shop.look()
    twins.send(Personas(replace(PLAN, seed=5)))
    for _ in range(40):
        shop.look()
    assert shop.sentence.startswith("stale: ")
    assert "none was processed for" in shop.sentence
    topic = twins.settings.topics.control
    tell(MemoryWriter(twins.broker), topic, paused=True, reason="moving house", wall_ms=1)
    shop.look()
    assert shop.sentence.startswith("paused by an operator: moving house; ")


def test_a_store_that_does_not_answer_is_named_with_when_it_last_did(shop: Watched) -> None:
    other = Watched(shop.twins)
    other.look()
    other.page.live._store_failed("Redis at x cannot be reached")
    assert other.said["status"]["kind"] == "unreachable"
    assert other.sentence == (
        "the store does not answer since TIME; what you see is of then (Redis at x cannot be reached)"
    )
    other.look()
    assert other.said["status"]["kind"] == "ok"


def test_a_view_that_is_being_rebuilt_says_so(shop: Watched) -> None:
    twins = quiet_shop(tree())
    twins.store.publish_status(2, "being restored")
    other = Watched(twins)
    other.look()
    assert other.sentence == "the view is being rebuilt: partition 2 is being restored"


def test_the_snapshot_is_small_and_is_cut_where_it_would_not_be(shop: Watched) -> None:
    assert len(shop.page.snapshot()) < 30_000
    large = Watched(shop.twins)
    large.look()
    long = replace(CHANGE, customer_id="x" * 2_000)
    large.page.live.board.take_changes([replace(long, version=n + 1) for n in range(40)], are_new=True)
    assert len(large.page.snapshot()) <= MOST_BYTES


def test_feed_and_ledger_are_there_newest_first(shop: Watched) -> None:
    occurred = [line["occurred"] for line in shop.said["feed"]]
    assert occurred == sorted(occurred, reverse=True)
    assert {line["kind"] for line in shop.said["ledger"]} >= {"born"}
    assert sum(n for *_, n in shop.said["flows"]["last"]) == shop.said["flows"]["last_count"] > 0


def test_a_ledger_entry_of_an_unknown_kind_is_shown_and_what_is_none_is_not() -> None:
    said = {
        "kind": "eclipse",
        "segment_id": "s1",
        "occurred_at": "2024-01-01T00:00:00.000Z",
        "detail": {"text": "dark"},
    }
    assert entry(json.dumps(said).encode()) == {
        "kind": "eclipse",
        "segment": "s1",
        "name": "",
        "text": "dark",
        "turn": "",
        "occurred": 1_704_067_200_000,
        "decided": None,
    }
    assert [entry(bad) for bad in (b"", b"[]", b"{}", b'{"kind": "x", "occurred_at": "now"}')] == [None] * 4


def test_a_drift_goes_on_until_it_ends() -> None:
    board = Watched(Twins(tree())).page.live.board
    begins, ends = ({**(entry(encode_entry(DRIFT_ENTRY)) or {}), "turn": turn} for turn in ("begins", "ends"))
    board.take_ledger([begins, {**begins, "name": "share"}])
    assert sorted(board.drifting) == ["event.spend", "share"]
    board.take_ledger([ends, ends])
    assert sorted(board.drifting) == ["share"]


def test_moves_are_counted_by_window_and_by_number() -> None:
    flows = Flows()
    for second in range(2_000):
        flows.add(("s1", "s2"), second, second * 1_000)
    flows.add(("s1", "s1"), 0, 2_000_000)
    said = flows.to_json(2_000.0)
    assert said["last"] == [["s1", "s2", LAST]]
    assert said["window"][0][2] == pytest.approx(900, abs=15)
    assert (said["last_from"], said["last_to"]) == (1_000, 1_999)
    assert flows.to_json(9_000.0)["window"] == []


def test_history_of_any_length_fits() -> None:
    history = History()
    for second in range(5 * MOST):
        history.add({"s1": second}, None, float(second))
    assert MOST / 3 < len(history.points) <= MOST
    walls = [p["wall"] for p in history.points]
    assert (walls[0], walls == sorted(walls)) == (0, True)


def test_lag_knows_when_the_first_unprocessed_record_came() -> None:
    lag = Lag()
    for second in range(10):
        lag.ends({0: 100 * second, 1: 0}, float(second))
    assert lag.behind({0: 900}, 9.0) == Behind(0, 0.0)
    found = lag.behind({0: 650}, 9.0)
    assert (found.records, found.seconds, found.at_least) == (250, 2.0, False)
    assert lag.behind({0: 650}, 29.0).stuck_seconds == 20.0
    late = Lag()
    late.ends({0: 50}, 100.0)
    assert late.behind({0: 10}, 130.0) == Behind(40, 30.0, True)


def profile(**values: float) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}


def test_the_map_does_not_turn_when_segments_move_or_come() -> None:
    projection = Projection()
    first = {"s1": profile(a=1, b=5), "s2": profile(a=9, b=5.2), "s3": profile(a=4, b=4)}
    projection.look(first)
    before = projection.to_json()
    projection.look({**first, "s3": profile(a=4, b=9), "s4": profile(a=2, b=2)})
    after = projection.to_json()
    assert before is not None
    assert after is not None
    assert after["axes"] == before["axes"]
    scale = {id_: after["points"][id_][-1][0] / before["points"][id_][-1][0] for id_ in ("s1", "s2")}
    assert scale["s1"] == pytest.approx(scale["s2"], rel=0.02)
    assert len(after["points"]["s3"]) == 2
    assert all(-1 <= n <= 1 for trail in after["points"].values() for at in trail for n in at)
    assert Projection().to_json() is None


def test_what_was_before_the_page_is_told_from_the_changes() -> None:
    twins = quiet_shop(tree())
    shop = Watched(twins)
    shop.look()
    points = shop.page.live.board.history.points
    assert len(points) > 20
    assert [p["event"] for p in points] == sorted(p["event"] for p in points)
    assert points[-2]["counts"] == points[-1]["counts"]
    assert sum(points[0]["counts"].values()) < 5
    assert shop.page.live.board.past == []
