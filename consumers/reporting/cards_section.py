"""What each segment is: its card, as on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consumers.reporting.facts import Facts
from consumers.reporting.markup import Element, el
from consumers.reporting.parts import colour, percent, section, segment


def cards(facts: Facts) -> Element:
    """One for each segment that there is now."""
    title = "What each segment is"
    if not facts.cards:
        return section("cards", title, "no segments yet")
    takeaway = "as they are now, beside the average of all customers"
    return section("cards", title, takeaway, el("div", *map(_card, facts.cards), class_="cards"))


def _card(card: Mapping[str, Any]) -> Element:
    how_many = f"{card['customers']:,} customers, {percent(card['share'])}"
    group = f" · group {card['group']}" if card["group"] else ""
    retiring = " · retiring: nobody enters any more" if card["retiring"] else ""
    apart = [el("li", line) for line in card["apart"]]
    return el(
        "article",
        el("h3", segment(card["id"], card["name"])),
        el("p", f"{how_many}{group}{retiring}", class_="quiet"),
        el("ul", *apart) if apart else el("p", "close to the average"),
        _labelled("rule of thumb", card["rule"]),
        _labelled("value", card["value"]),
        class_=f"card {colour(card['id'])}",
    )


def _labelled(label: str, said: str) -> Element | None:
    return el("p", el("span", f"{label}: ", class_="quiet"), said) if said else None
