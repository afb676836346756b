"""The ledger: the history of segments, in entries that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from stream.customer.holdings import NOBODY, Holding
from stream.customer.state import segment_id
from stream.model.grouping import Regrouping

LedgerKind = Literal["born", "shifted", "split", "merged", "renamed", "retiring", "retired"]
MOST = 0.5
"""From which share of a group's customers on one says that it came from, or went into, another."""
SHIFTED_RADII = 0.5
"""How far a segment moves from where it was last stated to be before that is said again."""


@dataclass(frozen=True)
class LedgerEntry:
    """Something that happened to one segment in one macro step.

    ``related`` holds customers by segment number: for ``born`` whose customers they were, for ``retiring``
    and ``merged`` whose they are now, for ``split`` what stayed and what left.
    """

    kind: LedgerKind
    number: int
    name: str
    at_ms: int
    """Event time."""
    model_version: int
    customers: int
    related: dict[int, int] = field(default_factory=dict)
    former_name: str | None = None
    """For ``renamed``."""
    radii: float | None = None
    """For ``shifted``: distance from the last stated place, in the segment's radii."""
    why: str = ""
    """The plain reason, where it is not the customers: a person, or another number of segments."""
    holding: Holding = NOBODY
    """Sums over the customers who hold it."""

    @property
    def id(self) -> str:
        """The public id of the segment."""
        return segment_id(self.number)


@dataclass(frozen=True)
class Ledger:
    """Writes the entries of one macro step."""

    at_ms: int
    model_version: int
    names: dict[int, str]
    customers: dict[int, int]
    """Customers by segment number, the retiring included as 0."""
    holdings: Mapping[int, Holding] = field(default_factory=dict)
    """Sums over the holders by segment number."""

    def entry(
        self,
        kind: LedgerKind,
        number: int,
        *,
        related: dict[int, int] | None = None,
        former_name: str | None = None,
        radii: float | None = None,
    ) -> LedgerEntry:
        """One entry."""
        return LedgerEntry(
            kind=kind,
            number=number,
            name=self.names[number],
            at_ms=self.at_ms,
            model_version=self.model_version,
            customers=self.customers.get(number, 0),
            related=related or {},
            former_name=former_name,
            radii=radii,
            holding=self.holdings.get(number, NOBODY),
        )

    def structure(self, regrouping: Regrouping) -> list[LedgerEntry]:
        """Who left (and into whom), and who came (and out of whom)."""
        flows, entries = regrouping.flows, list[LedgerEntry]()
        for old in regrouping.gone:
            into = flows[old]
            entries.append(self.entry("retiring", old, related=into))
            heir = max(into, key=lambda new: into[new], default=None)
            if heir in regrouping.before and into[heir] >= MOST * sum(into.values()):
                entries.append(self.entry("merged", old, related={heir: into[heir]}))
        for new in regrouping.born:
            sources = {old: row[new] for old, row in flows.items() if new in row}
            entries.append(self.entry("born", new, related=sources))
            parent = max(sources, key=lambda old: sources[old], default=None)
            if parent in regrouping.grouping.numbers and sources[parent] >= MOST * self.customers[new]:
                parts = {parent: flows[parent].get(parent, 0), new: sources[parent]}
                entries.append(self.entry("split", parent, related=parts))
        return entries

    def shifted(self, radii: dict[int, float]) -> list[LedgerEntry]:
        """Who moved how far."""
        return [self.entry("shifted", number, radii=far) for number, far in radii.items()]

    def renamed(self, before: dict[int, str]) -> list[LedgerEntry]:
        """Who has another name than before."""
        return [
            self.entry("renamed", number, former_name=before[number])
            for number, name in self.names.items()
            if before.get(number, name) != name
        ]

    def retired(self, numbers: list[int]) -> list[LedgerEntry]:
        """Who has left for good."""
        return [self.entry("retired", number) for number in numbers]
