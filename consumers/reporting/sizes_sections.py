"""How many customers are in each segment, as a table and as lines over the period."""

from __future__ import annotations

from consumers.reporting.facts import Facts
from consumers.reporting.markup import Element, el
from consumers.reporting.parts import Cell, colour, percent, section, segment, signed, table, twice
from consumers.reporting.shares_chart import Lines, shares_chart
from consumers.reporting.sizes import Size, awake
from consumers.showing.words import minute
from consumers.watching.places import CLOSED

_LEAST_POINTS = 0.05
"""A smaller change is 0.0 on paper."""


def sizes(facts: Facts) -> Element:
    """How many customers are where, and how many more or fewer than at the beginning."""
    if not facts.sizes:
        return section("sizes", "Segments", "no segments yet")
    most = max(facts.sizes, key=lambda size: abs(size.points))
    takeaway = f"the share of {most.id} changed most: {signed(most.points, 1)} points"
    if abs(most.points) < _LEAST_POINTS:
        takeaway = "no share changed"
    largest = max([0.001, *(size.share_after for size in facts.sizes)])
    rows = [_size(size, largest) for size in facts.sizes]
    besides: list[list[Cell]] = [
        [segment(place), f"{before:,}", f"{after:,}", signed(after - before), "", "", ""]
        for place, (before, after) in facts.elsewhere.items()
        if place != CLOSED
    ]
    heads = ("segment", "before", "after", "change", "share", el("span", "as a bar", class_="unseen"), "± points")
    listed = table("Customers by segment, before and after", heads, [*rows, *besides], (1, 2, 3, 4, 6))
    return section("sizes", "Segments", takeaway, listed, unit="active customers")


def _size(size: Size, largest: float) -> list[Cell]:
    bar = el("rect", class_=colour(size.id), width=f"{100 * size.share_after / largest:.1f}", height=8)
    drawn = el("svg", bar, class_="share-bar", viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true")
    change, points = signed(size.after - size.before), signed(size.points, 1)
    named = segment(size.id, size.name)
    return [named, f"{size.before:,}", f"{size.after:,}", change, percent(size.share_after), drawn, points]


def over_time(facts: Facts) -> Element:
    """The lines."""
    title = "Shares over time"
    if not facts.sizes or len(facts.times) < 2:
        return section("over-time", title, "the lines begin with the first segments")
    everybody = [max(1, awake(counts)) for counts in facts.counts]
    shares = {
        size.id: [counts.get(size.id, 0) / n for counts, n in zip(facts.counts, everybody, strict=True)]
        for size in facts.sizes
    }
    lines = Lines(facts.times, shares)
    takeaway = f"{minute(facts.times[0])} to {minute(facts.times[-1])} UTC"
    drawn = twice(lambda width: shares_chart(lines, width))
    return section("over-time", title, takeaway, *drawn, unit="% of active customers")
