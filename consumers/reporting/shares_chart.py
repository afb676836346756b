"""The shares over the period, drawn: one line a segment, told apart by colour, dashes and the id at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from consumers.reporting.markup import Element, el
from consumers.reporting.parts import colour, number_of
from consumers.showing.words import minute
from stream.customer.features import DAY_MS

HEIGHT = 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 34, 8, 24
_APART = 13
"""Between two labels, so that neither covers the other."""
_DASHES = (None, "8 4", "2 3", "10 3 2 3")
_LETTERS_WIDTH = 46
"""Of a time at the axis."""


@dataclass(frozen=True)
class Lines:
    """Shares by segment at each of ``times``."""

    times: Sequence[int]
    shares: Mapping[str, Sequence[float]]


def shares_chart(lines: Lines, width: int) -> Element:
    """An SVG of ``width``. Shares start at 0, so that heights compare."""
    most = ceil(max([0.1, *(share for line in lines.shares.values() for share in line)]) * 10) / 10
    frame = _Frame(width, lines.times[0], lines.times[-1], most)
    drawn = [_line(id_, line, lines.times, frame) for id_, line in lines.shares.items()]
    return el(
        "svg",
        *_axes(frame),
        *drawn,
        *_ends(lines, frame),
        viewBox=f"0 0 {width} {HEIGHT}",
        role="img",
        aria_label="Shares of the segments over time; the table above has the figures",
    )


@dataclass(frozen=True)
class _Frame:
    width: int
    begin_ms: int
    end_ms: int
    most: float

    def x(self, at_ms: int) -> float:
        part = (at_ms - self.begin_ms) / max(1, self.end_ms - self.begin_ms)
        return round(_LEFT + part * (self.width - _LEFT - _RIGHT), 1)

    def y(self, share: float) -> float:
        return round(HEIGHT - _BOTTOM - share / self.most * (HEIGHT - _BOTTOM - _TOP), 1)


def _line(id_: str, shares: Sequence[float], times: Sequence[int], frame: _Frame) -> Element:
    points = " ".join(f"{frame.x(at)},{frame.y(share)}" for at, share in zip(times, shares, strict=True))
    number = number_of(id_)
    dash = None if number is None else _DASHES[number % len(_DASHES)]
    return el("polyline", points=points, class_=f"share-line {colour(id_)}", stroke_dasharray=dash)


def _axes(frame: _Frame) -> list[Element]:
    drawn = []
    step = 0.1 if frame.most <= 0.5 else 0.2
    for tick in range(round(frame.most / step) + 1):
        y = frame.y(tick * step)
        drawn.append(el("line", class_="axis", x1=_LEFT, x2=frame.width - _RIGHT, y1=y, y2=y))
        drawn.append(el("text", f"{100 * tick * step:.0f} %", class_="words", x=_LEFT - 6, y=y + 4, text_anchor="end"))
    return [*drawn, *_times(frame)]


def _times(frame: _Frame) -> list[Element]:
    """As many as have room: hours of a day, days of more."""
    span = frame.end_ms - frame.begin_ms
    room = max(1, min(6, (frame.width - _LEFT - _RIGHT) // (2 * _LETTERS_WIDTH)))
    words = []
    for number in range(room + 1):
        at = frame.begin_ms + span * number // room
        said = minute(at)
        text = said[11:] if span <= DAY_MS else said[5:10]
        if number == room and text == "00:00":
            text = "24:00"
        anchor = "start" if number == 0 else "end" if number == room else "middle"
        words.append(el("text", text, class_="words", x=frame.x(at), y=HEIGHT - 6, text_anchor=anchor))
    return words


def _ends(lines: Lines, frame: _Frame) -> list[Element]:
    """The id at the end of each line."""
    ends = sorted((frame.y(shares[-1]), id_) for id_, shares in lines.shares.items())
    places = _pushed_apart([y for y, _ in ends], HEIGHT - _BOTTOM)
    x = frame.width - _RIGHT + 6
    return [
        el("text", id_, class_=f"end {colour(id_)}", x=x, y=round(y + 4, 1))
        for y, (_, id_) in zip(places, ends, strict=True)
    ]


def _pushed_apart(heights: Sequence[float], lowest: float) -> list[float]:
    """Ascending heights, at least ``_APART`` of each other: downwards, and up again where that is too low.

    >>> _pushed_apart([10.0, 11.0, 90.0, 95.0], 100.0)
    [10.0, 23.0, 87.0, 100.0]
    """
    places = list[float]()
    for height in heights:
        places.append(max(height, places[-1] + _APART) if places else height)
    for number in reversed(range(len(places))):
        places[number] = min(places[number], lowest)
        lowest = places[number] - _APART
    return places
