"""Invariant I2: a customer's changes carry the versions 1, 2, 3 ... n, each continuing the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from consumers.auditing.journaled import Journaled
from consumers.following import read_between
from consumers.source import Record, Tail
from stream.contracts.changes import COPIED, Assignment, SegmentChange, decode_change
from stream.errors import BadRecord


@dataclass
class Histories:
    """Follows the changes of all customers of a partition.

    Compaction keeps all since ``complete_since_ms`` (wall clock); a gap before an older record is its work. What came
    before a copy by a migration is in the topic that it was copied from.
    """

    complete_since_ms: int
    records: int = 0
    last: dict[str, SegmentChange] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """The next record of the partition. Tombstones end a history."""
        self.records += 1
        key = (record.key or b"").decode(errors="backslashreplace")
        if record.value is None:
            self.last.pop(key, None)
            return
        try:
            change = decode_change(record.value)
        except BadRecord as error:
            self.differences.append(f"offset {record.offset}: not a change: {error}")
            return
        if change.customer_id.encode() != record.key:
            self.differences.append(f"offset {record.offset}: the key '{key}' is not that of its customer")
        was_told_elsewhere = COPIED in record.headers
        self._follow(change, may_skip=was_told_elsewhere or record.timestamp_ms < self.complete_since_ms)

    def _follow(self, change: SegmentChange, *, may_skip: bool) -> None:
        before = self.last.get(change.customer_id)
        self.last[change.customer_id] = change
        expected = 1 + (before.version if before else 0)
        who = f"customer '{change.customer_id}'"
        if change.version != expected and not (may_skip and change.version > expected):
            self.differences.append(f"{who}: version {change.version} where {expected} was due")
        elif change.version == expected and _place(change.previous) != _place(before.current if before else None):
            self.differences.append(f"{who}: version {change.version} does not start where the one before ended")


def read_histories(tail: Tail, topic: str, partition: int, complete_since_ms: int) -> Histories:
    """Read a partition of the change topic to its end. Raises ``BrokerUnavailable``."""
    first, end = tail.bounds(topic, partition)
    histories = Histories(complete_since_ms)
    for record in read_between(tail, topic, partition, first, end):
        histories.add(record)
    return histories


def version_differences(histories: Histories, journaled: Journaled) -> Iterator[str]:
    """The histories' own differences, and those to the versions in the states."""
    yield from histories.differences
    versions = dict(zip(journaled.customers, journaled.rows["version"].tolist(), strict=True))
    for customer in sorted({*versions, *histories.last}):
        told = histories.last[customer].version if customer in histories.last else 0
        counted = versions.get(customer, 0)
        if told != counted:
            yield f"customer '{customer}': {told} changes were told, the state counts {counted}"


def _place(at: Assignment | None) -> tuple[str, str] | None:
    """Id and status: a segment may have been renamed in between."""
    return None if at is None else (at.id, at.status.value)
