"""Tenure: who holds a segment since when, exact whatever the order and the split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.contracts.events import Event
from stream.customer.state import Status, empty
from stream.customer.tenure import WEEK_MS, difference, holders, read, tenures, total, written
from tests.helpers import shop, shop_model
from tests.streams import streams
from tests.town import Town

some = st.dictionaries(st.tuples(st.integers(1, 4), st.integers(-3, 3)), st.integers(-9, 9))


@given(streams(customers=6), st.data())
@settings(max_examples=40)
def test_any_split_adds_up_to_the_same(events: list[Event], data: st.DataObject) -> None:
    town = Town(shop(), shop_model())
    town.live(events)
    rows = town.rows()
    at = data.draw(st.integers(0, len(rows)))
    assert total(tenures(rows[at:]), tenures(rows[:at])) == tenures(rows)


@given(some, some)
def test_a_difference_leads_from_one_to_the_other(
    before: dict[tuple[int, int], int], after: dict[tuple[int, int], int]
) -> None:
    reached = total(before, difference(after, before))
    assert reached == {key: n for key, n in after.items() if n}
    assert read(written(reached)) == reached


def test_only_who_is_active_and_holds_a_segment_counts() -> None:
    rows = empty(shop(), 7)
    rows["newest_at"] = 0
    rows["segment"] = [1, 1, 1, 2, 0, 1, 1]
    rows["status"] = [Status.READY, Status.LOCKED, *[Status.READY] * 2, Status.COLD, Status.DORMANT, Status.CLOSED]
    rows["since"] = np.array([0, 1, 2 * WEEK_MS, 2 * WEEK_MS - 1, 0, 0, 0])
    found = tenures(rows)
    assert found == {(1, 0): 2, (1, 2): 1, (2, 1): 1}
    assert (holders(found, 1), holders(found, 1, 2 * WEEK_MS - 1), holders(found, 3)) == (3, 2, 0)
    assert tenures(rows[:0]) == {}


@pytest.mark.parametrize("rows", [5, [[1, 2]], [[1, 2, 3, 4]], [[1, 2.5, 3]], [["1", 2, 3]]])
def test_what_was_not_written_is_not_read(rows: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        read(rows)
