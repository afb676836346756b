"""One suite over every source and tail: memory, embedded broker, Apache Kafka."""

from __future__ import annotations

import time

import pytest

from consumers.remaining import Remaining
from consumers.source import Source
from producers.sink import Offsets, Outgoing
from stream.contracts.partitioning import partition_of
from stream.errors import Disagreement, IncompleteJournal
from tests.brokers import (
    ABORTED_HIDDEN,
    GROUPS_SHARE,
    OFFSETS_CHECKED,
    Kit,
    eventually,
    fresh,
    joined,
    promising,
    read_to,
    taken,
)


def write(kit: Kit, topic: str, *values: bytes, partition: int = 0) -> list[int]:
    records = [Outgoing(topic, partition, b"key", value, (("h", b"1"),)) for value in values]
    return kit.sink(fresh("slot")).commit(records, None)


def topic_of(kit: Kit, partitions: int = 1) -> str:
    topic = fresh("topic")
    kit.create(topic, partitions)
    return topic


class TestSource:
    def test_nothing_is_delivered_before_seek(self, kit: Kit) -> None:
        topic = topic_of(kit)
        write(kit, topic, b"a", b"b")
        source = kit.source(topic, fresh("group"))
        poll = joined(source, {0}, at_begin=False)
        assert poll.membership.is_valid
        assert poll.count == 0
        assert source.poll(0.3).count == 0

        source.seek(0, 0)
        first, second = taken(source, 2)

        assert (first.value, second.value) == (b"a", b"b")
        assert (first.partition, first.key, first.headers) == (0, b"key", (("h", b"1"),))
        assert (first.offset, second.offset) == (0, 1)
        assert abs(first.timestamp_ms / 1000 - time.time()) < 60

    def test_seek_says_where_to_go_on(self, kit: Kit) -> None:
        topic = topic_of(kit)
        write(kit, topic, b"a", b"b", b"c")
        source = kit.source(topic, fresh("group"))
        joined(source, {0}, at_begin=False)
        source.seek(0, 1)
        assert [r.value for r in taken(source, 2)] == [b"b", b"c"]

        source.seek(0, 2)
        assert [r.value for r in taken(source, 1)] == [b"c"]

    def test_the_epoch_stays_while_nothing_happens(self, kit: Kit) -> None:
        topic = topic_of(kit, 2)
        source = kit.source(topic, fresh("group"))
        poll = joined(source, {0, 1})
        for partition in range(2):
            write(kit, topic, b"x", partition=partition)

        polls = [source.poll(0.1) for _ in range(10)]

        assert {(p.epoch, p.assigned, p.membership) for p in polls} == {(poll.epoch, poll.assigned, poll.membership)}

    def test_reading_goes_on_where_the_group_has_committed(self, kit: Kit) -> None:
        topic, group = topic_of(kit), fresh("group")
        write(kit, topic, b"a", b"b", b"c")
        source = kit.source(topic, group)
        poll = joined(source, {0})
        assert source.committed([0]) == {0: None}
        assert source.beginning([0]) == {0: 0}
        kit.sink(fresh("slot")).commit([Outgoing(topic, 0, None, b"d")], Offsets(topic, {0: 2}, poll.membership))
        source.close()

        successor = kit.source(topic, group)
        joined(successor, {0}, at_begin=False)
        committed = successor.committed([0])[0]
        assert committed is not None
        assert committed.offset == 2
        successor.seek(0, committed.offset)
        assert [r.value for r in taken(successor, 2)] == [b"c", b"d"]

    @promising(GROUPS_SHARE)
    def test_two_members_share_the_partitions_and_a_new_epoch_needs_a_new_seek(self, kit: Kit) -> None:
        topic, group = topic_of(kit, 2), fresh("group")
        first = kit.source(topic, group)
        alone = joined(first, {0, 1})
        second = kit.source(topic, group)

        def both_own_one() -> int | None:
            a, b = first.poll(0.05), second.poll(0.05)
            shared = len(a.assigned) == 1 and a.assigned | b.assigned == {0, 1}
            return a.epoch if shared else None

        epoch = eventually(both_own_one, "a partition each")
        assert epoch > alone.epoch
        for partition in range(2):
            write(kit, topic, b"x", partition=partition)
        assert [s.poll(0.2).count for s in (first, second)] == [0, 0]

        second.close()
        again = joined(first, {0, 1}, at_begin=False)
        assert again.epoch > epoch
        assert first.poll(0.2).count == 0
        first.seek(0, 0)
        first.seek(1, 0)
        assert {r.partition for r in taken(first, 2)} == {0, 1}

    def test_a_partition_that_is_held_delivers_nothing_until_it_is_sought_again(self, kit: Kit) -> None:
        topic = topic_of(kit, 2)
        source = kit.source(topic, fresh("group"))
        before = joined(source, {0, 1})
        source.seek(0, None)
        write(kit, topic, b"held", partition=0)
        write(kit, topic, b"free", partition=1)

        assert [r.value for r in taken(source, 1)] == [b"free"]
        polls = [source.poll(0.1) for _ in range(3)]
        assert [poll.count for poll in polls] == [0, 0, 0]
        assert {(p.epoch, p.membership) for p in polls} == {(before.epoch, before.membership)}, "its place is kept"

        source.seek(0, 0)
        assert [r.value for r in taken(source, 1)] == [b"held"]

    def test_seeking_a_partition_of_somebody_else_does_nothing(self, kit: Kit) -> None:
        topic = topic_of(kit)
        source = kit.source(topic, fresh("group"))
        joined(source, {0})
        source.seek(5, 0)
        assert source.poll(0.1).assigned == {0}

    @promising(ABORTED_HIDDEN)
    def test_aborted_records_are_not_delivered(self, kit: Kit) -> None:
        topic = topic_of(kit)
        write(kit, topic, b"a")
        kit.abort([Outgoing(topic, 0, None, b"aborted")])
        write(kit, topic, b"b")
        source = kit.source(topic, fresh("group"))
        joined(source, {0})
        assert [r.value for r in taken(source, 2)] == [b"a", b"b"]

    @promising(OFFSETS_CHECKED)
    def test_an_offset_that_is_not_there_is_never_skipped(self, kit: Kit) -> None:
        topic = topic_of(kit)
        write(kit, topic, b"a")
        source = kit.source(topic, fresh("group"))
        joined(source, {0}, at_begin=False)
        source.seek(0, 99)
        with pytest.raises(Disagreement):
            poll_for(source, 10.0)


class TestTail:
    def test_what_is_there_comes_at_once_and_going_on_finds_the_rest(self, kit: Kit) -> None:
        topic = topic_of(kit)
        offsets = write(kit, topic, b"a", b"b")
        tail = kit.tail()
        started = time.monotonic()

        records, next_offset = tail.read(topic, 0, 0, 20.0)

        assert time.monotonic() - started < 10.0
        assert [(r.offset, r.value, r.headers) for r in records] == [
            (offset, value, (("h", b"1"),)) for offset, value in zip(offsets, (b"a", b"b"), strict=True)
        ]
        (later,) = write(kit, topic, b"c")
        assert later >= next_offset
        assert [r.value for r in read_to(tail, topic, 0, later + 1, next_offset)] == [b"c"]

    def test_it_waits_only_when_there_is_nothing(self, kit: Kit) -> None:
        topic = topic_of(kit)
        tail = kit.tail()
        started = time.monotonic()
        assert tail.read(topic, 0, 0, 0.3) == ([], 0)
        assert 0.25 < time.monotonic() - started < 5.0

    def test_the_position_passes_over_a_marker(self, kit: Kit) -> None:
        topic = topic_of(kit)
        (offset,) = write(kit, topic, b"a")
        assert read_to(kit.tail(), topic, 0, offset + 2, offset + 1) == []

    def test_nothing_remains_behind_the_last_record_of_a_transaction(self, kit: Kit) -> None:
        topic, tail = topic_of(kit), kit.tail()
        (offset,) = write(kit, topic, b"a")
        remaining = Remaining(tail, topic)
        end = eventually(lambda: end if (end := tail.bounds(topic, 0)[1]) > offset + 1 else None, "the marker")
        assert [remaining.records(0, offset + 1) for _ in range(3)] == [1, 0, 0]
        assert remaining.passed(0, offset + 1) == end
        assert [remaining.records(0, offset) for _ in range(3)] == [2, 2, 2]
        assert remaining.passed(0, offset) == offset

    @promising(ABORTED_HIDDEN)
    def test_the_position_passes_over_aborted_records(self, kit: Kit) -> None:
        topic = topic_of(kit)
        kit.abort([Outgoing(topic, 0, None, b"%d" % n) for n in range(50)])
        tail = kit.tail()
        records, next_offset = tail.read(topic, 0, 0, 10.0)
        assert (records, next_offset > 0) == ([], True)
        (offset,) = write(kit, topic, b"b")
        assert [r.value for r in read_to(tail, topic, 0, offset + 1)] == [b"b"]

    def test_partitions_and_topics_can_be_read_in_turn(self, kit: Kit) -> None:
        topic, other = topic_of(kit, 2), topic_of(kit)
        logs = [(topic, 0), (topic, 1), (other, 0)]
        ends = {}
        for of, partition in logs:
            values = [b"%s-%d-%d" % (of.encode(), partition, n) for n in range(20)]
            ends[of, partition] = write(kit, of, *values, partition=partition)[-1] + 1
        tail = kit.tail()
        for _ in range(3):
            for of, partition in logs:
                assert len(read_to(tail, of, partition, ends[of, partition])) == 20

    def test_reading_back_and_forth(self, kit: Kit) -> None:
        topic = topic_of(kit)
        offsets = write(kit, topic, *(b"%d" % n for n in range(5)))
        tail = kit.tail()
        for at in (3, 1, 4, 0):
            assert read_to(tail, topic, 0, offsets[-1] + 1, offsets[at])[0].value == b"%d" % at

    def test_bounds_enclose_what_can_be_read(self, kit: Kit) -> None:
        topic = topic_of(kit)
        tail = kit.tail()
        assert tail.bounds(topic, 0) == (0, 0)
        (offset,) = write(kit, topic, b"a")
        first, end = eventually(
            lambda: bounds if (bounds := tail.bounds(topic, 0))[1] > offset else None, "the end to move"
        )
        assert first == 0
        assert end > offset

    @promising(OFFSETS_CHECKED)
    def test_an_offset_that_is_not_there_is_never_skipped(self, kit: Kit) -> None:
        topic = topic_of(kit)
        (offset,) = write(kit, topic, b"a")
        tail = kit.tail()
        with pytest.raises(IncompleteJournal):
            read_to(tail, topic, 0, 100, 99)
        assert read_to(tail, topic, 0, offset + 1)[0].value == b"a"


def test_a_writer_writes_to_the_partition_of_the_key_in_order(kit: Kit) -> None:
    topic = topic_of(kit, 3)
    writer = kit.writer()
    keys = [b"customer-%d" % n for n in range(30)]
    for n in range(3):
        for key in keys:
            writer.send(topic, key, b"%d" % n)
    writer.flush()

    tail = kit.tail()
    found: dict[bytes | None, list[bytes | None]] = {}
    for partition in range(3):
        for record in read_to(tail, topic, partition, tail.bounds(topic, partition)[1]):
            assert partition_of(record.key or b"", 3) == partition
            found.setdefault(record.key, []).append(record.value)
    assert found == {key: [b"0", b"1", b"2"] for key in keys}


def poll_for(source: Source, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        source.poll(0.1)
