"""The sink: one Kafka transaction at a time, all of it or nothing of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to be written to an explicit partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """Who we were in the consumer group when the batch was polled: what the broker fences a zombie by.

    Taken right after ``poll`` and never at commit time: an expired member answers generation -1, which brokers accept.
    """

    group: str
    generation: int
    member: str
    instance: str | None = None

    @property
    def is_valid(self) -> bool:
        """Whether a broker could tell this member from a zombie."""
        return self.generation >= 0 and self.member != ""


@dataclass(frozen=True, slots=True)
class Offsets:
    """Input offsets to commit with the transaction: ``next[partition]`` is the first offset not yet processed.

    ``notes[partition]`` is kept by the broker beside the offset (Kafka calls it metadata) and comes back with it.
    """

    topic: str
    next: Mapping[int, int]
    membership: Membership
    notes: Mapping[int, str] = field(default_factory=dict)

    def committed(self, partition: int) -> Committed:
        """What the broker will say of ``partition`` once this is committed."""
        return Committed(self.next[partition], self.notes.get(partition, ""))


class Committed(NamedTuple):
    """A committed offset of the group, and the note beside it."""

    offset: int
    note: str = ""


class Sink(Protocol):
    """Writes records and input offsets atomically. One instance is used by one thread."""

    def commit(self, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
        """Write ``records`` and commit ``offsets`` in one transaction; return the offset of every record, in order.

        Raises ``CommitFailed`` when the outcome is not known to be a commit: nothing may be assumed; the implementation
        has already thrown its producer away and is usable again. Raises ``BrokerUnavailable`` when that failed too.
        """
        ...

    def close(self) -> None:
        """Release the connection. Never waits longer than a few seconds."""
        ...
