"""Segments that do not differ in outcome, beside each other, and what would come of making them one."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumers.showing import styles
from consumers.showing.words import number
from consumers.standing import Pair
from stream.customer.state import segment_id
from stream.model.likeness import Outcome
from stream.model.merging import Merger

_FIGURES = {
    "orders": "orders in 30 days",
    "spend": "spend in 30 days",
    "order_value": "an order",
    "conversion": "orders a view",
    "clv": "lifetime value",
}


def alike_page(pair: Pair, names: Mapping[int, str]) -> RenderableType:
    """One pair: the figures, and the command if they can be one."""
    merger = pair.merger
    one, into = segment_id(merger.number), segment_id(merger.into)
    head = Text(f"{one} and {into} do not differ in outcome", "bold")
    if merger.refusal:
        return Group(Text(), head, _figures(pair, names), styles.quiet(merger.refusal))
    how = styles.quiet(f"segstream segments merge {one} {into}: {merger_words(merger)}")
    return Group(Text(), head, _figures(pair, names), how)


def merger_words(merger: Merger) -> str:
    """What would come of it, as far as the model's cells foretell.

    >>> merger_words(Merger(2, 5, None, {2: {5: 40, 3: 2}, 5: {5: 60}, 1: {1: 9, 5: 1}}))
    '40 customers move to s5, 2 of the two to other segments, and 1 of others'
    >>> merger_words(Merger(2, 5, None, {2: {5: 40}, 5: {5: 60}}))
    '40 customers move to s5, and nobody else'
    """
    said = [f"{merger.joining:,} customers move to {segment_id(merger.into)}"]
    if merger.elsewhere:
        said.append(f"{merger.elsewhere:,} of the two to other segments")
    said.append(f"and {merger.others:,} of others" if merger.others else "and nobody else")
    return ", ".join(said)


def _figures(pair: Pair, names: Mapping[int, str]) -> Table:
    """The two, and how far apart they are."""
    known = [name for name in _FIGURES if any(getattr(o.value, name) is not None for o in pair.outcomes)]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("segment")
    for title in ("active", "keeps a month", *(_FIGURES[name] for name in known)):
        table.add_column(title, justify="right")
    for segment, outcome in zip((pair.merger.number, pair.merger.into), pair.outcomes, strict=True):
        name = styles.segment(segment_id(segment), names.get(segment, ""))
        table.add_row(name, f"{outcome.holding.active:,}", _kept(outcome), *(_figure(outcome, n) for n in known))
    apart = f"{100 * pair.likeness.retention:.1f} ± {100 * pair.likeness.retention_error:.1f} points"
    ratios = (f"{pair.likeness.ratios[n]:.2f}x" if n in pair.likeness.ratios else "" for n in known)
    table.add_row(styles.quiet("apart"), "", styles.quiet(apart), *map(styles.quiet, ratios))
    return table


def _kept(outcome: Outcome) -> str:
    return "-" if outcome.value.retention is None else f"{100 * outcome.value.retention:.1f} %"


def _figure(outcome: Outcome, name: str) -> str:
    value = getattr(outcome.value, name)
    return "-" if value is None else number(value)
