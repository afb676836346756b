"""What all sections are made of: segments in their colour, counts, shares, tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from consumers.reporting.markup import Element, el
from consumers.watching.places import ELSEWHERE

COLOURS = 8
"""As the page has them: ``--seg0`` to ``--seg7``."""
WIDE, NARROW = 1000, 320
Cell = Element | str


def colour(id_: str) -> str:
    """The class that gives a segment its colour, the same as on the page.

    >>> colour("s10"), colour("dormant")
    ('seg2', 'other')
    """
    number = number_of(id_)
    return "other" if number is None else f"seg{number % COLOURS}"


def number_of(id_: str) -> int | None:
    """Of a segment; ``None``: it is a place outside of all segments.

    >>> number_of("s10"), number_of("dormant")
    (10, None)
    """
    digits = id_.removeprefix("s")
    return int(digits) if digits.isdecimal() and digits != id_ else None


def segment(id_: str, name: str = "") -> Element:
    """Id in its colour, name beside it; or one of the places outside of all segments."""
    if id_ in ELSEWHERE:
        return el("span", id_, class_="segment other")
    return el("span", el("b", id_), f" {name}" if name else "", class_=f"segment {colour(id_)}")


def percent(share: float) -> str:
    """A share.

    >>> percent(0.144)
    '14.4 %'
    """
    return f"{100 * share:.1f} %"


def signed(value: float, digits: int = 0) -> str:
    """With its sign, also where that is a plus; 0 has none.

    >>> signed(3), signed(-1204), signed(0.04, 1)
    ('+3', '−1,204', '0.0')
    """
    size = f"{abs(value):,.{digits}f}"
    if not float(size.replace(",", "")):
        return size
    return f"{'+' if value > 0 else '−'}{size}"


def section(id_: str, title: str, takeaway: str, *children: Cell | None, unit: str = "") -> Element:
    """A section with its heading and what to take away from it."""
    heading = el("h2", title, el("span", f" {unit}", class_="unit") if unit else None, id=f"{id_}-title")
    return el(
        "section", heading, el("p", takeaway, class_="takeaway"), *children, id=id_, aria_labelledby=f"{id_}-title"
    )


def table(caption: str, heads: Sequence[Cell], rows: Iterable[Sequence[Cell]], numbers: Sequence[int] = ()) -> Element:
    """The first cell of each row is its heading; ``numbers`` are the columns set to the right."""

    def classes(column: int) -> str | None:
        return "number" if column in numbers else None

    head = el("tr", *(el("th", text, scope="col", class_=classes(i)) for i, text in enumerate(heads)))
    body = (
        el("tr", el("th", row[0], scope="row"), *(el("td", c, class_=classes(i + 1)) for i, c in enumerate(row[1:])))
        for row in rows
    )
    return el("table", el("caption", caption, class_="unseen"), el("thead", head), el("tbody", *body))


def twice(draw: Callable[[int], Element]) -> list[Element]:
    """A drawing for a wide and for a narrow place, of which the style sheet shows one: so its text keeps its size."""
    return [el("div", draw(width), class_=f"chart {name}") for name, width in (("wide", WIDE), ("narrow", NARROW))]
