"""Who moved where, drawn and as a table with causes, and some of them one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from consumers.reporting.facts import Facts
from consumers.reporting.flows import Flow, causes_words
from consumers.reporting.flows_chart import flows_chart
from consumers.reporting.markup import Element, el
from consumers.reporting.parts import Cell, section, segment, table, twice
from consumers.showing.words import cause_words, minute
from stream.contracts.changes import Cause

MOST = 14
"""Flows in the table, the largest; the drawing and the JSON have all."""


def flows(facts: Facts) -> Element:
    """Who moved where."""
    title = "Who moved where"
    if not facts.flows:
        return section("flows", title, "nobody moved")
    moves = sum(flow.moves for flow in facts.flows)
    causes = sum((flow.causes for flow in facts.flows), Counter[Cause]())
    movers = "1 customer" if facts.movers == 1 else f"{facts.movers:,} customers"
    takeaway = f"{moves:,} move{'s' if moves != 1 else ''} of {movers}: {causes_words(causes)}"
    drawn = twice(lambda width: flows_chart(facts.flows, width))
    heads = ("from", "to", "moves", "why", "mostly")
    listed = table("Who moved where", heads, [_flow(flow, facts) for flow in facts.flows[:MOST]], (2,))
    return section("flows", title, takeaway, *drawn, listed, _more(facts.flows[MOST:]), unit="moves")


def examples(facts: Facts) -> Element | None:
    """The newest moves, each with its customer and its strongest reason."""
    if not facts.examples:
        return None
    rows = [_example(said) for said in facts.examples]
    n = len(rows)
    takeaway = "the only one" if n == 1 else f"the newest {n}, newest first"
    listed = table("The newest moves", ("event time", "customer", "from → to", "why"), rows)
    return section("examples", "One by one", takeaway, listed)


def _more(others: Sequence[Flow]) -> Element | None:
    if not others:
        return None
    return el("p", f"and {len(others):,} smaller ones of {others[0].moves:,} or fewer", class_="quiet more")


def _flow(flow: Flow, facts: Facts) -> list[Cell]:
    ends = [segment(place, facts.names.get(place, "")) for place in (flow.left, flow.entered)]
    return [*ends, f"{flow.moves:,}", flow.why, flow.mostly]


def _example(said: Mapping[str, Any]) -> list[Cell]:
    where = el("span", segment(said["from"]), " → ", segment(said["to"]))
    cause = cause_words(Cause(said["cause"]))
    why = f"{cause}: {said['why']}" if said["why"] else cause
    return [minute(said["occurred"]), said["shown"], where, why]
