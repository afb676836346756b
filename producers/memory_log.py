"""One partition of the in-memory broker: its records, and how far readers of committed records may see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Entry(NamedTuple):
    """One readable record; markers, aborted records and those not yet decided are ``None`` in the log."""

    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(eq=False)
class MemoryLog:
    """Offsets are positions in ``entries``.

    >>> log = MemoryLog([Entry(0, None, b"a"), None, Entry(0, None, b"b")], unfinished={1: 1})
    >>> [offset for offset, _ in log.read(0, limit=9)[0]], log.stable_end, log.end
    ([0], 1, 3)
    """

    entries: list[Entry | None] = field(default_factory=list)
    first: int = 0
    """First offset that is kept."""
    unfinished: dict[int, int] = field(default_factory=dict)
    """Number of a transaction without its marker here -> its first offset: nothing from there on is shown yet."""

    @property
    def end(self) -> int:
        """Where the next record is written."""
        return len(self.entries)

    @property
    def stable_end(self) -> int:
        """Where reading of what is committed ends: Kafka's last stable offset."""
        return min(self.unfinished.values(), default=self.end)

    def read(self, offset: int, limit: int) -> tuple[list[tuple[int, Entry]], int]:
        """At most ``limit`` committed records from ``offset`` on with their offsets, and where to read on."""
        found: list[tuple[int, Entry]] = []
        while offset < self.stable_end and len(found) < limit:
            entry = self.entries[offset]
            if entry is not None:
                found.append((offset, entry))
            offset += 1
        return found, offset
