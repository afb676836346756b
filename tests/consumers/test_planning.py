"""Planning: what a round loads, up to which time its timers may fire, and where the partitions stand afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from consumers.assembling import Intake
from consumers.planning import LEAST_TIMERS, PATIENCE_SECONDS, WATCH_SECONDS, Planner
from consumers.sweeping import HURRY, PAGE
from stream.contracts.events import Event
from stream.customer.features import NEVER
from stream.decision.assign import Assigner
from stream.decision.step import Stepper
from stream.settings import load
from stream.view.journal import Mark
from stream.view.store import Loaded, Wanted
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, event, shop, shop_model
from tests.town import Town

NOW_SECONDS = MONDAY_MS / 1000
CAP_SECONDS = 3600.0


def planner(**worker: Any) -> Planner:
    """Half of a batch of 100 may go to timers."""
    return Planner(load(flags={"worker": {"timer_share": 0.5, **worker}, "kafka": {"max_poll_records": 100}}))


def live() -> Planner:
    return planner(clock="live", idle_cap_seconds=CAP_SECONDS)


def mark(now_ms: int = MONDAY_MS, **fields: Any) -> Mark:
    """A partition that has a journal, and whose sweep is not due."""
    times = {"now_ms": now_ms, "newest_event_ms": now_ms}
    return Mark(**{"topic_id": "t", "partitions": 4, "features_id": "f", "next": 7, **times, **fields})


def took(*events: Event) -> Intake:
    return Intake(events=list(events))


def due_before(by: Planner, at: Mark, intake: Intake | None, now_seconds: float = NOW_SECONDS) -> int | None:
    """Up to where timers of one partition may fire."""
    return by.wanted({0: at}, {0: intake} if intake else {}, None, now_seconds)[0].due_before_ms


# Which partitions


def test_what_came_is_loaded_and_everything_is_looked_at_once_a_second() -> None:
    by, marks = planner(), {0: mark(), 1: mark()}
    came = {1: took(event("ann", MONDAY_MS), event("bob", MONDAY_MS), event("ann", MONDAY_MS + 1))}
    assert set(by.wanted(marks, came, None, NOW_SECONDS)) == {0, 1}
    assert by.wanted(marks, {}, None, NOW_SECONDS + 0.5 * WATCH_SECONDS) == {}
    again = by.wanted(marks, came, None, NOW_SECONDS + 0.9 * WATCH_SECONDS)
    assert set(again) == {1}
    assert again[1].customers == [b"ann", b"bob"]
    assert set(by.wanted(marks, {}, None, NOW_SECONDS + WATCH_SECONDS)) == {0, 1}


def test_a_partition_whose_sweep_is_due_is_loaded() -> None:
    by, marks = planner(), {0: mark(), 1: mark(journal=5, sweep_after="m", sweep_epoch=1)}
    by.wanted(marks, {}, None, NOW_SECONDS)
    wanted = by.wanted(marks, {}, Assigner(shop_model()), NOW_SECONDS + 0.1)
    assert set(wanted) == {1}
    assert (wanted[1].sweep_after, wanted[1].sweep_limit) == (b"m", HURRY)


def test_what_is_left_of_the_timers_is_looked_at_in_the_next_round_at_once() -> None:
    by, marks = planner(), {0: mark()}
    wanted = by.wanted(marks, {}, None, NOW_SECONDS)
    some = [b"c%d" % i for i in range(wanted[0].due_limit)]
    by.loaded(wanted, {0: Loaded(None, {}, due=some)})
    assert by.has_backlog
    assert set(by.wanted(marks, {}, None, NOW_SECONDS)) == {0}
    by.loaded(wanted, {0: Loaded(None, {}, due=some[:-1])})
    assert not by.has_backlog
    assert by.wanted(marks, {}, None, NOW_SECONDS) == {}


@pytest.mark.parametrize(("partitions", "limit"), [(1, 50), (3, 16), (80, 1)])
def test_in_quiet_timers_have_a_share_of_the_batch_over_all_partitions(partitions: int, limit: int) -> None:
    by, marks = planner(), {p: mark() for p in range(partitions)}
    for _ in range(20):
        wanted = by.wanted(marks, {}, None, NOW_SECONDS)
        by.loaded(wanted, {p: Loaded(None, {}, due=[b"c"] * wanted[p].due_limit) for p in wanted})
    assert {w.due_limit for w in wanted.values()} == {limit}


def test_a_round_with_one_partition_has_all_of_the_share_for_it() -> None:
    by, marks = planner(), {0: mark(), 1: mark()}
    many = {1: took(*(event("ann", MONDAY_MS + i) for i in range(900)))}
    by.wanted(marks, {}, None, NOW_SECONDS)
    assert {p: w.due_limit for p, w in by.wanted(marks, many, None, NOW_SECONDS).items()} == {1: 50}


def limit_beside(by: Planner, events: int) -> int:
    """How many timers may fire in a round with so many events."""
    came = {0: took(*(event("ann", MONDAY_MS + i) for i in range(events)))}
    return by.wanted({0: mark()}, came if events else {}, None, NOW_SECONDS)[0].due_limit


def test_beside_events_there_are_few_timers_and_more_beside_more() -> None:
    assert [limit_beside(planner(), events) for events in (1, 10, 1000)] == [LEAST_TIMERS, LEAST_TIMERS + 1, 50]


def test_the_longer_nothing_comes_the_more_timers_fire_at_once() -> None:
    by = planner()
    behind(by, mark())
    assert [limit_beside(by, events) for events in (1, 0, 0, 0, 0, 1, 0)] == [5, 10, 20, 40, 50, 5, 10]


def test_a_wall_clock_that_is_set_back_does_not_stop_the_watch_over_quiet_partitions() -> None:
    by, marks = planner(), {0: mark()}
    assert set(by.wanted(marks, {}, None, NOW_SECONDS)) == {0}
    assert not by.wanted(marks, {}, None, NOW_SECONDS + 0.5 * WATCH_SECONDS)
    assert set(by.wanted(marks, {}, None, NOW_SECONDS - 3600)) == {0}


def behind(by: Planner, at: Mark) -> None:
    """Leave timers over."""
    wanted = by.wanted({0: at}, {0: took(event("ann", at.now_ms))}, None, NOW_SECONDS)
    by.loaded(wanted, {0: Loaded(None, {}, due=[b"c"] * wanted[0].due_limit)})


def test_timers_that_are_left_over_wait_a_moment_for_records_to_ride_along_with() -> None:
    by = planner()
    assert by.patience_seconds() == load().kafka.poll_timeout_seconds
    behind(by, mark())
    assert by.patience_seconds() == PATIENCE_SECONDS
    by.wanted({0: mark()}, {}, None, NOW_SECONDS)
    assert by.patience_seconds() == 0.0


def test_timers_that_are_left_over_do_not_bring_a_partition_into_a_round_with_records_of_others() -> None:
    by, marks = planner(), {0: mark(), 1: mark()}
    behind(by, mark())
    came = {1: took(event("bob", MONDAY_MS))}
    wanted = by.wanted(marks, came, None, NOW_SECONDS + 0.5 * WATCH_SECONDS)
    assert set(wanted) == {1}
    by.loaded(wanted, {1: Loaded(None, {})})
    assert by.has_backlog  # of the other
    assert set(by.wanted(marks, came, None, NOW_SECONDS + WATCH_SECONDS)) == {0, 1}
    assert set(by.wanted(marks, {}, None, NOW_SECONDS + WATCH_SECONDS)) == {0, 1}


def test_what_a_partition_left_over_is_not_ours_any_more_when_it_is_gone() -> None:
    by = planner()
    behind(by, mark())
    by.wanted({1: mark()}, {}, None, NOW_SECONDS)
    assert not by.has_backlog


# Up to which time


def test_timers_fire_up_to_the_newest_event() -> None:
    newer = took(event("a", MONDAY_MS + HOUR_MS), event("a", MONDAY_MS))
    older = took(event("a", MONDAY_MS - HOUR_MS))
    for by in (planner(), live()):
        assert due_before(by, mark(), newer) == MONDAY_MS + HOUR_MS
        assert due_before(by, mark(), older) == MONDAY_MS


def test_under_the_clock_of_events_silence_is_no_time() -> None:
    assert due_before(planner(), mark(), None, NOW_SECONDS + 600) == MONDAY_MS


def test_under_a_live_clock_an_idle_partition_follows_the_wall_clock() -> None:
    assert due_before(live(), mark(), None, NOW_SECONDS + 600) == MONDAY_MS + 600_000


def test_what_was_all_rejected_is_no_event() -> None:
    assert due_before(live(), mark(), Intake(reasons=["null_key"]), NOW_SECONDS + 600) == MONDAY_MS + 600_000


def test_silence_everywhere_is_believed_only_so_long() -> None:
    assert due_before(live(), mark(), None, NOW_SECONDS + 10 * CAP_SECONDS) == MONDAY_MS + CAP_SECONDS * 1000


def test_a_restart_grants_no_further_time() -> None:
    carried = mark(MONDAY_MS + int(CAP_SECONDS) * 1000, newest_event_ms=MONDAY_MS)
    assert due_before(live(), carried, None, NOW_SECONDS + 10 * CAP_SECONDS) == carried.now_ms


def test_an_event_anywhere_says_that_the_upstream_lives() -> None:
    by, later_ms = live(), MONDAY_MS + 5 * DAY_MS
    idle, busy = mark(), mark()
    by.wanted({0: idle, 1: busy}, {1: took(event("a", later_ms))}, None, later_ms / 1000)
    assert due_before(by, idle, None, later_ms / 1000 + 60) == later_ms + 60_000


def test_time_never_goes_back() -> None:
    assert due_before(live(), mark(), None, NOW_SECONDS - 600) == MONDAY_MS
    ahead = mark(MONDAY_MS + DAY_MS)
    by = live()
    by.wanted({0: mark()}, {}, None, NOW_SECONDS)
    assert due_before(by, ahead, None, NOW_SECONDS + WATCH_SECONDS) == MONDAY_MS + DAY_MS


def test_before_its_first_event_a_partition_has_no_time() -> None:
    by = live()
    wanted = by.wanted({0: mark(NEVER), 1: mark()}, {}, None, NOW_SECONDS + 60)
    assert wanted[0].due_before_ms == NEVER
    assert wanted[1].due_before_ms == MONDAY_MS + 60_000
    assert due_before(live(), mark(NEVER), None) == NEVER


def test_the_clock_of_a_partition_without_events_is_where_its_timers_may_fire() -> None:
    by, marks = live(), {0: mark(), 1: mark(), 2: mark()}
    intakes = {0: took(event("a", MONDAY_MS + 1)), 1: Intake()}
    wanted = by.wanted(marks, intakes, None, NOW_SECONDS + 60)
    clocked = by.clocked(marks, intakes, wanted)
    assert {p: at.now_ms for p, at in clocked.items()} == {0: MONDAY_MS, 1: MONDAY_MS + 60_000}


# Afterwards


def advanced(by: Planner, marks: Mapping[int, Mark], town: Town, wanted: Mapping[int, Wanted], **more: Any) -> Mark:
    """Where partition 0 stands after a batch of an event in it."""
    batch = town.batch([event("ann", MONDAY_MS + 60_000)])
    step = Stepper(shop(), None).step(batch)
    fields: dict[str, Any] = {
        "next_offset": {0: 8},
        "wanted": wanted,
        "loaded": {0: Loaded(None, {})},
        "assigner": None,
        **more,
    }
    return by.advanced(marks, batch, step, **fields)[0]


def test_a_batch_moves_offset_number_and_time() -> None:
    by, marks = planner(), {0: mark(sequence=4, model_version=3, customers=5)}
    after = advanced(by, marks, Town(shop()), {0: Wanted(())})
    assert after == mark(MONDAY_MS + 60_000, next=8, sequence=5, model_version=3, customers=5)


def test_a_batch_of_timers_only_does_not_move_the_offset() -> None:
    by, marks = planner(), {0: mark(sequence=4)}
    after = advanced(by, marks, Town(shop()), {0: Wanted(())}, next_offset={})
    assert (after.next, after.sequence) == (7, 5)


def test_claims_of_the_future_survive_the_worker() -> None:
    by, town = planner(), Town(shop())
    town.feed([event("ann", MONDAY_MS)])
    batch = town.batch([event("eve", MONDAY_MS + 9 * DAY_MS)])
    step = Stepper(shop(), None).step(batch)
    after = by.advanced({0: mark()}, batch, step, {0: 8}, {0: Wanted(())}, {0: Loaded(None, {})}, None)[0]
    assert (after.now_ms, after.claims) == (MONDAY_MS, {"eve": MONDAY_MS + 9 * DAY_MS})


@pytest.mark.parametrize(("before", "model", "after"), [(3, 5, 5), (5, 3, 5), (2, None, 2)])
def test_the_version_decided_with_never_goes_back(before: int, model: int | None, after: int) -> None:
    marks = {0: mark(model_version=before)}
    assigner = None if model is None else Assigner(shop_model(version=model))
    found = advanced(planner(), marks, Town(shop()), {0: Wanted(())}, assigner=assigner)
    assert found.model_version == after


def test_the_page_of_the_sweep_is_noted() -> None:
    page = [b"c%03d" % i for i in range(PAGE)]
    wanted = {0: Wanted((), sweep_limit=PAGE)}
    found = advanced(planner(), {0: mark(journal=5)}, Town(shop()), wanted, loaded={0: Loaded(None, {}, sweep=page)})
    assert (found.sweep_after, found.sweep_count, found.sweep_began) == ("c099", PAGE, 6)


def test_partitions_of_a_batch_are_not_mixed_up() -> None:
    town = Town(shop(), partitions=2)
    names = {town.partition(name): name for name in map(str, np.arange(20))}
    batch = town.batch([event(names[p], MONDAY_MS + p * HOUR_MS) for p in (0, 1)])
    step = Stepper(shop(), None).step(batch)
    marks = {0: mark(next=10), 1: mark(next=20)}
    each = {0: Wanted(()), 1: Wanted(())}
    none = {0: Loaded(None, {}), 1: Loaded(None, {})}
    after = planner().advanced(marks, batch, step, {0: 11, 1: 22}, each, none, None)
    assert {p: (m.next, m.now_ms) for p, m in after.items()} == {0: (11, MONDAY_MS), 1: (22, MONDAY_MS + HOUR_MS)}
