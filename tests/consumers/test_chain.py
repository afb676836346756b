"""The chain of a journal: followed to the batch that was committed, neither less nor more, or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.chain import Chain, Followed
from consumers.source import Record
from producers.sink import Committed
from stream.errors import BrokerUnavailable, Disagreement, IncompleteJournal
from stream.view.journal import PART_BYTES, Mark
from tests.consumers.journals import TOPIC, HandWritten, committed
from tests.consumers.unsteady import Faults, UnsteadyTail

WAIT_SECONDS = 10.0

Batches = list[tuple[dict[str, bytes], int, bool]]
"""States, events, and whether a transaction that failed came before."""
batches = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("abcde"), st.binary(max_size=3)), st.integers(0, 2), st.booleans()),
    min_size=1,
    max_size=8,
)


@pytest.fixture
def journal() -> HandWritten:
    return HandWritten()


@pytest.fixture
def faults() -> Faults:
    return Faults()


def follow(journal: HandWritten, mark: Mark | None, goal: Committed | None, faults: Faults | None = None) -> Followed:
    faults = faults or Faults()
    tail = UnsteadyTail(journal.broker, faults, limit=2)
    return Chain(tail, TOPIC, journal.partition, WAIT_SECONDS, faults.wall.now).follow(mark, goal)


@given(batches, st.data())
def test_following_gives_the_newest_states_between_the_mark_and_what_was_committed(
    written: Batches, data: st.DataObject
) -> None:
    journal = HandWritten()
    marks: list[Mark | None] = [None]
    for states, events, failed_before in written:
        if failed_before:
            journal.aborted({"never": b""})
        marks.append(journal.batch(states, events))
    start = data.draw(st.integers(0, len(written)))
    goal = data.draw(st.integers(max(start, 1), len(written)))
    end = marks[goal]
    assert end is not None
    followed = follow(journal, marks[start], committed(end))
    assert followed.mark == end
    newest: dict[str, bytes] = {}
    for states, _, _ in written[start:goal]:
        newest |= states
    assert followed.states == newest


def test_it_stops_at_the_committed_batch_although_the_input_offset_does_not_tell_it_from_later_ones(
    journal: HandWritten,
) -> None:
    marks = [journal.batch({"a": bytes([i])}, events=0) for i in range(4)]
    assert len({mark.next for mark in marks}) == 1
    followed = follow(journal, None, committed(marks[1]))
    assert followed.mark == marks[1]
    assert followed.states == {"a": b"\x01"}


def test_other_partitions_have_journals_of_their_own() -> None:
    journal = HandWritten(partition=1)
    mark = journal.batch({"a": b"1"})
    assert follow(journal, None, committed(mark)).states == {"a": b"1"}


def test_a_store_that_is_there_already_has_nothing_to_follow(journal: HandWritten, faults: Faults) -> None:
    mark = journal.batch({"a": b"1"})
    before = faults.wall.now()
    assert follow(journal, mark, committed(mark), faults) == Followed(mark, {}, 0)
    assert faults.wall.now() == before


# What is committed but not visible yet


def test_it_waits_for_a_record_that_becomes_visible_late(journal: HandWritten, faults: Faults) -> None:
    first = journal.batch({"a": b"1"})
    last = journal.batch({"b": b"2"})
    faults.hide(TOPIC, first.journal + 1, WAIT_SECONDS * 0.9)
    assert follow(journal, None, committed(last), faults).states == {"a": b"1", "b": b"2"}


def test_every_record_gives_the_next_one_time(journal: HandWritten, faults: Faults) -> None:
    marks = [journal.batch() for _ in range(4)]
    for number, mark in enumerate(marks, start=1):
        faults.hide(TOPIC, mark.journal, WAIT_SECONDS * 0.8 * number)
    assert follow(journal, None, committed(marks[-1]), faults).mark == marks[-1]


def test_it_does_not_wait_for_ever(journal: HandWritten, faults: Faults) -> None:
    marks = [journal.batch() for _ in range(2)]
    faults.hide(TOPIC, marks[1].journal, 1e9)
    before = faults.wall.now()
    with pytest.raises(Disagreement, match=r"offset 102 .* is committed, .* lead to 101 "):
        follow(journal, None, committed(marks[-1]), faults)
    assert WAIT_SECONDS <= faults.wall.now() - before < WAIT_SECONDS + 1


class MuteTail(UnsteadyTail):
    """A broker that says what there is and does not hand it out."""

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        self._faults.wall.wait(timeout_seconds)
        return [], offset


def test_what_is_there_and_cannot_be_read_in_time_says_nothing_of_the_journal(
    journal: HandWritten, faults: Faults
) -> None:
    goal = committed(journal.batch({"a": b"1"}))
    chain = Chain(MuteTail(journal.broker, faults), TOPIC, journal.partition, WAIT_SECONDS, faults.wall.now)
    with pytest.raises(BrokerUnavailable, match="cannot be read from 0"):
        chain.follow(None, goal)


def test_a_batch_of_which_the_last_part_is_missing_is_waited_for(journal: HandWritten, faults: Faults) -> None:
    mark = journal.batch({name: bytes(PART_BYTES - 1) for name in "abc"})
    faults.hide(TOPIC, mark.journal, 3.0)
    followed = follow(journal, None, committed(mark), faults)
    assert (followed.mark, set(followed.states)) == (mark, {"a", "b", "c"})


# A committed offset without a note of the batch


def test_without_a_note_it_goes_to_the_end_and_must_arrive_at_the_offset(journal: HandWritten) -> None:
    journal.batch({"a": b"1"})
    timers = journal.batch({"a": b"2"}, events=0)
    assert follow(journal, None, Committed(timers.next)) == Followed(timers, {"a": b"2"}, 0)
    for other in (-1, 1):
        with pytest.raises(Disagreement, match="was changed by hand; delete the group's offset"):
            follow(journal, None, Committed(timers.next + other))


def test_without_a_note_it_waits_too(journal: HandWritten, faults: Faults) -> None:
    first, last = journal.batch(), journal.batch()
    faults.hide(TOPIC, first.journal + 1, 3.0)
    assert follow(journal, None, Committed(last.next), faults).mark == last


# Without a committed offset


def test_without_a_committed_offset_it_goes_to_the_end(journal: HandWritten) -> None:
    assert follow(journal, None, None).mark is None
    first, last = journal.batch({"a": b"1"}), journal.batch({"b": b"2"})
    assert follow(journal, None, None) == Followed(last, {"a": b"1", "b": b"2"}, 0)
    assert follow(journal, first, None) == Followed(last, {"b": b"2"}, 0)
    assert follow(journal, last, None) == Followed(last, {}, 0)


# What contradicts itself


def test_another_offset_than_the_batch_led_to_is_refused(journal: HandWritten) -> None:
    mark = journal.batch()
    with pytest.raises(Disagreement, match=r"offset 102 .* to 101 .* was changed by hand; delete the group's offset"):
        follow(journal, None, Committed(mark.next + 1, str(mark.sequence)))


def test_a_store_that_is_ahead_of_what_was_committed_is_refused(journal: HandWritten) -> None:
    first, last = journal.batch(), journal.batch()
    with pytest.raises(Disagreement, match=r"offset 101 .* is committed, .* lead to 102 "):
        follow(journal, last, committed(first))


@pytest.mark.parametrize("starts_at", ["the mark", "the beginning"])
def test_a_broken_chain_is_refused(journal: HandWritten, starts_at: str) -> None:
    first = journal.batch()
    journal.mark = replace(first, journal=first.journal + 50)
    last = journal.batch()
    with pytest.raises(Disagreement, match=f"the journal's chain is broken behind offset {first.journal}"):
        follow(journal, first if starts_at == "the mark" else None, committed(last))


# How far back it reaches


def test_something_committed_and_no_journal_is_incomplete(journal: HandWritten) -> None:
    with pytest.raises(IncompleteJournal, match=r"offset 107 is committed, but no journal leads there"):
        follow(journal, None, Committed(107, "7"))


def test_from_the_floor_on_everything_is_there(journal: HandWritten) -> None:
    old = journal.batch({"a": b"1", "b": b"1"})
    swept = journal.batch({"a": b"2", "b": b"2"}, floor=old.journal + 1)
    last = journal.batch({"b": b"3"})
    journal.begins_at(swept.journal)
    assert swept.journal > swept.floor  # between them is the marker of the transaction before
    assert follow(journal, None, committed(last)).states == {"a": b"2", "b": b"3"}
    journal.begins_at(last.journal)
    with pytest.raises(
        IncompleteJournal, match=f"starts at {swept.journal + 1}, but is complete only from {swept.floor}"
    ):
        follow(journal, None, committed(last))


def test_a_journal_that_begins_in_the_middle_of_a_batch_lacks_that_batch(journal: HandWritten) -> None:
    old = journal.batch()
    cut = journal.batch({name: bytes(PART_BYTES - 1) for name in "abc"}, floor=old.journal + 1)
    journal.begins_at(cut.journal)
    with pytest.raises(IncompleteJournal):
        follow(journal, None, committed(cut))
    whole = journal.batch({"a": b"2"}, floor=cut.journal + 1)
    assert follow(journal, None, committed(whole)).states["a"] == b"2"


def test_a_store_older_than_the_journal_reaches_back_begins_with_the_journal(journal: HandWritten) -> None:
    ancient = journal.batch({"a": b"1", "b": b"1"})
    journal.batch({"b": b"2"})
    swept = journal.batch({"a": b"3", "b": b"3"}, floor=journal.mark.journal + 1)
    journal.begins_at(swept.journal)
    assert follow(journal, ancient, committed(swept)) == Followed(swept, {"a": b"3", "b": b"3"}, swept.floor)


def test_a_large_batch_is_cut_into_parts_and_put_together_again(journal: HandWritten) -> None:
    states = {f"c{i}": bytes([i]) * 200_000 for i in range(9)}
    mark = journal.batch(states)
    _, end = journal.broker.bounds(TOPIC, 0)
    assert end == 5 + 1  # two states a part, and the marker
    assert follow(journal, None, committed(mark)).states == states
