"""A segment change as people read it: when, who, from where to where, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from consumers.printable import safe
from consumers.showing import styles
from consumers.showing.words import amount, minute, quantity
from stream.contracts.changes import Assignment, Because, Counterfactual, Override, SegmentChange, Status

_TIME_WIDTH = len("2017-06-03 18:12")
_CUSTOMER_WIDTH = 14
_GAP = "  "
ROOMY = 90
"""Columns from which on when and who fit beside what happened."""
_SILENCE = "silence"
"""The reason of who turned dormant: usual gap before, silence after."""


def changes_table(changes: Iterable[SegmentChange], *, customers: bool = True) -> RenderableType:
    """When, who, from where to where, and why, in the given order. Columns are fixed, so tables line up.

    Without ``customers`` their ids are left out. Times are event time, UTC.
    """
    return _Changes(tuple(changes), customers)


@dataclass(frozen=True)
class _Changes:
    """Two lines a change; where there is little room when and who have one of their own."""

    changes: tuple[SegmentChange, ...]
    customers: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width >= ROOMY:
            yield self._wide()
        else:
            yield from map(self._narrow, self.changes)

    def _wide(self) -> Table:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(width=_TIME_WIDTH, no_wrap=True)
        if self.customers:
            table.add_column(width=_CUSTOMER_WIDTH, overflow="fold")
        table.add_column(ratio=1, overflow="fold")
        for change in self.changes:
            said = Text("\n").join((_transition(change), _why(change)))
            table.add_row(styles.quiet(minute(change.occurred_at)), *self._who(change), said)
        return table

    def _narrow(self, change: SegmentChange) -> RenderableType:
        head = Text(_GAP).join((styles.quiet(minute(change.occurred_at)), *self._who(change)))
        head.overflow = "fold"
        said = Text("\n").join((_transition(change), _why(change)))
        said.overflow = "fold"
        return Group(head, Padding(said, (0, 0, 0, len(_GAP))))

    def _who(self, change: SegmentChange) -> list[Text]:
        return [Text(safe(change.customer_id), "bold")] if self.customers else []


def reason_words(reason: Because) -> str:
    """One reason in words.

    >>> reason_words(Because("orders", 2.1, 5.3, "orders per 30 days", 0.6))
    'orders 2.1 -> 5.3 per 30 days'
    >>> reason_words(Because("silence", 7.2, 31.0, "days", 1.0))
    'silent for 31.0 days, usually 7.2'
    """
    if reason.feature == _SILENCE:
        now, usual = amount(reason.after, reason.unit), amount(reason.before, reason.unit)
        return f"silent for {now} days, usually {usual}"
    return quantity(reason.feature, reason.unit, reason.before, reason.after)


def counterfactual_words(otherwise: Counterfactual, before: Assignment | None) -> str:
    """What would have kept the old segment.

    >>> counterfactual_words(Counterfactual("orders", 3.9, "orders per 30 days", 5.3), None)
    'would have stayed with orders 3.9 per 30 days instead of 5.3'
    """
    stayed = f"stayed in {safe(before.id)}" if before and before.id else "stayed"
    had = quantity(otherwise.feature, otherwise.unit, otherwise.value)
    return f"would have {stayed} with {had} instead of {amount(otherwise.now, otherwise.unit)}"


def speaker_words(by: str | None, reason: str | None) -> str:
    """Who said something and why, as far as that is known.

    >>> speaker_words("anna", "moves house"), speaker_words(None, "moves house"), speaker_words("anna", None)
    ('by anna: moves house', 'moves house', 'by anna')
    """
    return ": ".join(safe(part) for part in (by and f"by {by}", reason) if part)


def _override(said: Override) -> Text:
    until = f" until {minute(said.until)}" if said.until else ""
    return Text(speaker_words(said.by, said.reason)).append_text(styles.quiet(until))


def _transition(change: SegmentChange) -> Text:
    before, after = change.previous, change.current
    if after is None:
        return _place(before, strong=False).append(" -> ").append("closed")
    if before is None:
        return Text("new customer") if not after.id else Text("new -> ").append_text(_place(after))
    if before.id == after.id:
        return _place(after)
    return _place(before, strong=False).append(" -> ").append_text(_place(after))


def _place(at: Assignment | None, *, strong: bool = True) -> Text:
    if at is None or not at.id:
        return styles.quiet("no segment yet")
    return styles.segment(at.id, at.name, strong=strong)


def _why(change: SegmentChange) -> Text:
    """Status, cause, strongest reason, margin: what there is of them. Who was ready and is so needs no word."""
    parts = [_status(change), Text(change.cause.value, "italic")]
    if change.override is not None:
        parts.append(_override(change.override))
    parts += [Text(reason_words(reason)) for reason in change.reasons[:1]]
    if change.provisional:
        parts.append(styles.quiet(f"nearest so far {change.provisional}"))
    if change.margin is not None:
        parts.append(styles.quiet(f"margin {change.margin:.2f}"))
    return Text(_GAP).join(part for part in parts if part)


def _status(change: SegmentChange) -> Text:
    before = change.previous.status.value if change.previous else ""
    after = change.current.status.value if change.current else ""
    if before == after == Status.READY.value:
        return Text()
    if not before or not after or before == after:
        return styles.word(after)
    return styles.word(before).append(" -> ").append_text(styles.word(after))
