from __future__ import annotations

import logging
from dataclasses import replace
from itertools import islice

import pytest

from consumers.following import changes_since, follow, ledger_entries, newest_changes, read_between
from consumers.memory_source import MemoryTail
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Outgoing
from stream.contracts.changes import SegmentChange, encode_change
from stream.contracts.examples import CHANGE, DRIFT_ENTRY, LEDGER_ENTRY
from stream.contracts.segments import encode_entry
from stream.contracts.timestamps import rfc3339
from stream.errors import CommitFailed

TOPIC = "segment.changes"


class Feed:
    """A change topic of two partitions."""

    def __init__(self, limit: int = 2000) -> None:
        self.broker = MemoryBroker()
        self.broker.create(TOPIC, 2)
        self.tail = MemoryTail(self.broker, limit)

    def tell(self, customer: str, version: int, partition: int = 0, at_ms: int = 0) -> None:
        change = replace(CHANGE, customer_id=customer, version=version, occurred_at=rfc3339(at_ms))
        self.broker.append(Outgoing(TOPIC, partition, customer.encode(), encode_change(change)))


def told(changes: list[SegmentChange]) -> list[tuple[str, int]]:
    return [(change.customer_id, change.version) for change in changes]


def test_a_feed_from_the_beginning_merges_partitions_by_event_time() -> None:
    feed = Feed()
    feed.tell("ann", 1, partition=0, at_ms=10)
    feed.tell("ann", 2, partition=0, at_ms=30)
    feed.tell("bob", 1, partition=1, at_ms=20)
    rounds = follow(feed.tail, TOPIC, [0, 1], from_beginning=True, wait_seconds=0.0)
    assert told(next(rounds)) == [("ann", 1), ("bob", 1), ("ann", 2)]
    assert next(rounds) == []


def test_a_feed_from_now_on_begins_with_what_comes() -> None:
    feed = Feed()
    feed.tell("ann", 1)
    rounds = follow(feed.tail, TOPIC, [0, 1], from_beginning=False, wait_seconds=0.0)
    assert next(rounds) == []
    feed.tell("ann", 2)
    feed.tell("ann", 3)
    assert told(next(rounds)) == [("ann", 2), ("ann", 3)]


def test_equal_times_keep_the_order_of_the_customer() -> None:
    feed = Feed()
    for version in range(1, 6):
        feed.tell("ann", version, at_ms=7)
    changes = next(follow(feed.tail, TOPIC, [0], from_beginning=True, wait_seconds=0.0))
    assert [change.version for change in changes] == [1, 2, 3, 4, 5]


def test_a_backlog_comes_in_rounds() -> None:
    feed = Feed(limit=2)
    for version in range(1, 6):
        feed.tell("ann", version, at_ms=version)
    rounds = follow(feed.tail, TOPIC, [0, 1], from_beginning=True, wait_seconds=0.0)
    assert [len(changes) for changes in islice(rounds, 4)] == [2, 2, 1, 0]


def test_what_is_not_a_change_is_logged_and_tombstones_pass_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feed = Feed()
    feed.broker.append(Outgoing(TOPIC, 0, b"ann", b"noise"))
    feed.broker.append(Outgoing(TOPIC, 0, b"ann", None))
    feed.tell("ann", 1)
    with caplog.at_level(logging.WARNING):
        assert told(next(follow(feed.tail, TOPIC, [0], from_beginning=True, wait_seconds=0.0))) == [("ann", 1)]
    assert len(caplog.messages) == 1
    assert "partition 0, offset 0: not a change" in caplog.messages[0]


def test_the_newest_changes_of_one_customer_come_newest_first() -> None:
    feed = Feed()
    for version in range(1, 9):
        feed.tell("ann", version)
        feed.tell("bob", version)
    assert told(newest_changes(feed.tail, TOPIC, 0, b"ann", 5)) == [("ann", v) for v in (8, 7, 6, 5, 4)]
    assert newest_changes(feed.tail, TOPIC, 0, b"cem", 5) == []
    assert newest_changes(feed.tail, TOPIC, 1, b"ann", 5) == []


def test_they_are_found_pages_back_but_not_beyond_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.following._FIRST_PAGE", 2)
    monkeypatch.setattr("consumers.following.REACH", 30)
    feed = Feed()
    feed.tell("ann", 1)
    for version in range(1, 8):
        feed.tell("bob", version)
    feed.tell("ann", 2)
    for version in range(8, 22):
        feed.tell("bob", version)
    assert told(newest_changes(feed.tail, TOPIC, 0, b"ann", 5)) == [("ann", 2), ("ann", 1)]
    for version in range(22, 34):
        feed.tell("bob", version)
    assert told(newest_changes(feed.tail, TOPIC, 0, b"ann", 5)) == [("ann", 2)]


def test_reading_between_passes_over_markers_and_aborted_records() -> None:
    feed = Feed()
    sink = MemorySink(feed.broker, "w")
    for version in (1, 2):
        feed.broker.fail_next("aborted")
        with pytest.raises(CommitFailed):
            sink.commit([Outgoing(TOPIC, 0, b"ann", b"aborted")], None)
        sink.commit([Outgoing(TOPIC, 0, b"ann", encode_change(replace(CHANGE, version=version)))], None)
    first, end = feed.tail.bounds(TOPIC, 0)
    assert [record.offset for record in read_between(feed.tail, TOPIC, 0, first, end)] == [2, 6]
    assert [record.offset for record in read_between(feed.tail, TOPIC, 0, first, 3)] == [2]


def test_what_happened_since_is_found_and_older_pages_are_not_read() -> None:
    feed = Feed()
    for number in range(9_000):
        feed.tell("ann", number + 1, at_ms=number)
    for partition, begin_ms, versions in ((0, 8_990, range(8_991, 9_001)), (0, 9_000, range(0)), (1, 0, range(0))):
        found = changes_since(feed.tail, TOPIC, partition, begin_ms)
        assert sorted(change.version for change in found) == list(versions)
    assert len(changes_since(feed.tail, TOPIC, 0, 0)) == 9_000
    feed.broker.delete_before(TOPIC, 0, 8_500)  # reading what is gone would raise
    assert len(changes_since(feed.tail, TOPIC, 0, 8_700)) == 300


def test_a_late_event_within_reach_counts_where_it_is_found() -> None:
    feed = Feed()
    for version, at_ms in enumerate((10, 50, 20, 60), 1):
        feed.tell("ann", version, at_ms=at_ms)
    found = changes_since(feed.tail, TOPIC, 0, 20)
    assert sorted(change.version for change in found) == [2, 3, 4]


def test_what_is_no_entry_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    feed = Feed()
    for value in (encode_entry(LEDGER_ENTRY), b"{}", encode_entry(DRIFT_ENTRY)):
        feed.broker.append(Outgoing(TOPIC, 0, b"s3", value))
    with caplog.at_level(logging.WARNING):
        assert list(ledger_entries(feed.tail, TOPIC)) == [LEDGER_ENTRY, DRIFT_ENTRY]
    assert "ledger, offset 1: not an entry" in caplog.text
