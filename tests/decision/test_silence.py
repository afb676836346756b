from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.contracts.changes import Cause
from stream.contracts.changes import Status as Published
from stream.contracts.events import Event
from stream.customer.features import NEVER, FeatureSet
from stream.customer.registers import NOTHING
from stream.customer.state import Status
from stream.decision.assign import Assigner
from stream.decision.silence import deadlines, dormant_at
from tests.decision.year import year
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, event, shop, shop_model, shop_settings
from tests.streams import streams
from tests.town import Town, told

FLOOR_MS = shop().settings.dormancy_floor_ms
FORGET_MS = round(shop().settings.forget_after_days * DAY_MS)


def visits(customer: str, gap_days: float, n: int, start_ms: int = MONDAY_MS, amount: float = 20.0) -> list[Event]:
    return [event(customer, start_ms + int(i * gap_days * DAY_MS), amount) for i in range(n)]


def clockwork(at_ms: int) -> Event:
    """Somebody else's event: it only moves ``now``."""
    return event("the clock", at_ms, 1.0)


def pass_to(town: Town, at_ms: int) -> None:
    """Let time pass: three others come at ``at_ms``, so that it is believed."""
    town.live([event(f"witness {i}", at_ms, 1.0) for i in range(3)])


def statuses(town: Town, customer: str) -> list[tuple[str, str]]:
    changes = told(town.changes)[customer]
    return [(c.current.status.value if c.current else "closed", c.cause.value) for c in changes]


def test_dormant_exactly_at_the_floor() -> None:
    town = Town(shop(), shop_model())
    events = visits("c", 2.0, 10)
    town.live(events)
    asleep = events[-1].occurred_at_ms + FLOOR_MS
    pass_to(town, asleep)
    assert town.row("c")["status"] == Status.READY
    pass_to(town, asleep + 1)
    row = town.row("c")
    assert (row["status"], row["looked_at"], row["since"]) == (Status.DORMANT, asleep, asleep)
    assert told(town.changes)["c"][-1].cause == Cause.TIME


def test_who_comes_rarely_is_given_four_own_gaps() -> None:
    town = Town(shop(), shop_model())
    events = visits("c", 12.0, 12)
    town.live(events[:1])
    for e in events[1:]:
        pass_to(town, e.occurred_at_ms)
        town.live([e])
    row = town.rows()[sorted(town.states).index("c")][None]
    gap_days = shop().own_gap_days(row["sums"], row["first_at"], row["newest_at"])[0]
    asleep = events[-1].occurred_at_ms + round(4 * gap_days * DAY_MS)
    assert asleep > events[-1].occurred_at_ms + FLOOR_MS
    pass_to(town, asleep + 1)
    assert (town.row("c")["status"], town.row("c")["looked_at"]) == (Status.DORMANT, asleep)


def test_one_step_before_dormancy_time_alone_leaves_the_frequent_segment() -> None:
    town = Town(shop(), shop_model())
    events = visits("c", 2.0, 25)
    town.live(events)
    assert town.row("c")["segment"] == 2
    due = int(town.row("c")["deadline"])
    assert events[-1].occurred_at_ms < due < events[-1].occurred_at_ms + FLOOR_MS
    pass_to(town, due + 1)
    change = told(town.changes)["c"][-1]
    assert change.previous is not None
    assert change.current is not None
    assert (change.previous.id, change.current.id, change.cause) == ("s2", "s1", Cause.TIME)
    assert (change.trigger_event_id, town.row("c")["looked_at"]) == (None, due)


def test_a_crossing_is_found_to_an_hour_or_so() -> None:
    """An independent look every ten minutes on the way to dormancy agrees with the deadline."""
    town = Town(shop(), shop_model())
    town.live(visits("c", 2.0, 25))
    row = town.rows()
    start, due = int(row["looked_at"][0]), int(row["deadline"][0])
    times = np.arange(start, start + FLOOR_MS, HOUR_MS // 6)
    y = shop().y(np.repeat(row["sums"], len(times), axis=0), row["first_at"], row["newest_at"], times)
    assigner = Assigner(shop_model())
    segments = assigner.decide(assigner.distances(y), np.full(len(times), 2)).segment
    first = int(times[np.flatnonzero(segments != 2)[0]])
    assert first - HOUR_MS // 6 <= due <= first + 1.5 * HOUR_MS


def test_within_its_usual_gaps_nobody_is_moved_by_time() -> None:
    """Who is about to come again would be moved back: only silence moves, and at once when it begins."""
    due = {}
    for own_gaps in (0.0, 10.0, 1000.0):
        town = Town(FeatureSet(shop_settings(silent_own_gaps=own_gaps)), shop_model())
        events = visits("c", 2.0, 25)
        town.live(events)
        due[own_gaps] = (int(town.row("c")["deadline"]) - events[-1].occurred_at_ms) / DAY_MS
    row = town.rows()
    gap_days = float(shop().own_gap_days(row["sums"], row["first_at"], row["newest_at"])[0])
    assert due[0.0] < 10.0 * gap_days < FLOOR_MS / DAY_MS
    assert due[10.0] == pytest.approx(10.0 * gap_days, abs=0.01)
    assert due[1000.0] == FLOOR_MS / DAY_MS


def test_waking_up_is_an_event_and_keeps_the_segment() -> None:
    town = Town(shop(), shop_model())
    events = visits("c", 2.0, 25)
    town.live(events)
    pass_to(town, events[-1].occurred_at_ms + FLOOR_MS + 1)
    assert town.row("c")["segment"] == 1
    back = event("c", events[-1].occurred_at_ms + FLOOR_MS + 5 * DAY_MS, 20.0)
    pass_to(town, back.occurred_at_ms)
    town.live([back])
    assert statuses(town, "c")[-2:] == [("dormant", "time"), ("ready", "behaviour")]
    assert told(town.changes)["c"][-1].trigger_event_id == back.event_id
    assert town.row("c")["segment"] == 1


def test_the_forgotten_are_closed_and_may_come_back() -> None:
    town = Town(shop(), shop_model())
    events = visits("c", 2.0, 5)
    town.live([*events, event("c", events[-1].occurred_at_ms, kind="profile", attributes={"town": "A"})])
    closing = events[-1].occurred_at_ms + FORGET_MS
    pass_to(town, closing + 1)
    closed, versions = town.row("c"), [c.version for c in told(town.changes)["c"]]
    assert (closed["status"], closed["since"], closed["deadline"]) == (Status.CLOSED, closing, NEVER)
    assert (closed["segment"], closed["looks"], closed["cell"], town.registers("c")) == (0, 0, -1, NOTHING)
    assert not closed["sums"].any()
    last = told(town.changes)["c"][-1]
    assert (last.current, last.cause) == (None, Cause.EXPIRED)
    pass_to(town, closing + 9 * DAY_MS)
    town.live([event("c", closing + 9 * DAY_MS, 50.0)])
    again = told(town.changes)["c"][-1]
    assert (again.previous, again.cause, again.version) == (None, Cause.FIRST, versions[-1] + 1)
    assert again.current is not None
    assert again.current.status == Published.COLD


def test_an_event_of_long_ago_does_not_bring_the_closed_back() -> None:
    town = Town(shop(), shop_model())
    events = visits("c", 2.0, 5)
    town.live(events)
    pass_to(town, events[-1].occurred_at_ms + FORGET_MS + 1)
    before = len(told(town.changes)["c"])
    town.live([event("c", events[-1].occurred_at_ms - DAY_MS, 5.0)])
    assert town.row("c")["status"] == Status.CLOSED
    assert len(told(town.changes)["c"]) == before


def test_who_only_has_a_profile_is_closed_too() -> None:
    town = Town(shop(), shop_model())
    town.live([event("c", MONDAY_MS, kind="profile", attributes={"town": "A"})])
    assert town.row("c")["deadline"] == MONDAY_MS + FORGET_MS
    pass_to(town, MONDAY_MS + 100 * DAY_MS)
    town.live([event("c", MONDAY_MS + 100 * DAY_MS, kind="profile", attributes={"town": "B"})])
    pass_to(town, MONDAY_MS + FORGET_MS + 1)
    assert statuses(town, "c") == [("cold", "first"), ("closed", "expired")]
    late = town.clocks[0].now_ms + 900 * DAY_MS
    pass_to(town, late)
    town.live([event("c", late, kind="profile", attributes={"town": "C"})])
    assert statuses(town, "c")[-1] == ("cold", "first")
    assert town.row("c")["deadline"] == late + FORGET_MS


def test_who_would_be_dormant_only_after_being_forgotten_is_closed_in_time() -> None:
    features = FeatureSet(shop_settings(dormancy_floor_days=40.0, forget_after_days=30.0))
    town = Town(features, shop_model())
    town.live(visits("c", 1.0, 4))
    newest = MONDAY_MS + 3 * DAY_MS
    assert town.row("c")["deadline"] <= newest + 30 * DAY_MS
    pass_to(town, newest + 30 * DAY_MS + 1)
    assert (town.row("c")["status"], town.row("c")["since"]) == (Status.CLOSED, newest + 30 * DAY_MS)


def test_a_mass_of_deadlines_is_worked_off_in_portions_with_the_same_result() -> None:
    events = [e for i in range(60) for e in visits(f"c{i:02}", 2.0, 4, MONDAY_MS + i)]
    events.sort(key=lambda e: e.occurred_at_ms)
    end = [clockwork(MONDAY_MS + (6 + i) * DAY_MS) for i in range(1, 40)]
    at_once, in_portions = Town(shop(), shop_model()), Town(shop(), shop_model(), due_limit=7)
    for town in (at_once, in_portions):
        town.live(events)
        town.live(end)
    assert at_once.steps[1].timers >= 60
    assert max(step.timers for step in in_portions.steps[1:]) <= 7 * 3
    assert in_portions.states == at_once.states
    assert told(in_portions.changes) == told(at_once.changes)
    assert Counter(c.cause for c in at_once.changes)[Cause.TIME] >= 60


def test_timers_of_who_did_nothing_wait_for_their_turn_and_keep_their_time() -> None:
    town = Town(shop(), shop_model(), due_limit=1)
    town.live([event(c, MONDAY_MS, 1.0) for c in "ab"])
    asleep = MONDAY_MS + FLOOR_MS
    pass_to(town, asleep)
    town.feed([clockwork(asleep + 10)])
    assert sorted(int(town.row(c)["status"]) for c in "ab") == [Status.COLD, Status.DORMANT]
    town.live([])
    assert [int(town.row(c)["since"]) for c in "ab"] == [asleep, asleep]


@pytest.mark.parametrize("seed", range(3))
def test_a_year_at_once_or_event_by_event_gives_the_same_changes(seed: int) -> None:
    events = year(seed)
    whole, single, random = (Town(shop(), shop_model()) for _ in range(3))
    whole.live(events)
    single.live(events, range(1, len(events)))
    cuts = np.random.default_rng(seed).integers(0, len(events), 30)
    random.live(events, cuts.tolist())
    assert whole.states == single.states == random.states
    assert told(whole.changes) == told(single.changes) == told(random.changes)
    causes = Counter(c.cause for c in whole.changes)
    assert causes[Cause.TIME] >= 10
    assert causes[Cause.BEHAVIOUR] >= 5


def test_a_year_at_once_or_paced_gives_the_same_changes() -> None:
    """Paced: a heartbeat of somebody else every day lets each timer fire when it falls due."""
    events = [e for e in year(9) if e.customer_id < "c006"]
    last = events[-1].occurred_at_ms + 40 * DAY_MS
    beats = [clockwork(t) for t in range(MONDAY_MS, last, DAY_MS)]
    paced = Town(shop(), shop_model())
    both = sorted(events + beats, key=lambda e: e.occurred_at_ms)
    paced.live(both, range(40, len(both), 40))
    at_once = Town(shop(), shop_model())
    at_once.live(both)
    assert told(paced.changes) == told(at_once.changes)
    assert any(c.cause == Cause.TIME for c in paced.changes)


@given(streams(), st.booleans())
@settings(max_examples=25)
def test_a_deadline_is_always_later_than_the_look(events: list[Event], has_model: bool) -> None:
    town = Town(shop(), shop_model() if has_model else None)
    for one in events:
        town.feed([one])
        rows = town.rows()
        waiting = rows["deadline"] != NEVER
        assert (rows["deadline"][waiting] > rows["looked_at"][waiting]).all()
        assert (waiting == (rows["status"] != Status.CLOSED)).all()


@given(streams(max_events=12))
@settings(max_examples=25)
def test_silence_comes_to_an_end(events: list[Event]) -> None:
    """In three years of silence everybody is closed, after a few timers each: no timer goes on for ever."""
    town = Town(shop(), shop_model())
    town.live(events)
    before = len(town.steps)
    start = town.clocks[0].now_ms
    years = [event(c, start + 3 * 365 * DAY_MS, kind="profile", attributes={"a": 1}) for c in ("w1", "w2", "w3")]
    town.live(years)
    others = {e.customer_id for e in events}
    assert all(town.row(c)["status"] == Status.CLOSED for c in others)
    assert sum(step.timers for step in town.steps[before:]) <= 6 * len(others)


@given(streams(max_events=25, customers=5), st.integers(-10, 100 * 24))
@settings(max_examples=25)
def test_deadlines_before_the_reach_are_exact_and_none_behind_it_comes_before(
    events: list[Event], reach_hours: int
) -> None:
    town = Town(shop(), shop_model())
    town.live(events)
    rows, reach_ms = town.rows(), town.clocks[0].now_ms + reach_hours * HOUR_MS
    exact = deadlines(shop(), rows, Assigner(shop_model()))
    vague = deadlines(shop(), rows, Assigner(shop_model()), reach_ms)
    assert exact.tolist() == rows["deadline"].tolist()
    near = (exact < reach_ms) | (vague < reach_ms)
    assert exact[near].tolist() == vague[near].tolist()


def test_dormancy_of_nobody_and_of_who_never_came() -> None:
    town = Town(shop())
    town.live([event("c", MONDAY_MS, kind="profile", attributes={"a": 1})])
    assert dormant_at(shop(), town.rows()).tolist() == [NEVER]
    assert deadlines(shop(), town.rows()[:0], None).tolist() == []
