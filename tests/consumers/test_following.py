from __future__ import annotations

import logging
from dataclasses import replace
from itertools import islice

import pytest

from consumers.following import follow, newest_changes, read_between
from consumers.memory_source import MemoryTail
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Outgoing
from stream.contracts.changes import SegmentChange, encode_change
from stream.contracts.examples import CHANGE
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
