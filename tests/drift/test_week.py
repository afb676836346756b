"""A week of changes: counts that add, whatever the batching."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.drift.reference import DAY_MS
from stream.drift.week import Week

changes = st.lists(st.tuples(st.integers(0, 20 * DAY_MS), st.integers(0, 5), st.integers(0, 9)), max_size=30)


@given(changes, st.data())
def test_it_holds_what_the_newest_seven_days_had_in_any_order(
    told: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    week = Week()
    for at_ms, flaps, moves in data.draw(st.permutations(told)):
        week.add(at_ms, flaps, moves)
    newest = max((at_ms // DAY_MS for at_ms, *_ in told), default=0)
    kept = [(flaps, moves) for at_ms, flaps, moves in told if newest - at_ms // DAY_MS < 7]
    assert week.counts.tolist() == [sum(flaps for flaps, _ in kept), sum(moves for _, moves in kept)]
    assert len(week.days) <= 7
