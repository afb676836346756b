"""What the ledger tells: drifts, and what befell the segments."""

from __future__ import annotations

from consumers.reporting.drifts import Episode
from consumers.reporting.facts import Facts
from consumers.reporting.histories import Line
from consumers.reporting.markup import Element, el
from consumers.reporting.parts import section, segment
from consumers.showing.words import minute

_STATES = {"began": "ill", "ended": "well", "active": "careful"}
_LOUD = {"born": "drift", "split": "drift", "merged": "careful", "retiring": "careful", "retired": "careful"}
"""As on the page."""


def drift(facts: Facts) -> Element:
    """Episodes, each with a word for its state."""
    if not facts.episodes:
        return section("drift", "Drift", "nothing drifts")
    states = [episode.state for episode in facts.episodes]
    takeaway = ", ".join(f"{states.count(s)} {s}" for s in _STATES if s in states)
    return section("drift", "Drift", takeaway, el("ul", *map(_episode, facts.episodes), class_="lines"))


def history(facts: Facts) -> Element:
    """The ledger's lines."""
    title, n = "What befell the segments", len(facts.lines)
    if not n:
        return section("history", title, "nothing: none came, went, moved far or has another name")
    takeaway = f"{n:,} line{'s' if n != 1 else ''} of the ledger"
    return section("history", title, takeaway, el("ol", *map(_line, facts.lines), class_="lines"))


def _episode(episode: Episode) -> Element:
    return el(
        "li",
        el("time", minute(episode.told_at), datetime=episode.told_at),
        el("span", el("span", episode.state, class_=f"tag {_STATES[episode.state]}")),
        el("span", el("b", episode.what), f": {episode.words}"),
    )


def _line(line: Line) -> Element:
    tag = el("span", line.kind, class_=f"tag {_LOUD.get(line.kind, '')}".strip())
    named = segment(line.segment, line.name) if line.segment and line.kind != "said" else None
    return el("li", el("time", minute(line.at), datetime=line.at), el("span", tag), el("span", named, f" {line.words}"))
