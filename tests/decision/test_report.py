from __future__ import annotations

from dataclasses import replace

import pytest

from stream.contracts.changes import Assignment, Cause, SegmentChange, decode_change, encode_change
from stream.contracts.changes import Status as Published
from stream.contracts.events import Event
from stream.contracts.timestamps import rfc3339
from stream.model.snapshot import Snapshot
from tests.decision.year import year
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, WALL_MS, event, shop, shop_model
from tests.town import Town


def frequent_customer() -> Town:
    """Comes every other day, is held in s2, and would leave it for s1 after some weeks of silence."""
    town = Town(shop(), shop_model())
    town.live([event("c" if day % 2 == 0 else "x", MONDAY_MS + day * DAY_MS, 20.0) for day in range(51)])
    return town


def next_change(town: Town, events: list[Event], snapshot: Snapshot | None = None) -> SegmentChange:
    """The one change of customer c that these events bring."""
    before = len(town.changes)
    town.snapshot = snapshot or town.snapshot
    town.live(events)
    (change,) = [c for c in town.changes[before:] if c.customer_id == "c"]
    return change


def days_later(town: Town, days: int) -> list[Event]:
    """Somebody else comes every day."""
    now = town.clocks[0].now_ms
    return [event("x", now + day * DAY_MS, 20.0) for day in range(1, days + 1)]


def test_the_cause_is_behaviour_when_only_the_event_explains_it() -> None:
    town = frequent_customer()
    feast = event("c", town.clocks[0].now_ms + HOUR_MS, 9000.0)
    change = next_change(town, [feast])
    assert change.cause == Cause.BEHAVIOUR
    assert change.previous == Assignment("s2", "name of 2", Published.READY)
    assert change.current == Assignment("s3", "name of 3", Published.READY)
    assert change.trigger_event_id == feast.event_id
    assert change.reasons[0].feature == "basket"
    assert change.reasons[0].before is not None
    assert change.reasons[0].after is not None
    assert change.reasons[0].before < 30 < change.reasons[0].after
    assert change.membership[0].id == "s3"
    assert sum(m.share for m in change.membership) == pytest.approx(1.0)
    assert change.counterfactual is not None


def test_the_cause_is_time_when_nothing_happened() -> None:
    town = frequent_customer()
    change = next_change(town, days_later(town, 26))
    assert (change.cause, change.trigger_event_id) == (Cause.TIME, None)
    assert change.current == Assignment("s1", "name of 1", Published.READY)
    assert change.reasons[0].feature == "orders"


def test_the_cause_is_the_model_when_the_last_vector_would_do() -> None:
    """The customer's next event is as always; what has moved is the model."""
    town = frequent_customer()
    ordinary = event("c", town.clocks[0].now_ms + 2 * DAY_MS, 20.0)
    shifted = shop_model(version=2, retiring=[2])
    change = next_change(town, [ordinary], shifted)
    assert (change.cause, change.model_version) == (Cause.MODEL, 2)
    assert change.current == Assignment("s1", "name of 1", Published.READY)
    assert change.counterfactual is None


def test_the_sweep_brings_the_model_to_who_is_silent() -> None:
    town = frequent_customer()
    town.snapshot = shop_model(version=2, epoch=2, retiring=[2])
    ((_, change),) = town.feed([], sweep=["c"]).changes
    assert (change.cause, change.trigger_event_id) == (Cause.MODEL, None)


def test_the_first_segment_is_no_change_of_behaviour() -> None:
    town = Town(shop(), shop_model())
    town.live([event("c", MONDAY_MS + i * HOUR_MS, 20.0) for i in range(3)])
    first, segment = town.changes
    assert (first.cause, first.previous, first.provisional) == (Cause.FIRST, None, "s1")
    assert first.current == Assignment("", "", Published.COLD)
    assert (segment.cause, segment.previous, segment.provisional) == (Cause.FIRST, first.current, None)
    assert segment.current == Assignment("s2", "name of 2", Published.READY)


def test_falling_asleep_tells_of_the_silence() -> None:
    town = frequent_customer()
    town.live(days_later(town, 26))
    change = next_change(town, days_later(town, 3))
    (reason,) = change.reasons
    assert (change.cause, reason.feature, reason.unit, reason.contribution) == (Cause.TIME, "silence", "days", 1.0)
    assert reason.after == pytest.approx(28.0)
    assert (change.margin, change.fit, change.membership, change.counterfactual) == (None, None, (), None)


def test_what_is_told_of_names_is_what_they_are_at_the_time() -> None:
    town = frequent_customer()
    renamed = replace(shop_model(version=2), names={2: "often here", 3: "big baskets"})
    change = next_change(town, [event("c", town.clocks[0].now_ms + HOUR_MS, 9000.0)], renamed)
    assert change.previous is not None
    assert change.current is not None
    assert (change.previous.name, change.current.name) == ("often here", "big baskets")


def test_times_are_told_as_of_the_look_and_of_the_decision() -> None:
    change = frequent_customer().changes[0]
    assert (change.occurred_at, change.decided_at) == (rfc3339(MONDAY_MS), rfc3339(WALL_MS))


def test_every_message_of_a_year_can_be_read_back() -> None:
    town = Town(shop(), shop_model())
    events = year(5)
    town.live(events, range(150, len(events), 150))
    assert len(town.changes) > 50
    for change in town.changes:
        assert decode_change(encode_change(change)) == change
