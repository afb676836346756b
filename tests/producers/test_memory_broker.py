"""What only the twin can do: make things go wrong on demand. The rest is in the contract suites."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from consumers.memory_source import MemorySource, MemoryTail
from producers.memory_broker import MemoryBroker, MemorySink
from producers.memory_transaction import OFFSETS, Transaction
from producers.sink import Committed, Offsets, Outgoing
from stream.errors import BrokerUnavailable, CommitFailed, Disagreement, IncompleteJournal
from tests.brokers import joined, read_to, taken


@pytest.fixture
def broker() -> MemoryBroker:
    broker = MemoryBroker(clock_ms=lambda: 1234)
    broker.create("in", 2)
    broker.create("out", 1)
    return broker


def fill(broker: MemoryBroker, *values: bytes) -> None:
    for value in values:
        broker.append(Outgoing("in", 0, None, value))


@pytest.mark.parametrize(("fate", "offset", "values"), [("committed", 3, [b"x"]), ("aborted", None, [])])
def test_a_failed_commit_may_or_may_not_have_happened(
    broker: MemoryBroker, fate: str, offset: int | None, values: list[bytes]
) -> None:
    source, sink = MemorySource(broker, "in", "g"), MemorySink(broker, "s")
    membership = joined(source, {0, 1}).membership
    broker.fail_next("committed" if fate == "committed" else "aborted")

    with pytest.raises(CommitFailed):
        sink.commit([Outgoing("out", 0, None, b"x")], Offsets("in", {0: 3}, membership))

    assert source.committed([0]) == {0: None if offset is None else Committed(offset)}
    tail = MemoryTail(broker)
    assert [r.value for r in read_to(tail, "out", 0, tail.bounds("out", 0)[1])] == values
    (after,) = sink.commit([Outgoing("out", 0, None, b"y")], Offsets("in", {0: 4}, membership))
    assert after == 2, "the doubtful record and its marker took an offset each"


def test_after_a_rebalance_nothing_of_the_old_epoch_can_be_committed(broker: MemoryBroker) -> None:
    fill(broker, b"a")
    source, sink = MemorySource(broker, "in", "g"), MemorySink(broker, "s")
    joined(source, {0, 1})
    polled = source.poll(0)
    assert polled.count == 1
    broker.rebalance("g")
    with pytest.raises(CommitFailed):
        sink.commit([], Offsets("in", {0: 1}, polled.membership))

    again = source.poll(0)
    assert (again.epoch, again.count) == (polled.epoch + 1, 0)
    source.seek(0, 0)
    sink.commit([], Offsets("in", {0: 1}, source.poll(0).membership))


def test_an_expelled_member_learns_that_it_owns_nothing_and_joins_anew(broker: MemoryBroker) -> None:
    source = MemorySource(broker, "in", "g")
    before = joined(source, {0, 1})
    broker.expel("g")
    lost = source.poll(0)
    assert (lost.epoch, lost.assigned, lost.membership.is_valid) == (before.epoch + 1, frozenset(), False)
    back = source.poll(0)
    assert back.epoch == lost.epoch + 1
    assert back.assigned == {0, 1}
    assert back.membership.member != before.membership.member


def test_what_retention_deleted_is_never_skipped(broker: MemoryBroker) -> None:
    fill(broker, b"a", b"b", b"c")
    broker.delete_before("in", 0, 2)
    source = MemorySource(broker, "in", "g")
    joined(source, {0, 1})
    assert source.beginning([0, 1]) == {0: 2, 1: 0}
    with pytest.raises(Disagreement):
        source.poll(0)
    with pytest.raises(IncompleteJournal):
        MemoryTail(broker).read("in", 0, 1, 0)
    source.seek(0, 2)
    assert [r.value for r in taken(source, 1)] == [b"c"]


def test_a_topic_created_anew_is_another_one(broker: MemoryBroker) -> None:
    before, partitions = broker.identity("in")
    broker.create("in", 7)
    assert broker.identity("in") == (before, partitions) == (before, 2)
    broker.delete("in")
    with pytest.raises(BrokerUnavailable):
        broker.identity("in")
    broker.create("in", 3)
    assert broker.identity("in")[0] != before
    assert broker.bounds("in", 0) == (0, 0)


def test_a_transaction_on_a_missing_partition_writes_nothing(broker: MemoryBroker) -> None:
    sink = MemorySink(broker, "s")
    with pytest.raises(BrokerUnavailable):
        sink.commit([Outgoing("out", 0, None, b"x"), Outgoing("out", 1, None, b"y")], None)
    assert broker.bounds("out", 0) == (0, 0)


def test_records_carry_the_brokers_clock(broker: MemoryBroker) -> None:
    fill(broker, b"a")
    broker.append(Outgoing("in", 0, None, b"b"), timestamp_ms=99)
    records, _ = MemoryTail(broker).read("in", 0, 0, 0)
    assert [r.timestamp_ms for r in records] == [1234, 99]


def test_a_waiting_poll_and_a_waiting_read_wake_up(broker: MemoryBroker) -> None:
    source = MemorySource(broker, "in", "g")
    joined(source, {0, 1})
    started = threading.Barrier(3)

    def poll() -> int:
        started.wait()
        return source.poll(30).count

    def read() -> int:
        started.wait()
        return len(MemoryTail(broker).read("in", 0, 0, 30)[0])

    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(poll), threads.submit(read)]
        started.wait()
        fill(broker, b"a")
        assert [each.result(10) for each in waiting] == [1, 1]


# A transaction between its first record and the last of its markers


@pytest.fixture
def member(broker: MemoryBroker) -> MemorySource:
    source = MemorySource(broker, "in", "g")
    joined(source, {0, 1})
    return source


def prepared(broker: MemoryBroker, member: MemorySource, epoch: int) -> Transaction:
    membership = member.poll(0).membership
    return broker.prepare(("s", epoch), [Outgoing("out", 0, None, b"x")], Offsets("in", {0: 3}, membership))


def seen(broker: MemoryBroker) -> list[bytes | None]:
    return [r.value for r in MemoryTail(broker).read("out", 0, 0, 0)[0]]


def test_an_open_transaction_hides_what_is_behind_it_and_its_offsets_are_pending(
    broker: MemoryBroker, member: MemorySource
) -> None:
    transaction = prepared(broker, member, broker.init_transactions("s"))
    broker.append(Outgoing("out", 0, None, b"behind"))
    assert (broker.bounds("out", 0), broker.end("out", 0)) == ((0, 0), 2)
    assert seen(broker) == []
    assert MemoryTail(broker).read("out", 0, 1, 0) == ([], 1), "beyond what is stable is not beyond the log"
    with pytest.raises(BrokerUnavailable, match=r"partitions \[0\] of 'in' is open"):
        member.committed([0, 1])
    assert member.committed([1]) == {1: None}
    broker.decide(transaction, "committed")
    assert seen(broker) == [b"x", b"behind"]
    assert member.committed([0]) == {0: Committed(3)}
    assert broker.bounds("out", 0) == (0, 3), "the marker is behind"


@pytest.mark.parametrize("ended_by", ["its successor", "time"])
def test_what_was_left_open_is_aborted(broker: MemoryBroker, member: MemorySource, ended_by: str) -> None:
    transaction = prepared(broker, member, broker.init_transactions("s"))
    broker.end_transactions(begun_before_ms=1234)
    assert broker.pending("g", "in") == {0}, "it is not old enough"
    if ended_by == "time":
        broker.end_transactions(begun_before_ms=1235)
    else:
        broker.init_transactions("s")
    assert member.committed([0]) == {0: None}
    assert (seen(broker), broker.bounds("out", 0)) == ([], (0, 2))
    with pytest.raises(CommitFailed):
        broker.decide(transaction, "committed")


@pytest.mark.parametrize(("late", "values", "offset"), [(OFFSETS, [b"x"], None), ("out", [], Committed(3))])
def test_markers_may_come_late_in_one_place(
    broker: MemoryBroker, member: MemorySource, late: str, values: list[bytes], offset: Committed | None
) -> None:
    broker.decide(prepared(broker, member, broker.init_transactions("s")), "committed", late={late})
    assert seen(broker) == values
    if offset is None:
        with pytest.raises(BrokerUnavailable):
            member.committed([0])
    else:
        assert member.committed([0]) == {0: offset}
    broker.init_transactions("s")
    assert seen(broker) == [b"x"]
    assert member.committed([0]) == {0: Committed(3)}


def test_members_are_checked_when_offsets_are_sent_and_not_again(broker: MemoryBroker, member: MemorySource) -> None:
    transaction = prepared(broker, member, broker.init_transactions("s"))
    broker.rebalance("g")
    broker.decide(transaction, "committed")
    assert member.committed([0]) == {0: Committed(3)}


def test_a_replaced_producer_does_not_end_the_transaction_of_its_successor(
    broker: MemoryBroker, member: MemorySource
) -> None:
    old, new = broker.init_transactions("s"), broker.init_transactions("s")
    transaction = prepared(broker, member, new)
    with pytest.raises(CommitFailed):
        prepared(broker, member, old)
    broker.decide(transaction, "committed")
    assert seen(broker) == [b"x"]
