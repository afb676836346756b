"""The change feed, and the ledger, as lines that people read."""

from __future__ import annotations

import json
from typing import Any

from consumers.printable import safe
from consumers.showing.changes import counterfactual_words, reason_words, speaker_words
from consumers.watching.places import move
from stream.contracts.changes import Assignment, SegmentChange
from stream.contracts.timestamps import ms_of

_LONGEST_ID = 60
"""Characters of a customer id that are shown; the whole of it is behind the link."""
_LONGEST_TEXT = 400


def line(change: SegmentChange) -> dict[str, Any]:
    """One change."""
    left, entered = move(change)
    return {
        "customer": change.customer_id,
        "shown": shortened(safe(change.customer_id)),
        "version": change.version,
        "occurred": ms_of(change.occurred_at),
        "decided": ms_of(change.decided_at),
        "from": left,
        "to": entered,
        "from_name": _name(change.previous),
        "to_name": _name(change.current),
        "cause": change.cause.value,
        "why": why(change),
    }


def why(change: SegmentChange) -> str:
    """The strongest reason, or who said so."""
    if change.override is not None:
        return speaker_words(change.override.by, change.override.reason)
    return reason_words(change.reasons[0]) if change.reasons else ""


def told_in_full(change: SegmentChange) -> dict[str, Any]:
    """One change with every reason, and what would have kept the old segment."""
    otherwise = change.counterfactual
    return line(change) | {
        "status": change.current.status.value if change.current else "closed",
        "margin": change.margin,
        "reasons": [[round(reason.contribution, 3), reason_words(reason)] for reason in change.reasons],
        "kept": counterfactual_words(otherwise, change.previous) if otherwise else "",
    }


def entry(value: bytes) -> dict[str, Any] | None:
    """A ledger entry of whatever kind, also of kinds that are younger than this page; ``None``: not an entry.

    ``turn``: whether a drift ``begins`` or ``ends``.
    """
    try:
        said = json.loads(value)
        detail = said.get("detail") or {}
        return {
            "kind": str(said["kind"]),
            "segment": str(said.get("segment_id") or ""),
            "name": str(said.get("name") or ""),
            "text": str(detail.get("text") or "")[:_LONGEST_TEXT],
            "turn": str((detail.get("drift") or {}).get("what") or ""),
            "occurred": _ms(said.get("occurred_at")),
            "decided": _ms(said.get("decided_at")),
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def shortened(text: str) -> str:
    """At most so many characters, with a sign that there are more."""
    return text if len(text) <= _LONGEST_ID else f"{text[: _LONGEST_ID - 1]}…"


def _name(at: Assignment | None) -> str:
    return at.name if at is not None else ""


def _ms(time: Any) -> int | None:
    return ms_of(time) if isinstance(time, str) else None
