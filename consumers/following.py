"""Reading changes and ledger outside of any group: onwards as they grow, or backwards to a customer or a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from consumers.source import Record, Tail
from stream.contracts.changes import SegmentChange, decode_change
from stream.contracts.segments import LedgerEntry, decode_entry
from stream.contracts.timestamps import rfc3339
from stream.errors import BadRecord

log = logging.getLogger(__name__)

REACH = 100_000
"""Records of one partition that are searched backwards for a customer's changes, at most."""
_FIRST_PAGE = 1_000


def follow(
    tail: Tail, topic: str, partitions: Sequence[int], *, from_beginning: bool, wait_seconds: float
) -> Iterator[list[SegmentChange]]:
    """Rounds of changes without end, some of them empty; each in order of event time.

    One round is at most one read of each partition; an idle one takes about ``wait_seconds``. Raises
    ``BrokerUnavailable``; what is not a change is logged and passed over.
    """
    bounds = {partition: tail.bounds(topic, partition) for partition in partitions}
    offsets = {partition: first if from_beginning else end for partition, (first, end) in bounds.items()}
    while True:
        changes: list[SegmentChange] = []
        for partition in partitions:
            wait = 0.0 if changes else wait_seconds / len(partitions)
            records, offsets[partition] = tail.read(topic, partition, offsets[partition], wait)
            changes.extend(read_changes(records))
        yield sorted(changes, key=lambda change: change.occurred_at)


def newest_changes(
    tail: Tail, topic: str, partition: int, customer: bytes, most: int, reach: int | None = None
) -> list[SegmentChange]:
    """One customer's newest changes, newest first: at most ``most``, within ``reach`` records of the end,
    ``REACH`` unless said otherwise. The search ends at the customer's first change.
    """
    first, end = tail.bounds(topic, partition)
    limit, page = max(first, end - (REACH if reach is None else reach)), _FIRST_PAGE
    found: list[SegmentChange] = []
    while end > limit and len(found) < most and not (found and found[-1].version == 1):
        start = max(limit, end - page)
        records = (record for record in read_between(tail, topic, partition, start, end) if record.key == customer)
        found += reversed(list(read_changes(records)))
        end, page = start, page * 4
    return found[:most]


def changes_since(tail: Tail, topic: str, partition: int, begin_ms: int) -> list[SegmentChange]:
    """The changes of a partition from event time ``begin_ms`` on, in no order.

    The search goes backwards and ends at a page of which everything is older. A late event may be deeper: what comes
    of it counts where it is found.
    """
    first, end = tail.bounds(topic, partition)
    begin, page, found = rfc3339(begin_ms), _FIRST_PAGE, list[SegmentChange]()
    while end > first:
        start = max(first, end - page)
        read = list(read_changes(read_between(tail, topic, partition, start, end)))
        within = [change for change in read if change.occurred_at >= begin]
        if read and not within:
            break
        found += within
        end, page = start, page * 4
    return found


def ledger_entries(tail: Tail, topic: str) -> Iterator[LedgerEntry]:
    """The whole ledger, oldest first: some lines a day, and kept for ever."""
    first, end = tail.bounds(topic, 0)
    for record in read_between(tail, topic, 0, first, end):
        try:
            yield decode_entry(record.value or b"")
        except BadRecord as error:
            log.warning("ledger, offset %d: not an entry: %s", record.offset, error)


def read_between(tail: Tail, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
    """Committed records from ``start`` up to ``end``, which must have been the topic's end already."""
    while start < end:
        records, after = tail.read(topic, partition, start, 1.0)
        if after == start:  # the end was that of an open transaction
            return
        yield from (record for record in records if record.offset < end)
        start = after


def read_changes(records: Iterable[Record]) -> Iterator[SegmentChange]:
    """The changes in the records. Tombstones say nothing of segments."""
    for record in records:
        if record.value is None:
            continue
        try:
            yield decode_change(record.value)
        except BadRecord as error:
            log.warning("partition %d, offset %d: not a change: %s", record.partition, record.offset, error)
