"""Calm: how often do labels change, how often for nothing, and how often do segments get another name?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from benchmarks.quality.data import Data
from benchmarks.quality.history import History, history_of_labels
from benchmarks.quality.service import MacroStep
from producers.orders import epoch_ms
from stream.contracts.segments import LedgerEntry, LedgerKind
from stream.customer.features import DAY_MS

NAMED_DAYS = 90


def per_1000(history: History, events: int) -> dict[str, float]:
    """Changes of segment, and those that go back within five own events, a thousand events."""
    return {
        "changes_per_1000": 1000 * float(history.changes.sum()) / events,
        "aba_per_1000": 1000 * float(history.flaps.sum()) / events,
    }


def per_1000_at_events(data: Data, history: History) -> dict[str, float]:
    """The same of the labels right after each event alone: what a clusterer without a sense of time would show.

    Where silence leads away and the next order leads back, these labels show nothing.
    """
    labels = history.held_after(data.customer, data.at_ms)
    found = per_1000(history_of_labels(data, labels), len(data.events))
    return {f"{name}_at_events": value for name, value in found.items()}


def relabelled(steps: Sequence[MacroStep]) -> dict[str, float | None]:
    """Customers whom a macro step alone relabels: by nearest segment, and by what the stabiliser lets go."""
    nearest = [step.relabelled for step in steps if step.relabelled is not None]
    moved = [step.moved for step in steps if step.moved is not None]
    return {
        "relabelled_mean": float(np.mean(nearest)) if nearest else None,
        "relabelled_p95": float(np.quantile(nearest, 0.95)) if nearest else None,
        "relabelled_held_mean": float(np.mean(moved)) if moved else None,
        "relabelled_held_p95": float(np.quantile(moved, 0.95)) if moved else None,
    }


def renames(ledger: Sequence[LedgerEntry], end_ms: int) -> dict[str, float]:
    """Renames a segment and 90 days of its life: the mean over all segments, and the worst one.

    A segment that lives shorter than 90 days counts as if it had lived so long.
    """
    born: dict[str, int] = {}
    ended: dict[str, int] = {}
    for entry in ledger:
        at_ms = epoch_ms(datetime.fromisoformat(entry.occurred_at))
        born.setdefault(entry.segment_id, at_ms)
        if entry.kind is LedgerKind.RETIRING:
            ended[entry.segment_id] = at_ms
    count = Counter(entry.segment_id for entry in ledger if entry.kind is LedgerKind.RENAMED)
    lives = {i: max((ended.get(i, end_ms) - at_ms) / DAY_MS / NAMED_DAYS, 1.0) for i, at_ms in born.items()}
    rates = [count[i] / life for i, life in lives.items()]
    mean = sum(count.values()) / sum(lives.values()) if lives else 0.0
    return {"renames_per_90d": mean, "renames_per_90d_worst": max(rates, default=0.0)}
