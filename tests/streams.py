"""Hypothesis strategies: streams of customer events, and where to cut them into batches."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stream.contracts.events import Event
from tests.helpers import DAY_MS, MONDAY_MS, Lines, event

GOODS = ("fruit", "bread", "soap", "candles")

_amounts = st.integers(1, 50_000).map(lambda cents: cents / 100)
_lines: st.SearchStrategy[Lines] = st.lists(st.tuples(st.sampled_from(GOODS), _amounts, st.booleans()), max_size=3).map(
    tuple
)
# Some gaps are of weeks, so that customers fall silent; some are none, so that times tie.
_gaps = st.one_of(st.integers(0, 2), st.integers(0, DAY_MS), st.integers(0, 60 * DAY_MS))


@st.composite
def streams(
    draw: st.DrawFn,
    *,
    max_events: int = 30,
    customers: int = 3,
    in_order: bool = False,
    refunds: bool = False,
    gaps: st.SearchStrategy[int] = _gaps,
) -> list[Event]:
    """Events of a few customers. Unless ``in_order``, some are late by up to a hundred days."""
    events, at = [], MONDAY_MS
    for number in range(draw(st.integers(1, max_events))):
        at += draw(gaps)
        late = 0 if in_order else draw(st.sampled_from([0, 0, 0, 1, 3600_000, 9 * DAY_MS, 100 * DAY_MS]))
        sign = -1 if refunds and draw(st.integers(0, 4)) == 0 else 1
        events.append(_one(draw, f"c{draw(st.integers(1, customers))}", at - late, f"e{number}", sign))
    return events


def _one(draw: st.DrawFn, customer: str, at_ms: int, name: str, sign: int) -> Event:
    kind: Any = draw(st.sampled_from(["order", "order", "order", "view", "profile"]))
    if kind == "profile":
        return event(customer, at_ms, kind=kind, event_id=name, attributes={"town": draw(st.sampled_from("ABC"))})
    if kind == "view":
        return event(customer, at_ms, kind=kind, event_id=name)
    lines = tuple((category, sign * amount, own) for category, amount, own in draw(_lines))
    items, discount = float(draw(st.integers(0, 9))), draw(st.sampled_from([0.0, 0.1, 7.5]))
    return event(customer, at_ms, sign * draw(_amounts), event_id=name, items=items, discount=discount, lines=lines)


def cuts(events: list[Event]) -> st.SearchStrategy[list[int]]:
    """Positions where the stream is cut into batches, ascending; empty batches occur."""
    return st.lists(st.integers(0, len(events)), max_size=8).map(sorted)
