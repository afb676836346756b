"""Overrides: an analyst's word holds a customer where the model would not, for as long as it lasts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.contracts.changes import Cause, Override, SegmentChange
from stream.contracts.events import Event
from stream.contracts.timestamps import rfc3339
from stream.customer.features import FOREVER, NEVER
from stream.customer.state import Status
from stream.decision.movement import movement
from stream.model.snapshot import Snapshot
from tests.decision.year import year
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, event, override, shop, shop_model
from tests.streams import cuts, streams
from tests.town import Town, told

NOON = MONDAY_MS + 50 * DAY_MS + HOUR_MS
"""Shortly after the last order of ``steady``."""
few = settings(max_examples=30)


def reach(at_ms: int) -> list[Event]:
    """So many have reached a time that the stream has."""
    return [event(customer, at_ms, 1.0) for customer in "xyz"]


def steady(customer: str = "c", n: int = 26) -> list[Event]:
    """Every second day a small basket: s2, frequent and small."""
    baskets = [event(customer, MONDAY_MS + i * 2 * DAY_MS, 20.0) for i in range(n)]
    return [*baskets, *reach(baskets[-1].occurred_at_ms)]


def town(*events: Iterable[Event], snapshot: Snapshot | None = None) -> Town:
    lived = Town(shop(), snapshot or shop_model())
    lived.live([one for some in events for one in some])
    return lived


def last(lived: Town, customer: str = "c") -> SegmentChange:
    return told(lived.changes)[customer][-1]


def where(lived: Town, customer: str = "c") -> tuple[int, Status]:
    row = lived.row(customer)
    return int(row["segment"]), Status(int(row["status"]))


def test_a_customer_is_held_where_an_analyst_says() -> None:
    word = override("c", NOON, 3, NOON + 9 * DAY_MS, event_id="w1")
    lived = town(steady())
    lived.live([word])
    change = last(lived)
    assert where(lived) == (3, Status.LOCKED)
    assert change.previous is not None
    assert change.current is not None
    assert (change.previous.id, change.previous.status) == ("s2", "ready")
    assert (change.current.id, change.current.status, change.current.name) == ("s3", "locked", "name of 3")
    assert (change.cause, change.trigger_event_id) == (Cause.OVERRIDE, "w1")
    assert change.override == Override("w1", "anna", "knows them", rfc3339(NOON + 9 * DAY_MS))
    assert (change.reasons, change.counterfactual) == ((), None)
    assert [m.id for m in change.membership] == ["s2", "s1"], "where it stands, not where it is held"
    lived.live([override("c", NOON + 1, 0)])
    assert where(lived) == (2, Status.READY)
    assert [step.flaps for step in lived.steps[-2:]] == [0, 0], "an analyst does not flap"


def test_looks_go_on_and_move_nothing_but_the_numbers() -> None:
    lived = town(steady(), [override("c", NOON, 3)])
    held, free = lived.row("c").copy(), town(steady()).row("c")
    assert held["margin"] < -0.25, "no stabiliser would hold on so long"
    lived.live([event("c", NOON + DAY_MS, 900.0)])
    after = lived.row("c")
    assert after["margin"] > held["margin"]
    assert after["fit"] < held["fit"]
    assert (after["looks"], after["looked_at"]) == (27, NOON + DAY_MS)
    assert (held["cell"], held["y"].tolist()) == (free["cell"], free["y"].tolist()) != (after["cell"], [])
    assert where(lived) == (3, Status.LOCKED)
    assert last(lived).cause == Cause.OVERRIDE


def test_it_counts_where_it_stands_and_under_the_segment_that_it_is_held_in() -> None:
    lived = town(steady())
    before = lived.rows()
    lived.feed([override("c", NOON, 3)])
    learning = movement(shop(), 0, 0, before, lived.rows(), None)
    assert learning is not None
    assert learning.held == {2: -1, 3: 1}
    assert learning.n.sum() == 0


def test_letting_go_decides_anew_at_once() -> None:
    """As if nobody had been anywhere: from s3 the stabiliser would hold on to what no longer is meant."""
    lived = town(steady(), [override("c", NOON, 1)], snapshot=shop_model(margin=0.9))
    assert where(lived) == (1, Status.LOCKED)
    lived.live([override("c", NOON + 1, 0, event_id="w2")])
    change = last(lived)
    assert where(lived) == (2, Status.READY)
    assert (change.cause, change.trigger_event_id, change.override) == (
        Cause.OVERRIDE,
        "w2",
        Override("w2", "anna", "knows them", None),
    )
    assert change.reasons
    assert change.counterfactual is None
    row = lived.row("c")
    assert (row["lock"], row["lock_until"]) == (0, NEVER)


def test_its_time_is_up_in_event_time() -> None:
    until = NOON + 5 * DAY_MS
    word = override("c", NOON, 3, until, event_id="w1")
    for some in (reach(until), reach(until + 1)):
        lived = town(steady(), [word], some)
        assert where(lived) == ((3, Status.LOCKED) if some[0].occurred_at_ms == until else (2, Status.READY))
    change = last(lived)
    assert (change.cause, change.trigger_event_id, change.occurred_at) == (Cause.OVERRIDE, None, rfc3339(until))
    assert change.override == Override("w1", "anna", "knows them", rfc3339(until))
    word_still = lived.registers("c").override
    assert word_still is not None, "it is over, and known"


def test_an_order_on_the_way_finds_the_lock_over() -> None:
    until = NOON + 5 * DAY_MS
    lived = town(steady(), [override("c", NOON, 3, until), event("c", until + HOUR_MS, 20.0)])
    assert last(lived).occurred_at == rfc3339(until)
    assert where(lived) == (2, Status.READY)


def test_to_hold_a_customer_where_it_is_changes_its_status() -> None:
    lived = town(steady(), [override("c", NOON, 2)])
    change = last(lived)
    assert change.previous is not None
    assert change.current is not None
    assert (change.previous.id, change.current.id, change.current.status) == ("s2", "s2", "locked")
    assert change.cause == Cause.OVERRIDE
    lived.live([override("c", NOON + 1, 0)])
    assert (last(lived).cause, where(lived)) == (Cause.OVERRIDE, (2, Status.READY))


def test_a_new_term_for_the_same_segment_is_no_change_but_counts() -> None:
    lived = town(steady(), [override("c", NOON, 3, NOON + DAY_MS)])
    count = len(told(lived.changes)["c"])
    lived.live([override("c", NOON + 1, 3), *reach(NOON + 9 * DAY_MS)])
    assert len(told(lived.changes)["c"]) == count
    assert where(lived) == (3, Status.LOCKED)
    assert lived.row("c")["lock_until"] == FOREVER


def test_a_word_is_no_sign_of_life() -> None:
    lived = town(steady(n=4), reach(NOON + 200 * DAY_MS))
    assert where(lived)[1] == Status.DORMANT
    before = lived.row("c").copy()
    lived.live([override("c", NOON + 200 * DAY_MS, 3)])
    after = lived.row("c")
    assert where(lived) == (3, Status.DORMANT)
    for field in ("newest_at", "first_at", "looks", "cell", "sums"):
        assert after[field].tobytes() == before[field].tobytes(), field
    assert (last(lived).cause, last(lived).reasons) == (Cause.OVERRIDE, ())


def test_a_lock_sleeps_with_its_customer_and_wakes_with_it() -> None:
    lived = town(steady(), [override("c", NOON, 3), *reach(NOON + 200 * DAY_MS)])
    assert where(lived) == (3, Status.DORMANT)
    assert (last(lived).cause, last(lived).override is not None) == (Cause.TIME, True)
    assert lived.row("c")["cell"] == -1, "nobody who sleeps counts in the population"
    lived.live([event("c", NOON + 201 * DAY_MS, 1.0)])
    assert where(lived) == (3, Status.LOCKED)
    assert (last(lived).cause, last(lived).override is not None) == (Cause.BEHAVIOUR, True)


def test_a_lock_that_is_over_while_its_customer_sleeps_lets_it_go() -> None:
    until = NOON + 100 * DAY_MS
    lived = town(steady(), [override("c", NOON, 3, until), *reach(NOON + 200 * DAY_MS)])
    assert where(lived) == (1, Status.DORMANT)
    assert (last(lived).cause, last(lived).occurred_at) == (Cause.OVERRIDE, rfc3339(until))


def test_who_is_silent_for_years_is_closed_and_the_word_forgotten() -> None:
    lived = town(steady(), [override("c", NOON, 3)])
    lived.live(reach(NOON + 1000 * DAY_MS))
    row = lived.row("c")
    assert (row["status"], row["lock"], row["lock_until"], row["deadline"]) == (Status.CLOSED, 0, NEVER, NEVER)
    assert last(lived).cause == Cause.EXPIRED
    assert lived.registers("c").override is None


def test_who_is_cold_can_be_held_and_is_nowhere_when_let_go() -> None:
    lived = town([event("c", MONDAY_MS, 20.0), override("c", MONDAY_MS + 1, 3)])
    assert where(lived) == (3, Status.LOCKED)
    assert lived.row("c")["provisional"] == 0
    lived.live([override("c", MONDAY_MS + 2, 0)])
    assert where(lived) == (0, Status.COLD)
    assert lived.row("c")["provisional"] == 1


def test_who_never_was_seen_can_be_held_and_counts_nowhere() -> None:
    lived = town([event("x", MONDAY_MS, 1.0), override("c", MONDAY_MS, 3, MONDAY_MS + DAY_MS)])
    assert where(lived) == (3, Status.LOCKED)
    assert lived.row("c")["cell"] == -1
    assert (last(lived).previous, last(lived).cause) == (None, Cause.OVERRIDE)
    lived.live(reach(MONDAY_MS + 2 * DAY_MS))
    assert where(lived) == (0, Status.COLD)


@pytest.mark.parametrize("retiring", [[3], [1, 3]])
def test_a_segment_that_leaves_ends_the_lock(retiring: list[int]) -> None:
    """At the next look, which a new structure of the model makes soon, by the sweep."""
    lived = town(steady(), [override("c", NOON, 3, event_id="w1")])
    lived.snapshot = shop_model(version=2, epoch=2, retiring=retiring)
    lived.feed([], sweep=["c"])
    change = last(lived)
    assert where(lived) == (2, Status.READY)
    assert (change.cause, change.trigger_event_id) == (Cause.MODEL, None)
    assert change.override == Override("w1", "anna", "knows them", None)


def test_a_lock_outlives_models_as_long_as_its_segment() -> None:
    lived = town(steady(), [override("c", NOON, 3)])
    for version in range(2, 6):
        lived.snapshot = shop_model(version=version, epoch=version)
        assert lived.feed([], sweep=["c"]).changes == []
    assert where(lived) == (3, Status.LOCKED)


def test_a_sleepers_lock_ends_with_its_segment_too() -> None:
    lived = town(steady(), [override("c", NOON, 3), *reach(NOON + 200 * DAY_MS)])
    lived.snapshot = shop_model(version=2, epoch=2, retiring=[3])
    lived.feed([], sweep=["c"])
    assert (where(lived), last(lived).cause) == ((1, Status.DORMANT), Cause.MODEL)


def test_without_a_model_nobody_can_be_held() -> None:
    """Such a word does not get here; a step is total all the same."""
    lived = Town(shop())
    lived.live([event("c", MONDAY_MS, 1.0), override("c", MONDAY_MS, 3), override("c", MONDAY_MS, 0)])
    assert where(lived) == (0, Status.COLD)
    assert lived.row("c")["lock"] == 0


def test_the_word_of_the_latest_time_counts_whichever_comes_first() -> None:
    words = [override("c", NOON + i, number, event_id=f"w{i}") for i, number in enumerate((1, 3, 2, 3, 0, 1))]
    expected = town(steady(), words).row("c")
    assert expected["lock"] == 1
    for seed in range(6):
        shuffled = list(words)
        Random(seed).shuffle(shuffled)
        lived = town(steady(), shuffled)
        assert where(lived) == (1, Status.LOCKED)
        assert lived.registers("c").override == town(steady(), words).registers("c").override


def test_of_words_at_one_time_the_larger_event_id_counts() -> None:
    words = [override("c", NOON, 1, event_id="a"), override("c", NOON, 3, event_id="b")]
    assert where(town(steady(), words)) == where(town(steady(), words[::-1])) == (3, Status.LOCKED)


def test_a_word_that_is_over_when_it_arrives_holds_nobody_and_frees_nobody() -> None:
    """Late: its customer stands behind its end already. The segment held is not asked about anew."""
    late = override("c", NOON - 9 * DAY_MS, 3, NOON - 8 * DAY_MS)
    lived = town(steady(), snapshot=shop_model(margin=0.9))
    before, count = where(lived), len(lived.changes)
    lived.live([late])
    assert (where(lived), len(lived.changes)) == (before, count)
    word = lived.registers("c").override
    assert word is not None
    assert word.event_id == late.event_id


def test_a_duplicate_of_a_word_changes_nothing() -> None:
    word, release = override("c", NOON, 3, event_id="w1"), override("c", NOON + 1, 0, event_id="w2")
    before = steady()
    lived = town(before, [word, release, word, release])
    assert lived.duplicates == 2
    assert lived.states == town(before, [word, release]).states


def test_an_analysts_clock_is_not_the_streams() -> None:
    """In a replay of last year, words of today neither make everybody silent nor age their own customer."""
    today = NOON + 900 * DAY_MS
    lived = town(steady(), steady("d"), [override(c, today + i, 3, event_id=f"w{c}") for i, c in enumerate("cde")])
    assert [clock.now_ms for clock in lived.clocks] == [NOON - HOUR_MS]
    assert lived.clocks[0].claims == {}
    assert where(lived) == where(lived, "d") == where(lived, "e") == (3, Status.LOCKED)
    assert lived.row("c")["looked_at"] == NOON - HOUR_MS
    lived.live([event("c", NOON, 20.0)])
    assert (lived.row("c")["looked_at"], where(lived)) == (NOON, (3, Status.LOCKED))


def test_when_the_first_thing_ever_heard_is_a_word() -> None:
    lived = town([override("c", NOON + 900 * DAY_MS, 3)], [event("d", MONDAY_MS, 1.0)])
    assert where(lived) == (3, Status.LOCKED)
    assert lived.clocks[0].now_ms == MONDAY_MS


def test_a_batch_without_words_is_not_looked_through_for_them() -> None:
    batch = Town(shop(), shop_model()).batch(year(1, customers=3))
    assert len(batch.overrides) == 0
    assert batch.tells_time.all()


@st.composite
def spoken(draw: st.DrawFn) -> list[Event]:
    """A stream with words in it: of any time, some over before they come, some twice. What time it is is known: a word
    before the first event of all would be looked at in its own time.
    """
    events = draw(streams(max_events=25, refunds=True))
    for number in range(draw(st.integers(1, 8))):
        position = draw(st.integers(1, len(events)))
        around = events[min(position, len(events) - 1)].occurred_at_ms
        at = around + draw(st.sampled_from([0, 0, 1, -1, HOUR_MS, -9 * DAY_MS, 900 * DAY_MS]))
        lasts = draw(st.sampled_from([None, 1, DAY_MS, 20 * DAY_MS, 100 * DAY_MS]))
        who, segment = f"c{draw(st.integers(1, 4))}", draw(st.sampled_from([0, 1, 2, 3, 3]))
        word = override(who, at, segment, None if lasts is None else at + lasts, event_id=f"w{number % 7}")
        events.insert(position, word)
    return events


@given(spoken(), st.data())
@few
def test_where_batches_are_cut_changes_no_bit_of_it(events: list[Event], data: st.DataObject) -> None:
    whole, parts = town(events), Town(shop(), shop_model())
    parts.live(events, data.draw(cuts(events)))
    assert parts.states == whole.states
    assert told(parts.changes) == told(whole.changes)
    assert parts.clocks == whole.clocks


@given(spoken())
@few
def test_words_leave_the_accumulators_alone(events: list[Event]) -> None:
    said, unsaid = town(events), town([e for e in events if e.override is None])
    for customer in unsaid.states:
        one, other = said.row(customer), unsaid.row(customer)
        for field in ("sums", "first_at", "newest_at", "looks"):
            assert one[field].tobytes() == other[field].tobytes()


@given(spoken())
@few
def test_who_is_locked_is_in_the_locks_segment_and_has_a_word_for_it(events: list[Event]) -> None:
    lived = town(events)
    rows = lived.rows()
    locked = rows["lock"] != 0
    assert (rows["segment"][locked] == rows["lock"][locked]).all()
    assert np.isin(rows["status"][locked], [Status.LOCKED, Status.DORMANT]).all()
    assert (locked[rows["status"] == Status.LOCKED]).all()
    for customer in lived.states:
        row, word = lived.row(customer), lived.registers(customer).override
        if row["lock"]:
            assert word is not None
            assert (word.value.segment, word.value.until_ms or FOREVER) == (row["lock"], row["lock_until"])
            assert row["deadline"] <= row["lock_until"]
    for change in lived.changes:
        assert (change.override is not None) or change.cause != Cause.OVERRIDE
        assert change.override or not change.current or change.current.status != "locked"


@given(spoken())
@few
def test_the_last_word_does_not_depend_on_the_order(events: list[Event]) -> None:
    words = [replace_id(e, i) for i, e in enumerate(events) if e.override is not None]
    one, other = (town([event("x", MONDAY_MS, 1.0)], some) for some in (words, words[::-1]))
    for customer in one.states:
        assert one.registers(customer) == other.registers(customer)


def replace_id(one: Event, number: int) -> Event:
    return one._replace(event_id=f"{one.event_id}-{number}")


def test_a_wrong_number_in_a_lock_is_never_asked_of_the_model() -> None:
    """Segments of a model that was lost: the number is in the row, not in the snapshot."""
    lived = town(steady(), [override("c", NOON, 3)])
    two = [s for s in shop_model().segments if s.number != 3]
    lived.snapshot = replace(shop_model(version=2, epoch=2), segments=tuple(two))
    lived.feed([], sweep=["c"])
    assert (where(lived), last(lived).cause) == ((2, Status.READY), Cause.MODEL)
