"""The mix of segments as the drift engine judged it: the page says what metrics and ledger say, and judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stream.customer.state import segment_id
from stream.drift.monitor import FROZEN, Report
from stream.drift.picture import Picture
from stream.drift.signals import SHARE

Shares = dict[str, float]
"""Of the customers, by segment."""


@dataclass(frozen=True)
class Shift:
    """The segment whose share moved farthest."""

    segment_id: str
    before: float
    after: float


@dataclass(frozen=True)
class Mix:
    """Against the frozen reference. Times are event time."""

    usual_ms: int
    """Of the reference."""
    usual: Shares
    now: Shares
    """When they were last judged."""
    since_ms: int | None
    """Since when it drifts; ``None``: it does not."""
    apart_ms: int
    """So far are the partitions apart that the population of now is not judged; 0: it is."""

    @property
    def shift(self) -> Shift:
        """What moved most. A segment that is gone, or was not there, has a share of 0."""
        ids = sorted({*self.usual, *self.now})
        moves = [Shift(id_, self.usual.get(id_, 0.0), self.now.get(id_, 0.0)) for id_ in ids]
        return max(moves, key=lambda shift: abs(shift.after - shift.before))

    def to_json(self) -> dict[str, Any]:
        """Plain data, for the shares side by side."""
        return {"usual": _rounded(self.usual), "now": _rounded(self.now)}


def mix_of(report: Report | None) -> Mix | None:
    """The mix in a report of drift; ``None`` before there is a reference."""
    difference = report.differences.get(FROZEN) if report is not None else None
    if report is None or difference is None:
        return None
    since_ms = next((episode.since_ms for episode in report.active if episode.signal == SHARE), None)
    return Mix(
        usual_ms=difference.reference.at_ms,
        usual=_shares(difference.reference),
        now=_shares(difference.now),
        since_ms=since_ms,
        apart_ms=0 if report.is_judged else report.apart_ms,
    )


def _shares(picture: Picture) -> Shares:
    return {segment_id(n): customers / (picture.sample or 1) for n, customers in picture.by_number.items()}


def _rounded(shares: Shares) -> Shares:
    return {id_: round(share, 4) for id_, share in shares.items()}
