"""One suite over every sink: memory, embedded broker, Apache Kafka."""

from __future__ import annotations

from dataclasses import replace

import pytest

from producers.sink import Committed, Membership, Offsets, Outgoing
from stream.errors import CommitFailed
from tests.brokers import (
    MEMBERS_FENCED,
    NOTES_KEPT,
    OFFSETS_ALONE,
    Kit,
    eventually,
    fresh,
    joined,
    promising,
    read_to,
)


def records(topic: str, *values: bytes, partition: int = 0) -> list[Outgoing]:
    return [Outgoing(topic, partition, b"k", value) for value in values]


def test_a_commit_returns_the_offset_of_every_record_in_order(kit: Kit) -> None:
    topic, other = fresh("a"), fresh("b")
    kit.create(topic, 2)
    kit.create(other)
    sink = kit.sink(fresh("slot"))
    sent = [Outgoing((topic, other)[n % 2], (n % 4) // 2 if n % 2 == 0 else 0, None, b"%d" % n) for n in range(20)]

    first, second = sink.commit(sent, None), sink.commit(sent, None)

    tail = kit.tail()
    for written in (first, second):
        for record, offset in zip(sent, written, strict=True):
            assert read_to(tail, record.topic, record.partition, offset + 1, offset)[0].value == record.value


def test_a_record_arrives_as_it_was_sent(kit: Kit) -> None:
    topic = fresh("t")
    kit.create(topic, 3)
    sent = [
        Outgoing(topic, 2, b"key", b"value", (("ce_id", b"x"), ("empty", b""))),
        Outgoing(topic, 2, b"tombstone", None),
        Outgoing(topic, 2, None, b"\x00" * 600_000),
    ]

    written = kit.sink(fresh("slot")).commit(sent, None)

    read = read_to(kit.tail(), topic, 2, written[-1] + 1)
    assert [Outgoing(topic, r.partition, r.key, r.value, r.headers) for r in read] == sent
    assert [r.offset for r in read] == written


def test_offsets_are_committed_with_the_records(kit: Kit) -> None:
    topic, out, group = fresh("in"), fresh("out"), fresh("group")
    kit.create(topic, 2)
    kit.create(out)
    sink, source = kit.sink(fresh("slot")), kit.source(topic, group)
    poll = joined(source, {0, 1})
    assert source.committed([0, 1]) == {0: None, 1: None}

    sink.commit(records(out, b"x"), Offsets(topic, {0: 7}, poll.membership))
    assert source.committed([0, 1]) == {0: Committed(7), 1: None}

    sink.commit(records(out, b"x"), Offsets(topic, {0: 7, 1: 3}, poll.membership))
    assert source.committed([0, 1]) == {0: Committed(7), 1: Committed(3)}


@promising(NOTES_KEPT)
def test_a_note_is_kept_beside_the_offset(kit: Kit) -> None:
    topic, out = fresh("in"), fresh("out")
    kit.create(topic)
    kit.create(out)
    source = kit.source(topic, fresh("group"))
    poll = joined(source, {0})
    sink = kit.sink(fresh("slot"))
    sink.commit(records(out, b"x"), Offsets(topic, {0: 7}, poll.membership, {0: "journal 12"}))
    assert source.committed([0]) == {0: Committed(7, "journal 12")}
    sink.commit(records(out, b"x"), Offsets(topic, {0: 8}, poll.membership))
    assert source.committed([0]) == {0: Committed(8)}


@promising(OFFSETS_ALONE)
def test_a_transaction_may_consist_of_offsets_only(kit: Kit) -> None:
    topic = fresh("in")
    kit.create(topic)
    sink, source = kit.sink(fresh("slot")), kit.source(topic, fresh("group"))
    poll = joined(source, {0})

    assert sink.commit([], Offsets(topic, {0: 7}, poll.membership)) == []
    assert source.committed([0]) == {0: Committed(7)}


def test_nothing_to_commit_is_no_transaction(kit: Kit) -> None:
    assert kit.sink(fresh("slot")).commit([], None) == []


def test_a_member_without_a_generation_cannot_commit(kit: Kit) -> None:
    topic = fresh("t")
    kit.create(topic)
    sink = kit.sink(fresh("slot"))
    nobody = Membership(fresh("group"), -1, "")

    with pytest.raises(CommitFailed):
        sink.commit(records(topic, b"lost"), Offsets(topic, {0: 1}, nobody))

    written = sink.commit(records(topic, b"kept"), None)
    assert [r.value for r in read_to(kit.tail(), topic, 0, written[-1] + 1)] == [b"kept"]


@promising(MEMBERS_FENCED)
def test_a_member_of_an_old_generation_cannot_commit(kit: Kit) -> None:
    topic, group = fresh("t"), fresh("group")
    kit.create(topic)
    sink, source = kit.sink(fresh("slot")), kit.source(topic, group)
    now = joined(source, {0}).membership
    stale = replace(now, generation=now.generation - 1)

    with pytest.raises(CommitFailed):
        sink.commit(records(topic, b"lost"), Offsets(topic, {0: 5}, stale))
    assert source.committed([0]) == {0: None}

    written = sink.commit(records(topic, b"kept"), Offsets(topic, {0: 6}, now))
    assert source.committed([0]) == {0: Committed(6)}
    assert [r.value for r in read_to(kit.tail(), topic, 0, written[-1] + 1)] == [b"kept"]


@promising(MEMBERS_FENCED)
def test_a_member_whose_partitions_went_to_another_cannot_commit(kit: Kit) -> None:
    topic, group = fresh("t"), fresh("group")
    kit.create(topic)
    zombie = kit.source(topic, group)
    stale = joined(zombie, {0}).membership
    zombie.close()
    joined(kit.source(topic, group), {0})

    with pytest.raises(CommitFailed):
        kit.sink(fresh("slot")).commit(records(topic, b"lost"), Offsets(topic, {0: 5}, stale))


@promising(MEMBERS_FENCED)
def test_the_offsets_of_a_failed_transaction_do_not_come_back_with_the_next(kit: Kit) -> None:
    topic, group = fresh("t"), fresh("group")
    kit.create(topic, 2)
    sink, source = kit.sink(fresh("slot")), kit.source(topic, group)
    now = joined(source, {0, 1}).membership

    with pytest.raises(CommitFailed):
        sink.commit([], Offsets(topic, {0: 500}, replace(now, member="a-zombie")))
    sink.commit([], Offsets(topic, {1: 10}, now))

    assert source.committed([0, 1]) == {0: None, 1: Committed(10)}


def test_a_second_sink_of_the_same_slot_fences_the_first(kit: Kit) -> None:
    topic, slot = fresh("t"), fresh("slot")
    kit.create(topic)
    first = kit.sink(slot)
    first.commit(records(topic, b"1"), None)
    second = kit.sink(slot)

    with pytest.raises(CommitFailed):
        first.commit(records(topic, b"lost"), None)

    # The first has fenced the second in turn: two processes in one slot are a mistake that both notice.
    with pytest.raises(CommitFailed):
        second.commit(records(topic, b"lost too"), None)
    written = second.commit(records(topic, b"2"), None)
    assert [r.value for r in read_to(kit.tail(), topic, 0, written[-1] + 1)] == [b"1", b"2"]


def test_a_closed_sink_can_be_closed_again(kit: Kit) -> None:
    sink = kit.sink(fresh("slot"))
    sink.close()
    sink.close()


def test_a_large_transaction_over_several_partitions(kit: Kit) -> None:
    topic = fresh("t")
    kit.create(topic, 4)
    sent = [Outgoing(topic, n % 4, b"%d" % n, b"v" * 200) for n in range(2000)]

    written = kit.sink(fresh("slot")).commit(sent, None)

    tail = kit.tail()
    for partition in range(4):
        mine = written[partition::4]
        keys = [r.key for r in read_to(tail, topic, partition, mine[-1] + 1)]
        assert keys == [record.key for record in sent[partition::4]]
    assert eventually(lambda: tail.bounds(topic, 0)[1] >= 500 or None, "the end of partition 0")
