"""A transaction of the in-memory broker, from its first record to the last of its markers.

Kafka decides a transaction in one place and writes its markers to every partition afterwards: for a while it is
committed here and not yet visible there, in any order. The offsets of a group are one of those places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from producers.memory_group import MemoryGroup
from producers.memory_log import Entry, MemoryLog
from producers.sink import Offsets

Fate = Literal["committed", "aborted"]
OFFSETS = "__consumer_offsets"
"""The place where a group's offsets are kept; all others are topics."""
Written = Sequence[tuple[str, MemoryLog, int, Entry]]
"""Topic, log, offset and content of each record."""


@dataclass(eq=False)
class Transaction:
    """Written; but nothing of it can be seen in a place before its markers are there. ``fate``: ``None`` undecided."""

    number: int
    transactional_id: str
    begun_ms: int
    written: Written
    offsets: Offsets | None
    group: MemoryGroup | None
    fate: Fate | None = None

    def __post_init__(self) -> None:
        self._unmarked: dict[str, list[MemoryLog]] = {}
        for topic, log, offset, _ in self.written:
            if self.number not in log.unfinished:
                log.unfinished[self.number] = offset
                self._unmarked.setdefault(topic, []).append(log)
        if self.group is not None:
            self._unmarked[OFFSETS] = []

    @property
    def record_offsets(self) -> list[int]:
        """The offset of every record."""
        return [offset for _, _, offset, _ in self.written]

    @property
    def unmarked(self) -> Mapping[str, Sequence[MemoryLog]]:
        """Places whose markers are missing."""
        return dict(self._unmarked)

    def pending(self, group: str, topic: str) -> frozenset[int]:
        """Partitions whose committed offset may be about to change: who asks for it has to wait."""
        if OFFSETS not in self._unmarked or self.offsets is None or self.offsets.topic != topic:
            return frozenset()
        return frozenset(self.offsets.next) if self.offsets.membership.group == group else frozenset()

    def end(self) -> None:
        """Abort it if it is undecided, and write every marker that is missing."""
        self.fate = self.fate or "aborted"
        for place in self.unmarked:
            self.mark(place)

    def mark(self, place: str) -> None:
        """Write the markers of a place; it must be decided."""
        logs = self._unmarked.pop(place)
        if place == OFFSETS and self.fate == "committed" and self.group is not None and self.offsets is not None:
            offsets = self.offsets
            self.group.offsets.update({(offsets.topic, p): offsets.committed(p) for p in offsets.next})
        for log in logs:
            for _, of, offset, entry in self.written:
                if of is log and self.fate == "committed":
                    log.entries[offset] = entry
            del log.unfinished[self.number]
            log.entries.append(None)
