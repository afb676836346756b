"""What drifted in a period: episodes that began, ended, or went on, from the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from consumers.reporting.period import Period
from consumers.showing.words import minute, number
from stream.contracts.segments import Drift, LedgerEntry
from stream.contracts.timestamps import rfc3339
from stream.drift.signals import signal_words

State = Literal["began", "ended", "active"]

_DETECTORS = {
    "psi": "population stability index",
    "ewma": "chart of means",
    "adwin": "ADWIN",
    "page_hinkley": "Page-Hinkley",
}


@dataclass(frozen=True)
class Episode:
    """One drift. ``active``: it began earlier and goes on."""

    state: State
    drift: Drift
    """As it was told last."""
    told_at: str
    """Event time of that."""

    @property
    def what(self) -> str:
        """The signal in words."""
        return signal_words(self.drift.signal)

    @property
    def words(self) -> str:
        """What is to say of it, with its figures."""
        detector = _DETECTORS.get(self.drift.detector, self.drift.detector)
        level, since, told = number(self.drift.level), minute(self.drift.since), minute(self.told_at)
        if self.state == "ended":
            return f"as usual again from {told}; it was not since {since}, at most {level}x its limit ({detector})"
        when = ", when found" if told == since else f"; found {told}"
        found = f"not what it was since {since}{when} at {level}x its limit ({detector})"
        return found if self.state == "began" else f"{found}; it goes on"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "signal": self.drift.signal,
            "state": self.state,
            "since": self.drift.since,
            "told_at": self.told_at,
            "detector": self.drift.detector,
            "level": self.drift.level,
            "text": f"{self.what}: {self.words}",
        }


def episodes_of(ledger: Iterable[LedgerEntry], period: Period) -> list[Episode]:
    """Those that began or ended in the period, in order, then those that were active all along."""
    begin, end = rfc3339(period.begin_ms), rfc3339(period.end_ms)
    active, turned = dict[str, Episode](), list[Episode]()
    for entry in ledger:
        drift = entry.detail.drift
        if drift is None or entry.occurred_at >= end:
            continue
        if drift.what == "begins":
            active[drift.signal] = Episode("active", drift, entry.occurred_at)
        else:
            active.pop(drift.signal, None)
        if entry.occurred_at >= begin:
            turned.append(Episode("began" if drift.what == "begins" else "ended", drift, entry.occurred_at))
    return [*turned, *(episode for episode in active.values() if episode.told_at < begin)]
