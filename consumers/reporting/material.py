"""What a report is made of, as broker and store have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stream.contracts.changes import SegmentChange
from stream.contracts.segments import LedgerEntry


@dataclass(frozen=True)
class Material:
    """Read while the stream goes on: counts and changes may be a moment apart."""

    changes: Sequence[SegmentChange] = ()
    """From the beginning of the period until now, by event time."""
    ledger: Sequence[LedgerEntry] = ()
    """All of it, oldest first."""
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By segment, as they are now."""
    counts: Mapping[str, int] = field(default_factory=Counter)
    """Customers by place, as they are now."""
    newest_ms: int | None = None
    """Event time reached. ``None``: nothing has been processed yet."""
    statuses: Sequence[str] = ()
    """What of the view is being rebuilt."""
