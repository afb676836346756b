"""The two ways to read: as a member of a group (``Source``), and alone from a known offset (``Tail``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from producers.sink import Committed, Membership

SETTLED_SECONDS = 15.0
"""How long what is committed may stay invisible: behind the open transaction of a dead worker, until that is ended."""


class Record(NamedTuple):
    """One record as the broker has it. ``timestamp_ms`` is the broker's or producer's wall clock, never event time."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll brought.

    ``epoch`` changes whenever the assignment may have changed (a rebalance, a loss): all that was cached or in flight
    under another epoch must be dropped.
    """

    epoch: int
    assigned: frozenset[int]
    membership: Membership
    records: Mapping[int, Sequence[Record]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of records."""
        return sum(map(len, self.records.values()))


class Source(Protocol):
    """A member of a consumer group on one topic. Reads only what is committed; never commits by itself."""

    def poll(self, timeout_seconds: float) -> Poll:
        """Wait for records. A partition that is newly assigned delivers nothing until ``seek`` was called for it.

        Raises ``BrokerUnavailable``.
        """
        ...

    def committed(self, partitions: Sequence[int]) -> dict[int, Committed | None]:
        """The group's committed offsets, waiting for pending transactions; ``None`` where there is none."""
        ...

    def seek(self, partition: int, offset: int | None) -> None:
        """Deliver ``partition`` from ``offset`` on (and again after a failed commit); ``None``: nothing until then."""
        ...

    def beginning(self, partitions: Sequence[int]) -> dict[int, int]:
        """The first offset that the broker still has."""
        ...

    def close(self) -> None:
        """Leave the group."""
        ...


class Tail(Protocol):
    """Reads committed records of single partitions, outside of any group, from a known offset."""

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        """Committed records from ``offset`` on, and the offset to read on from.

        Returns what is there without waiting for more; waits up to ``timeout_seconds`` only when nothing is.
        The second value may pass over markers and aborted records, so it can advance although the list is empty.
        Raises ``BrokerUnavailable``.
        """
        ...

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """First offset that the broker still has, and the end (read_committed: the last stable offset)."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...
