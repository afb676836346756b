"""Abreast: whether all partitions have reached about the same event time, so that the population is of one time.

Behind a backlog partitions are read one after the other. Who is read first is days or months ahead; together with those
who wait, it is a population of no time: some have a history already, the others not yet, and it looks like a drift that
begins, and ends when they catch up. A picture of times not farther apart than ``drift.span_days`` is fair: PSI is
convex, so it lies between those of the pure pictures, and what it tells was true at one time within the span.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Abreast:
    """The partitions that have told anything.

    >>> abreast = Abreast()
    >>> abreast.take({0: 500, 1: 200})
    >>> abreast.take({1: 450})
    >>> abreast.apart_ms
    50
    """

    reached_ms: dict[int, int] = field(default_factory=dict)
    """Event time by partition."""

    def take(self, reached_ms: Mapping[int, int]) -> None:
        """How far some of them are. Records of several workers may come in any order, and time does not go back."""
        for partition, at_ms in reached_ms.items():
            self.reached_ms[partition] = max(at_ms, self.reached_ms.get(partition, at_ms))

    @property
    def apart_ms(self) -> int:
        """Event time from the slowest to the newest."""
        return max(self.reached_ms.values()) - min(self.reached_ms.values()) if self.reached_ms else 0
