"""Who moved where, drawn: a band for each flow, as wide as it has moves, from where they left to where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consumers.reporting.flows import Flow
from consumers.reporting.markup import Element, el
from consumers.reporting.parts import colour
from consumers.showing.segments import by_number
from consumers.watching.places import ELSEWHERE

_BAR, _GAP, _TALL = 10, 12, 240
"""Width of a bar, space between two, and height of all bars of a side."""
_LEAST = 1.5
"""A band is at least so wide, or nobody sees it."""
_LETTER, _LETTER_WIDTH, _APART = 15, 10, 6
"""Height of a label, width of a letter of it, and how far it is from its bar."""


@dataclass(frozen=True)
class _Bar:
    place: str
    moves: int
    top: float
    height: float


def flows_chart(flows: Sequence[Flow], width: int) -> Element:
    """An SVG of ``width``: left are the places that were left, right those that were entered."""
    scale = _TALL / max(1, sum(flow.moves for flow in flows))
    left = _bars(((flow.left, flow.moves) for flow in flows), scale)
    right = _bars(((flow.entered, flow.moves) for flow in flows), scale)
    edge = max(map(_room, (*left.values(), *right.values())))
    height = round(max(bar.top + bar.height for side in (left, right) for bar in side.values()) + _LETTER)
    return el(
        "svg",
        *_bands(flows, left, right, scale, (edge, width - edge)),
        *(part for bar in left.values() for part in _drawn(bar, edge - _BAR, edge - _BAR - _APART, "end")),
        *(part for bar in right.values() for part in _drawn(bar, width - edge, width - edge + _BAR + _APART, "start")),
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label="Who moved where; the table below has the figures",
    )


def rank(place: str) -> tuple[int, int, str]:
    """Segments by number, then who is in none.

    >>> sorted(["dormant", "s10", "new", "s2"], key=rank)
    ['s2', 's10', 'new', 'dormant']
    """
    return (ELSEWHERE.index(place) + 1, 0, "") if place in ELSEWHERE else (0, *by_number(place))


def _bars(ends: Iterable[tuple[str, int]], scale: float) -> dict[str, _Bar]:
    moves = Counter[str]()
    for place, n in ends:
        moves[place] += n
    bars, top = dict[str, _Bar](), float(_LETTER)
    for place in sorted(moves, key=rank):
        height = max(_LEAST, moves[place] * scale)
        bars[place] = _Bar(place, moves[place], top, height)
        top += max(height, _LETTER) + _GAP
    return bars


def _bands(
    flows: Sequence[Flow], left: dict[str, _Bar], right: dict[str, _Bar], scale: float, between: tuple[int, int]
) -> Iterable[Element]:
    """Bands leave a bar in the order of where they go, so that few of them cross."""
    used = Counter[tuple[str, str]]()
    begin, end = between
    for flow in sorted(flows, key=lambda flow: (rank(flow.left), rank(flow.entered))):
        thick = flow.moves * scale
        y1 = left[flow.left].top + used["left", flow.left] * scale + thick / 2
        y2 = right[flow.entered].top + used["right", flow.entered] * scale + thick / 2
        used["left", flow.left] += flow.moves
        used["right", flow.entered] += flow.moves
        bend = (end - begin) * 0.45
        path = f"M{begin},{y1:.1f} C{begin + bend:.1f},{y1:.1f} {end - bend:.1f},{y2:.1f} {end},{y2:.1f}"
        words = f"{flow.left} to {flow.entered}: {flow.moves:,}, {flow.why}"
        stroke = f"{max(_LEAST, thick):.1f}"
        yield el("path", el("title", words), d=path, class_=f"band {colour(flow.left)}", stroke_width=stroke)


def _room(bar: _Bar) -> int:
    """For a bar and its label."""
    return _BAR + _APART + _LETTER_WIDTH * len(f"{bar.place} {bar.moves:,}")


def _drawn(bar: _Bar, x: float, words_x: float, anchor: str) -> tuple[Element, Element]:
    middle = bar.top + bar.height / 2 + 4
    box = el("rect", class_=f"bar {colour(bar.place)}", x=x, y=f"{bar.top:.1f}", width=_BAR, height=f"{bar.height:.1f}")
    label = el("tspan", bar.place, class_=f"id {colour(bar.place)}")
    return box, el("text", label, f" {bar.moves:,}", x=words_x, y=f"{middle:.1f}", text_anchor=anchor)
