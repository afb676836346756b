"""The report as one HTML file: no script, no request, to be read, printed or mailed."""

from __future__ import annotations

from pathlib import Path

import consumers.page
from consumers.reporting import cards_section, flows_section, sizes_sections, told_sections
from consumers.reporting.facts import Facts
from consumers.reporting.markup import Element, el, style

_PAGE, _OURS = (Path(folder).parent / "static" for folder in (consumers.page.__file__, __file__))
SHEETS = (_PAGE / "theme.css", _PAGE / "parts.css", _OURS / "report.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Even a bug could not fetch anything."""


_SECTIONS = (
    sizes_sections.sizes,
    sizes_sections.over_time,
    flows_section.flows,
    told_sections.drift,
    told_sections.history,
    cards_section.cards,
    flows_section.examples,
)
"""In the order in which people ask."""


def document(facts: Facts, written: str) -> str:
    """All of it. ``written``: wall-clock time in words."""
    html = el(
        "html",
        _head(facts),
        el("body", _header(facts), el("main", *(section(facts) for section in _SECTIONS)), _footer(written)),
        lang="en",
    )
    return f"<!doctype html>\n{html}\n"


def _head(facts: Facts) -> Element:
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"segstream report: {facts.period.title}"),
        *(style(sheet.read_text(encoding="utf-8")) for sheet in SHEETS),
    )


def _header(facts: Facts) -> Element:
    return el(
        "header",
        el("h1", f"Customer segments: {facts.period.title}"),
        el("p", facts.headline, id="sentence"),
        *(el("p", note, class_="note") for note in facts.notes),
    )


def _footer(written: str) -> Element:
    return el("footer", el("p", f"Times are event time, UTC. Written by segstream on {written} UTC."))
