"""Tenure: who holds a segment since when, exact whatever the order and the split."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.contracts.events import Event
from stream.customer.state import Status, empty
from stream.customer.tenure import WEEK_MS, Counts, add, difference, holders, read, tenures, written
from tests.helpers import DAY_MS, MONDAY_MS, event, shop, shop_model
from tests.streams import streams
from tests.town import Town

nonzero = st.integers(-9, 9).filter(bool)
some = st.dictionaries(st.integers(1, 4), st.dictionaries(st.integers(-3, 3), nonzero, min_size=1))


@given(streams(customers=6), st.data())
@settings(max_examples=40)
def test_any_split_adds_up_to_the_same(events: list[Event], data: st.DataObject) -> None:
    town = Town(shop(), shop_model())
    town.live(events)
    rows = town.rows()
    at = data.draw(st.integers(0, len(rows)))
    both = tenures(rows[at:])
    add(both, tenures(rows[:at]))
    assert both == tenures(rows)


@given(some, some)
def test_a_difference_leads_from_one_to_the_other(before: Counts, after: Counts) -> None:
    change = difference(after, before)
    assert read(written(change)) == change
    add(before, change)
    assert before == after


def test_only_who_is_active_and_holds_a_segment_counts() -> None:
    rows = empty(shop(), 7)
    rows["newest_at"] = 0
    rows["segment"] = [1, 1, 1, 2, 0, 1, 1]
    rows["status"] = [Status.READY, Status.LOCKED, *[Status.READY] * 2, Status.COLD, Status.DORMANT, Status.CLOSED]
    rows["entered_week"] = [0, 0, 2, 1, 0, 0, 0]
    found = tenures(rows)
    assert found == {1: {0: 2, 2: 1}, 2: {1: 1}}
    assert (holders(found, 1), holders(found, 1, 2 * WEEK_MS - 1), holders(found, 3)) == (3, 2, 0)
    assert tenures(rows[:0]) == {}


def test_a_nap_or_a_lock_is_no_new_entry() -> None:
    town = Town(shop(), shop_model())
    town.live([event("c", MONDAY_MS + 20 * i * DAY_MS, 5.0) for i in range(5)])
    entered, held = int(town.row("c")["entered_week"]), int(town.row("c")["segment"])
    assert MONDAY_MS // WEEK_MS <= entered <= MONDAY_MS // WEEK_MS + 12
    far = MONDAY_MS + 400 * DAY_MS
    town.live([event(c, far, kind="profile", attributes={"a": 1}) for c in ("x", "y", "z")])
    assert town.row("c")["status"] == Status.DORMANT
    assert tenures(town.rows()) == {}
    town.live([event("c", far + DAY_MS, 5.0)])
    row = town.row("c")
    assert (int(row["segment"]), int(row["status"])) == (held, Status.READY), "awake, and where it was"
    assert int(row["since"]) == far + DAY_MS
    assert tenures(town.rows()) == {held: {entered: 1}}


@pytest.mark.parametrize("rows", [5, [[1, 2]], [[1, [2]]], [[1, [[2, 0.5]]]], [["1", []]], [[1, [], 3]]])
def test_what_was_not_written_is_not_read(rows: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        read(rows)
