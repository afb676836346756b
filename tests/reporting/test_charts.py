"""The drawings: everything is in them, inside of them, and nothing covers its neighbour."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.reporting.flows import flows_of
from consumers.reporting.flows_chart import flows_chart
from consumers.reporting.markup import Element
from consumers.reporting.parts import NARROW, WIDE
from consumers.reporting.shares_chart import HEIGHT, Lines, shares_chart
from tests.reporting.making import DAY, change

PLACES = st.sampled_from(("s1", "s2", "s10", "new", "dormant", "closed"))
WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])


def elements(root: Element, tag: str) -> Iterator[dict[str, str]]:
    """Attributes of every element of a kind."""
    if root.tag == tag:
        yield dict(root.attributes)
    for child in root.children:
        if isinstance(child, Element):
            yield from elements(child, tag)


@given(st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=80), st.sampled_from((WIDE, NARROW)))
def test_every_flow_is_a_band_and_bars_keep_apart(moves: list[tuple[str, str]], width: int) -> None:
    flows = flows_of(change(left, entered) for left, entered in moves)
    drawn = flows_chart(flows, width) if flows else None
    if drawn is None:
        return
    height = int(dict(drawn.attributes)["viewBox"].split()[3])
    assert len(list(elements(drawn, "path"))) == len(flows)
    sides: dict[str, list[tuple[float, float]]] = {}
    for bar in elements(drawn, "rect"):
        sides.setdefault(bar["x"], []).append((float(bar["y"]), float(bar["y"]) + float(bar["height"])))
    assert len(sides) == 2
    for bars in sides.values():
        assert all(end <= begin for (_, end), (begin, _) in pairwise(bars))
        assert bars[-1][1] <= height


@given(st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5), min_size=1, max_size=8))
def test_lines_stay_in_the_drawing_and_their_ids_apart(shares: list[list[float]]) -> None:
    times = [DAY.begin_ms + n * 3_600_000 for n in range(5)]
    drawn = shares_chart(Lines(times, {f"s{n}": line for n, line in enumerate(shares, 1)}), WIDE)
    for line in elements(drawn, "polyline"):
        points = [tuple(map(float, point.split(","))) for point in line["points"].split()]
        assert all(0 <= x <= WIDE and 0 <= y <= HEIGHT for x, y in points)
    ends = [float(text["y"]) for text in elements(drawn, "text") if text["class"].startswith("end")]
    assert len(ends) == len(shares)
    assert all(0 <= y <= HEIGHT for y in ends)
    assert all(later - above >= 12.9 for above, later in pairwise(ends))


@WIDTHS
def test_a_single_point_is_drawn(width: int) -> None:
    drawn = shares_chart(Lines([DAY.begin_ms], {"s1": [1.0]}), width)
    assert len(list(elements(drawn, "polyline"))) == 1
