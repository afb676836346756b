"""Holdings: whole numbers over who hold a segment, exact whatever the order, the split and the history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import reference
from stream.contracts.events import Event
from stream.customer.features import FeatureSet
from stream.customer.holdings import COLUMNS, NOBODY, Holding, difference, holdings, read, total, traded, written
from stream.customer.state import Status, empty
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, event, retail, shop, shop_model, shop_settings
from tests.streams import streams
from tests.town import Town

ints = st.integers(-(2**60), 2**60)
some = st.dictionaries(st.integers(1, 4), st.builds(Holding, *[ints] * len(COLUMNS)))


@given(streams(customers=6), st.data())
@settings(max_examples=40)
def test_any_split_in_any_order_adds_up_to_the_same(events: list[Event], data: st.DataObject) -> None:
    town = Town(shop(), shop_model())
    town.live(events)
    rows = town.rows()
    order = np.array(data.draw(st.permutations(range(len(rows)))), np.int64)
    at = data.draw(st.integers(0, len(rows)))
    parts = [holdings(shop(), rows[order][:at]), holdings(shop(), rows[order][at:])]
    assert total(*parts) == total(*parts[::-1]) == holdings(shop(), rows)


@given(some, some)
def test_a_difference_leads_from_one_to_the_other(before: dict[int, Holding], after: dict[int, Holding]) -> None:
    reached = total(before, difference(after, before))
    assert reached == {n: h for n, h in after.items() if h != NOBODY}
    assert read(written(reached)) == reached


def test_what_is_counted_is_what_the_events_say() -> None:
    """Against decay and exposure written down plainly, of one customer with orders and views."""
    town = Town(shop(), shop_model())
    events = [event("c", MONDAY_MS + 3 * i * DAY_MS, 10.0 + i) for i in range(8)]
    events += [event("c", MONDAY_MS + 3 * i * DAY_MS + HOUR_MS, kind="view") for i in range(8)]
    events.sort(key=lambda e: e.occurred_at_ms)
    town.live(events)
    (holding,) = holdings(shop(), town.rows()).values()
    at = int(town.row("c")["looked_at"])
    weight = [0.5 ** ((at - e.occurred_at_ms) / shop().settings.half_life_ms) for e in events]
    expected = {
        "orders": sum(w for w, e in zip(weight, events, strict=True) if e.type == "order"),
        "spend": sum(w * e.amount for w, e in zip(weight, events, strict=True)),
        "views": sum(w for w, e in zip(weight, events, strict=True) if e.type == "view"),
        "exposure": reference.exposure_days(shop().settings, events, at),
    }
    assert {name: getattr(holding, name) for name in expected} == {n: round(1000 * x) for n, x in expected.items()}
    assert (holding.active, holding.dormant) == (1, 0)
    assert holding.lifetime_seconds == (events[-1].occurred_at_ms - events[0].occurred_at_ms) // 1000


def test_who_is_dormant_counts_with_its_lifetime_alone() -> None:
    town = Town(shop(), shop_model())
    town.live([event("c", MONDAY_MS + i * DAY_MS, 5.0) for i in range(4)])
    far = MONDAY_MS + 200 * DAY_MS
    town.live([event(c, far, kind="profile", attributes={"a": 1}) for c in ("x", "y", "z")])
    assert town.row("c")["status"] == Status.DORMANT
    assert list(holdings(shop(), town.rows()).values()) == [Holding(dormant=1, lifetime_seconds=3 * 86_400)]


def test_how_sure_decisions_are_is_of_those_whom_distances_decide() -> None:
    rows = empty(shop(), 6)
    rows["segment"] = 1
    rows["status"] = [Status.READY] * 4 + [Status.LOCKED, Status.DORMANT]
    rows["margin"] = [0.0999, 0.1, -0.2, np.nan, 0.0, 0.0]
    rows["atypical"] = [2, 1, 3, 0, 1, 1]
    (found,) = holdings(shop(), rows).values()
    assert (found.ready, found.low_margin, found.atypical) == (4, 2, 2)


def test_nobody_holds_nothing() -> None:
    rows = empty(shop(), 3)
    rows["status"] = [Status.COLD, Status.CLOSED, Status.READY]
    rows["segment"] = [0, 2, 0]
    assert holdings(shop(), rows) == holdings(shop(), rows[:0]) == {}


def test_a_customer_beyond_measure_counts_as_far_as_can_be_counted() -> None:
    rows = empty(shop(), 1)
    rows["segment"], rows["status"], rows["first_at"], rows["newest_at"], rows["looked_at"] = 1, Status.READY, 0, 0, 0
    rows["sums"] = -1e300
    assert holdings(shop(), rows)[1].spend == -(2**40)


def test_orders_spend_and_views_are_found_by_what_they_are() -> None:
    slots = shop().slots
    assert traded(shop()) == (slots["orders"].first, slots["spend"].first, slots["views"].first)
    assert traded(retail()) == (retail().slots["orders"].first, retail().slots["spend"].first, None)
    others: list[dict[str, Any]] = [
        {"name": "weekend", "kind": "count", "when": "weekend"},
        {"name": "pieces", "kind": "sum", "field": "items"},
        {"name": "bought", "kind": "count"},
        {"name": "again", "kind": "count"},
    ]
    declared = FeatureSet(shop_settings(accumulators=others, features=[]))
    assert traded(declared) == (declared.slots["bought"].first, None, None)


@pytest.mark.parametrize("rows", [5, [[1, 2]], [["1"] * 11], [[*range(12)]], [[1, 2, 3.5, *range(8)]]])
def test_what_was_not_written_is_not_read(rows: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        read(rows)
