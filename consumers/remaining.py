"""What remains of the input behind where a partition stands: records, or only markers of somebody's transactions.

A producer that writes in transactions leaves a marker behind the last record of each. It takes an offset that no client
ever gives out, so a quiet partition would seem one record behind for ever, and once retention had moved its beginning
past the marker, nobody could take it up again: our own offset would be gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from consumers.source import Tail
from stream.errors import IncompleteJournal

READ_SECONDS = 0.5


@dataclass(frozen=True)
class _Gap:
    """From the first offset not processed up to the end of what may be read."""

    next: int
    end: int


@dataclass
class Remaining:
    """Looks into a gap only when it has not moved since the last look: else somebody is at work on it."""

    tail: Tail
    topic: str
    _gaps: dict[int, _Gap] = field(default_factory=dict)
    _empty: dict[int, bool] = field(default_factory=dict)
    """By partition, of the gap that was looked into."""

    def records(self, partition: int, next_offset: int) -> int:
        """How many offsets wait for somebody; none where nothing but markers stands. Raises ``BrokerUnavailable``."""
        gap = _Gap(next_offset, max(next_offset, self.tail.bounds(self.topic, partition)[1]))
        if gap != self._gaps.get(partition):
            self._gaps[partition] = gap
            self._empty.pop(partition, None)
        elif partition not in self._empty and gap.end > gap.next:
            self._empty[partition] = self._holds_nothing(partition, gap)
        return 0 if self._empty.get(partition) else gap.end - gap.next

    def passed(self, partition: int, next_offset: int) -> int:
        """Where the partition may go on without missing anything: behind the markers, or where it stands."""
        gap = self._gaps.get(partition)
        if gap is None or gap.next != next_offset or not self._empty.get(partition):
            return next_offset
        return gap.end

    def _holds_nothing(self, partition: int, gap: _Gap) -> bool:
        try:
            records, after = self.tail.read(self.topic, partition, gap.next, READ_SECONDS)
        except IncompleteJournal:  # retention was faster than we; what was in it nobody knows any more
            return False
        return not records and after >= gap.end
