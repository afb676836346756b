"""Whether the mix is stable: the shares of the segments against those it had when it last changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log, sqrt

LEAST = 0.1
"""Population stability index from which one speaks of another mix, by convention ..."""
_QUANTILE = 3.0902
"""... but not below what chance alone exceeds once in a thousand times: .999 of the normal distribution."""
_EPSILON = 1e-4


@dataclass(frozen=True)
class Shift:
    """What changed most when the mix last did."""

    segment_id: str
    before: float
    after: float


@dataclass
class Mix:
    """Compares with a frozen reference, so that a slow change adds up until it counts."""

    since_seconds: float
    """Wall clock."""
    since_event_ms: int | None = None
    shift: Shift | None = None
    """Null: no change was seen."""
    psi: float = 0.0
    reference: dict[str, int] = field(default_factory=dict)

    def look(self, counts: Mapping[str, int], event_ms: int | None, wall_seconds: float) -> None:
        """Compare the counts by segment; where they are another mix, take them for the new reference."""
        if not sum(self.reference.values()) or not sum(counts.values()):
            self.reference = dict(counts)
            return
        self.psi, floor = stability(self.reference, counts)
        if self.psi > floor:
            self.shift = largest(self.reference, counts)
            self.begin(counts, event_ms, wall_seconds)

    def begin(self, counts: Mapping[str, int], event_ms: int | None, wall_seconds: float) -> None:
        """From here on."""
        self.reference, self.since_seconds, self.since_event_ms = dict(counts), wall_seconds, event_ms


def stability(reference: Mapping[str, int], counts: Mapping[str, int]) -> tuple[float, float]:
    """The population stability index of two mixes, and from where on it means something.

    >>> psi, floor = stability({"s1": 500, "s2": 500}, {"s1": 500, "s2": 500})
    >>> psi, floor
    (0.0, 0.1)
    >>> psi, floor = stability({"s1": 500, "s2": 500}, {"s1": 700, "s2": 300})
    >>> psi > floor
    True
    """
    ids = sorted({*reference, *counts})
    before, after = (_shares(side, ids) for side in (reference, counts))
    psi = sum((q - p) * log(q / p) for p, q in zip(before, after, strict=True))
    noise = _chi2(len(ids) - 1) * sum(1 / max(sum(side.values()), 1) for side in (reference, counts))
    return psi, max(LEAST, noise)


def largest(reference: Mapping[str, int], counts: Mapping[str, int]) -> Shift:
    """The segment whose share moved farthest."""
    ids = sorted({*reference, *counts})
    before, after = (dict(zip(ids, _shares(side, ids), strict=True)) for side in (reference, counts))
    id_ = max(ids, key=lambda id_: abs(after[id_] - before[id_]))
    return Shift(id_, before[id_], after[id_])


def _shares(counts: Mapping[str, int], ids: list[str]) -> list[float]:
    everybody = max(sum(counts.values()), 1)
    return [max(counts.get(id_, 0) / everybody, _EPSILON) for id_ in ids]


def _chi2(freedom: int) -> float:
    """The .999 quantile (Wilson and Hilferty 1931); within 2 % from one degree on, and scipy stays unloaded."""
    if freedom < 1:
        return 0.0
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + _QUANTILE * sqrt(spread)) ** 3
