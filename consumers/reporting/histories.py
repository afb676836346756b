"""What befell the segments in a period, from the ledger in plain words, and what each was called at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from consumers.reporting.material import Material
from consumers.reporting.period import Period
from consumers.said import said_words
from consumers.showing.changes import speaker_words
from consumers.showing.segments import by_number
from stream.contracts.segments import Flow, LedgerEntry, LedgerKind
from stream.contracts.timestamps import rfc3339

_VERBS = {
    LedgerKind.BORN: "was born",
    LedgerKind.SHIFTED: "moved",
    LedgerKind.SPLIT: "was split",
    LedgerKind.MERGED: "was merged",
    LedgerKind.RENAMED: "has a new name",
    LedgerKind.RETIRING: "is retiring: nobody enters any more",
    LedgerKind.RETIRED: "is gone: nobody holds it any more",
}


@dataclass(frozen=True)
class Line:
    """One line of history."""

    at: str
    """Event time."""
    kind: str
    segment: str
    """Empty where it was said of all of them."""
    name: str
    words: str

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "at": self.at,
            "kind": self.kind,
            "segment": self.segment,
            "name": self.name,
            "text": self.words,
        }


def lines_of(ledger: Iterable[LedgerEntry], period: Period) -> list[Line]:
    """Oldest first. Drifts are told elsewhere."""
    begin, end = rfc3339(period.begin_ms), rfc3339(period.end_ms)
    return [
        Line(entry.occurred_at, entry.kind.value, entry.segment_id, entry.name, _words(entry))
        for entry in ledger
        if entry.kind is not LedgerKind.DRIFT and begin <= entry.occurred_at < end
    ]


def names_at(material: Material, held: Iterable[str], period: Period) -> dict[str, str]:
    """Id and name of the segments that there were in the period, by number: those somebody ``held``, and those that
    were born before its end and were not gone before its beginning. The ledger has the names of then; what it does
    not know, changes may.
    """
    end = rfc3339(period.end_ms)
    past = [entry for entry in material.ledger if entry.segment_id and entry.occurred_at < end]
    unborn = {e.segment_id for e in material.ledger if e.kind is LedgerKind.BORN} - {e.segment_id for e in past}
    there = {*held, *(e.segment_id for e in past), *material.profiles.keys() - unborn} - _gone(past, period)
    names = {id_: str(profile["name"]) for id_, profile in material.profiles.items()}
    for change in material.changes:
        names |= {at.id: at.name for at in (change.previous, change.current) if at and change.occurred_at < end}
    names |= {entry.segment_id: entry.name for entry in past if entry.name}
    return {id_: names.get(id_, "") for id_ in sorted(there, key=by_number)}


def _gone(past: Iterable[LedgerEntry], period: Period) -> set[str]:
    """Before the beginning, unless a rollback brought them back."""
    begin, gone = rfc3339(period.begin_ms), set[str]()
    for entry in past:
        if entry.kind is LedgerKind.RETIRED and entry.occurred_at < begin:
            gone.add(entry.segment_id)
        elif entry.kind is LedgerKind.BORN:
            gone.discard(entry.segment_id)
    return gone


def _words(entry: LedgerEntry) -> str:
    said = entry.said
    if said is not None:
        came = said.outcome if said.done else f"not done: {said.outcome}"
        told = f"{said_words(said.deed, entry.segment_id, said)} {speaker_words(said.by or 'somebody', None)}"
        return f"{told}: {came}"
    return ": ".join(part for part in (_VERBS[entry.kind], _rest(entry)) if part)


def _rest(entry: LedgerEntry) -> str:
    """The text of the entry behind what is said already, with words for where customers came from or went."""
    rest = entry.detail.text.removeprefix(f"{entry.segment_id} '{entry.name}' {entry.kind}, ")
    masses = ", ".join(f"{flow.mass:.0f} with {_other(entry, flow)}" for flow in entry.detail.flows)
    way = "from" if entry.kind is LedgerKind.BORN else "now in"
    better = ", ".join(f"{flow.mass:,.0f} {way} {_other(entry, flow)}" for flow in entry.detail.flows)
    return rest.replace(f"({masses})", f"({better})")


def _other(entry: LedgerEntry, flow: Flow) -> str | None:
    return flow.from_id if entry.kind is LedgerKind.BORN else flow.to_id
