"""A segment change as people read it: when, who, from where to where, and why."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from consumers.printable import safe
from consumers.showing import styles
from consumers.showing.words import amount, minute, quantity
from stream.contracts.changes import Assignment, Because, Counterfactual, Override, SegmentChange

_TIME_WIDTH = len("2017-06-03 18:12")
_CUSTOMER_WIDTH = 14
_GAP = "  "
_SILENCE = "silence"
"""The reason of who turned dormant: usual gap before, silence after."""


def changes_table(changes: Iterable[SegmentChange], *, customers: bool = True) -> Table:
    """Two lines a change, in the given order: the transition, and why. Columns are fixed, so tables line up.

    Without ``customers`` the column of their ids is left out. Times are event time, UTC.
    """
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(width=_TIME_WIDTH, no_wrap=True)
    if customers:
        table.add_column(width=_CUSTOMER_WIDTH, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    for change in changes:
        who = [Text(safe(change.customer_id), "bold")] if customers else []
        table.add_row(styles.quiet(minute(change.occurred_at)), *who, Text("\n").join(_lines(change)))
    return table


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


def _lines(change: SegmentChange) -> tuple[Text, Text]:
    return _transition(change), _why(change)


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
    """Status, cause, strongest reason, margin: what there is of them."""
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
    if not before or not after or before == after:
        return styles.word(after)
    return styles.word(before).append(" -> ").append_text(styles.word(after))
