"""How far behind the service is, in records and in seconds: when did the input's end pass the first unprocessed one?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

_MOST = 600
"""Samples kept of a partition: ten minutes of an input that never rests."""


@dataclass(frozen=True)
class Behind:
    """The distance between input and view."""

    records: int
    seconds: float
    at_least: bool = False
    """The first unprocessed record is older than we are."""
    stuck_seconds: float = 0.0
    """Records wait and none was processed for so long."""


@dataclass
class _Ends:
    """The end of one partition over time, ascending in both."""

    ends: list[int] = field(default_factory=list)
    at_seconds: list[float] = field(default_factory=list)

    def add(self, end: int, now_seconds: float) -> None:
        if not self.ends or end > self.ends[-1]:
            self.ends.append(end)
            self.at_seconds.append(now_seconds)
        elif end < self.ends[-1]:  # another topic of the same name
            self.ends, self.at_seconds = [end], [now_seconds]
        if len(self.ends) > _MOST:
            del self.ends[0], self.at_seconds[0]

    def arrival(self, offset: int) -> tuple[float, bool]:
        """When the record at ``offset`` was first seen to be there, and whether it was there before we looked."""
        place = bisect_right(self.ends, offset)
        return self.at_seconds[min(place, len(self.ends) - 1)], place == 0


@dataclass
class Lag:
    """Needs only offsets: no record is read again to learn its time."""

    partitions: dict[int, _Ends] = field(default_factory=dict)
    progress: int = -1
    progressed_at: float = 0.0

    def ends(self, ends: Mapping[int, int], now_seconds: float) -> None:
        """The input's ends as they are now."""
        for partition, end in ends.items():
            self.partitions.setdefault(partition, _Ends()).add(end, now_seconds)

    def behind(self, nexts: Mapping[int, int], now_seconds: float) -> Behind:
        """``nexts``: the first offset not yet processed, by partition."""
        waiting, arrivals = 0, [(now_seconds, False)]
        for partition, known in self.partitions.items():
            first = nexts.get(partition, 0)
            if known.ends[-1] > first:
                waiting += known.ends[-1] - first
                arrivals.append(known.arrival(first))
        oldest, at_least = min(arrivals)
        if sum(nexts.values()) != self.progress or not waiting:
            self.progress, self.progressed_at = sum(nexts.values()), now_seconds
        return Behind(waiting, max(0.0, now_seconds - oldest), at_least, now_seconds - self.progressed_at)
