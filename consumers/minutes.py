"""The minutes: what people said of the segments and what came of it, as lines of the ledger, done or not.

They are written with the macro step that does it, in its transaction: so each of them stands there once, whoever is
owner. What is refused waits for the next step.
"""

from __future__ import annotations

from collections.abc import Iterable

from consumers.said import said_words
from stream.contracts.commands import Command
from stream.contracts.segments import LedgerDetail, LedgerEntry, LedgerKind, Said
from stream.contracts.timestamps import rfc3339
from stream.customer.state import segment_id
from stream.model import ledger
from stream.model.macro_step import MacroStep
from stream.model.told import Heard

_OF_ALL = ("accept", "rollback", "merge")
"""Deeds that bring another grouping."""


def said_messages(step: MacroStep, now_ms: int, wall_ms: int) -> list[LedgerEntry]:
    """One line for each thing that was said since the last macro step."""
    return [_message(heard, step, now_ms, wall_ms) for heard in step.heard]


def _message(heard: Heard, step: MacroStep, now_ms: int, wall_ms: int) -> LedgerEntry:
    command, done = heard.command, not heard.refusal
    said = Said(
        deed=command.deed,
        by=command.by,
        at=command.at,
        done=done,
        outcome=_outcome(command, step.entries) if done else heard.refusal,
        version=command.version,
        into_id=segment_id(command.into) if command.into else None,
        name=command.name,
    )
    id_ = segment_id(command.segment) if command.segment else ""
    speaker, came = said.by or "somebody", said.outcome if done else f"not done: {said.outcome}"
    return LedgerEntry(
        kind=LedgerKind.SAID,
        segment_id=id_,
        name=step.snapshot.names.get(command.segment or 0, ""),
        model_version=step.snapshot.version,
        occurred_at=rfc3339(now_ms),
        decided_at=rfc3339(wall_ms),
        detail=LedgerDetail((), f"{speaker}: {said_words(said.deed, id_, said)}: {came}"),
        said=said,
    )


def _outcome(command: Command, entries: Iterable[ledger.LedgerEntry]) -> str:
    """What came of what was done."""
    if command.deed in _OF_ALL:
        return _structure(entries) or "no segment came or went"
    if command.deed == "rename":
        former = [e.former_name for e in entries if e.kind == "renamed" and e.number == command.segment]
        return f"until then '{former[0]}'" if former else "it is called so already"
    return "kept as they are" if command.deed == "reject" else "done"


def _structure(entries: Iterable[ledger.LedgerEntry]) -> str:
    """Which segments came and went, each once: of who merged or split, that it left or came is said by that."""
    said = dict[int, str]()
    for entry in entries:
        if entry.kind in ("retiring", "born", "split"):
            said.setdefault(entry.number, f"{entry.id} {entry.kind}")
        elif entry.kind == "merged":
            heirs = ", ".join(f"{segment_id(to)} ({n:,} customers)" for to, n in entry.related.items())
            said[entry.number] = f"{entry.id} merged into {heirs}"
    return ", ".join(said.values())
