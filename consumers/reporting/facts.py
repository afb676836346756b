"""The facts of a report: everything that it says, as data, before it is HTML or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.reporting.drifts import Episode, episodes_of
from consumers.reporting.flows import Flow, flows_of
from consumers.reporting.headline import headline
from consumers.reporting.histories import Line, lines_of, names_at
from consumers.reporting.material import Material
from consumers.reporting.notes import notes_of
from consumers.reporting.period import Period
from consumers.reporting.sizes import Size, counts_at, sizes_of, times_of
from consumers.watching.cards import cards
from consumers.watching.feed import line
from consumers.watching.places import ELSEWHERE, move
from stream.contracts.timestamps import ms_of, rfc3339

EXAMPLES = 12
"""Moves that are shown one by one, with the customer: the newest."""


@dataclass(frozen=True)
class Facts:
    """Everything in the order in which it is told."""

    period: Period
    headline: str
    notes: Sequence[str]
    """What a reader must know to read the rest rightly."""
    names: Mapping[str, str]
    """Of the segments at the end of the period, by id."""
    sizes: Sequence[Size]
    elsewhere: Mapping[str, tuple[int, int]]
    """Before and after: dormant, or too new to place."""
    times: Sequence[int]
    counts: Sequence[Mapping[str, int]]
    """By place, at each of the ``times``."""
    flows: Sequence[Flow]
    movers: int
    """Customers who moved at least once."""
    lines: Sequence[Line]
    episodes: Sequence[Episode]
    examples: Sequence[Mapping[str, Any]]
    cards: Sequence[Mapping[str, Any]]
    """As the segments are now, not at the end of the period."""

    def to_json(self) -> dict[str, Any]:
        """As ``segstream report --json`` prints it."""
        return {
            "period": self.period.to_json(),
            "headline": self.headline,
            "notes": list(self.notes),
            "segments": [size.to_json() for size in self.sizes],
            "elsewhere": {place: {"before": b, "after": a} for place, (b, a) in self.elsewhere.items()},
            "over_time": [
                {"at": rfc3339(at), "customers": dict(counts)}
                for at, counts in zip(self.times, self.counts, strict=True)
            ],
            "customers_moved": self.movers,
            "flows": [flow.to_json() for flow in self.flows],
            "ledger": [told.to_json() for told in self.lines],
            "drift": [episode.to_json() for episode in self.episodes],
            "moves": [dict(example) for example in self.examples],
            "cards": [dict(card) for card in self.cards],
        }


def facts_of(material: Material, period: Period, warmup_customers: int) -> Facts:
    """What there is to say of the period."""
    within = [c for c in material.changes if period.begin_ms <= ms_of(c.occurred_at) < period.end_ms]
    moved = [change for change in within if len(set(move(change))) > 1]
    times = times_of(period, material.newest_ms)
    counts = counts_at(material.counts, material.changes, times)
    before, after = counts[0], counts[-1]
    held = {place for each in counts for place in each if place not in ELSEWHERE}
    names = names_at(material, held, period)
    flows, episodes = flows_of(within), episodes_of(material.ledger, period)
    return Facts(
        period=period,
        headline=headline(after, names, flows, episodes, warmup_customers),
        notes=notes_of(material, period),
        names=names,
        sizes=sizes_of(before, after, names),
        elsewhere={p: (before[p], after[p]) for p in ELSEWHERE if before[p] or after[p]},
        times=times,
        counts=counts,
        flows=flows,
        movers=len({change.customer_id for change in moved}),
        lines=lines_of(material.ledger, period),
        episodes=episodes,
        examples=[line(change) for change in reversed(moved[-EXAMPLES:])],
        cards=cards(material.profiles, material.counts),
    )
