from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumers.reporting.flows import flows_of
from stream.contracts.changes import Because, Cause
from tests.reporting.making import change

PLACES = st.sampled_from(("s1", "s2", "new", "dormant"))
ROSE = (Because("orders", 2.0, 6.0, "orders per 30 days", 0.7),)
FELL = (Because("orders", 6.0, 2.0, "orders per 30 days", 0.7),)


@given(st.lists(st.tuples(PLACES, PLACES)))
def test_every_move_is_in_one_flow_and_who_stays_in_none(moves: list[tuple[str, str]]) -> None:
    flows = flows_of(change(left, entered) for left, entered in moves)
    assert sum(flow.moves for flow in flows) == sum(left != entered for left, entered in moves)
    assert all(flow.moves == flow.causes.total() for flow in flows)
    assert [flow.moves for flow in flows] == sorted((flow.moves for flow in flows), reverse=True)
    assert len({(flow.left, flow.entered) for flow in flows}) == len(flows)


def test_a_flow_says_why_with_the_reason_given_most_often() -> None:
    (flow,) = flows_of(
        [
            change("s1", "s2", reasons=ROSE),
            change("s1", "s2", reasons=ROSE),
            change("s1", "s2", cause=Cause.MODEL, reasons=FELL),
        ]
    )
    assert (flow.why, flow.mostly) == ("by what they did (2), the segments moved (1)", "orders rose (2)")


def test_who_is_placed_for_the_first_time_has_nothing_that_rose() -> None:
    (flow,) = flows_of([change("new", "s1", cause=Cause.FIRST, reasons=ROSE)])
    assert (flow.why, flow.mostly) == ("for the first time", "")
