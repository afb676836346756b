"""The report of a shop on the twins: its figures are those of view, changes and ledger."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from consumers.reporting.facts import EXAMPLES, facts_of
from consumers.reporting.gathering import gather
from consumers.reporting.period import period
from consumers.reporting.sizes import awake
from consumers.twins import Twins
from consumers.watching.places import move, place
from producers.personas import Personas
from stream.contracts.changes import decode_change
from stream.contracts.timestamps import ms_of
from tests.consumers.shop import PLAN, quiet_shop, settings, settle, tail
from tests.reporting.making import gathered, told

HOURS = 24 * 14


@pytest.fixture(scope="module")
def shop() -> Twins:
    return quiet_shop()


def test_at_its_end_everybody_is_where_the_view_has_them(shop: Twins) -> None:
    facts = told(shop, hours=HOURS)
    view = Counter(place(fields["id"], fields["status"]) for _, fields in shop.store.reader.customers())
    assert facts.counts[-1] == view
    assert {size.id: size.after for size in facts.sizes} == {id_: view[id_] for id_ in facts.names}
    assert facts.headline.startswith(f"{awake(view)} active customers in 3 segments, ")


def test_between_beginning_and_end_lie_the_flows(shop: Twins) -> None:
    facts = told(shop, hours=HOURS)
    net = Counter({size.id: size.before for size in facts.sizes})
    for flow in facts.flows:
        net[flow.left] -= flow.moves
        net[flow.entered] += flow.moves
    assert {size.id: size.after for size in facts.sizes} == {size.id: net[size.id] for size in facts.sizes}
    assert 0 < facts.movers <= sum(flow.moves for flow in facts.flows)


def test_only_the_changes_of_the_period_are_told(shop: Twins) -> None:
    facts = told(shop, hours=HOURS)
    every = [decode_change(value) for value in shop.changes()]
    within = [c for c in every if facts.period.begin_ms <= ms_of(c.occurred_at) < facts.period.end_ms]
    moved = [c for c in within if len(set(move(c))) > 1]
    assert sum(flow.moves for flow in facts.flows) == len(moved)
    assert len(facts.examples) == min(EXAMPLES, len(moved))
    assert facts.examples[0]["occurred"] == max(ms_of(change.occurred_at) for change in moved)


def test_days_follow_each_other_without_a_gap(shop: Twins) -> None:
    days = ("2023-01-20", "2023-01-21", "2023-01-22")
    facts = [told(shop, day) for day in days]
    assert [f.counts[0] for f in facts[1:]] == [f.counts[-1] for f in facts[:-1]]


def test_before_anybody_came_and_before_there_was_a_model(shop: Twins) -> None:
    early = told(shop, "2001-01-01")
    assert (early.headline, list(early.sizes), list(early.flows)) == ("no customers yet", [], [])
    empty = told(Twins(settings()))
    assert (empty.headline, empty.notes[0][:33]) == ("no customers yet", "nothing has been processed yet: t")
    few = Twins(settings())
    few.send(event for event, _ in zip(Personas(PLAN), range(20), strict=False))
    settle(few)
    assert told(few).headline.endswith("no segments yet: the first come with 40")


def test_a_day_that_events_have_not_reached_has_nothing_but_says_so(shop: Twins) -> None:
    late = told(shop, "2031-01-01")
    assert (list(late.flows), late.counts[0]) == ([], late.counts[-1])
    assert late.notes[0].startswith("events have not reached this time yet")


def test_the_search_for_changes_goes_no_further_back_than_it_must(shop: Twins) -> None:
    material, wanted = gathered(shop, hours=HOURS)
    all_of, _ = gathered(shop, "2001-01-01")
    assert [c for c in all_of.changes if ms_of(c.occurred_at) >= wanted.begin_ms] == list(material.changes)


def test_the_json_has_all_of_it(shop: Twins) -> None:
    said = json.loads(json.dumps(told(shop, hours=HOURS).to_json()))
    assert set(said) == {
        "period",
        "headline",
        "notes",
        "segments",
        "elsewhere",
        "over_time",
        "customers_moved",
        "flows",
        "ledger",
        "drift",
        "moves",
        "cards",
    }
    assert said["segments"][0]["id"] == "s1"
    assert {line["kind"] for line in json.loads(json.dumps(told(shop, hours=24 * 90).to_json()))["ledger"]} >= {"born"}


def test_reading_takes_every_partition(shop: Twins) -> None:
    topics = shop.settings.topics
    one = gather(shop.store.reader, tail(shop), topics, period("2001-01-01", None, 0), 1)
    whole, wanted = gathered(shop, "2001-01-01")
    assert 0 < len(one.changes) < len(whole.changes)
    assert facts_of(whole, wanted, 40).period.title == "2001-01-01"
