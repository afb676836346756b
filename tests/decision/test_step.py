"""The laws of the step: what batching, duplicates, lateness, partitions and the wall clock may and may not change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.contracts.changes import Cause
from stream.contracts.events import Event
from stream.customer.features import NEVER, FeatureSet
from stream.customer.registers import NOTHING
from stream.customer.state import SEEN, Status
from stream.model.snapshot import Snapshot
from tests.customer.folding import folded
from tests.decision.year import year
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, WALL_MS, event, shop, shop_model
from tests.streams import cuts, streams
from tests.town import Town, told

models = st.sampled_from([None, shop_model()])
few = settings(max_examples=35)


def living(
    events: list[Event],
    snapshot: Snapshot | None = None,
    at: Iterable[int] = (),
    *,
    partitions: int = 1,
    wall_ms: int = WALL_MS,
) -> Town:
    town = Town(shop(), snapshot, partitions=partitions, wall_ms=wall_ms)
    town.live(events, at)
    return town


@given(models, st.data())
@few
def test_where_batches_are_cut_changes_no_bit(snapshot: Snapshot | None, data: st.DataObject) -> None:
    """Law 1, of accumulators and decisions, changes and their reasons; with late events and stray dates."""
    events = data.draw(streams(refunds=True))
    whole = living(events, snapshot)
    parts = living(events, snapshot, data.draw(cuts(events)))
    assert parts.states == whole.states
    assert told(parts.changes) == told(whole.changes)
    assert parts.clocks == whole.clocks


@given(streams(max_events=15))
@few
def test_one_by_one_is_the_same_as_all_at_once(events: list[Event]) -> None:
    single = living(events, shop_model(), range(1, len(events)))
    assert single.states == living(events, shop_model()).states


@given(streams(refunds=True))
@few
def test_the_step_folds_what_the_fold_folds(events: list[Event]) -> None:
    """Timers and looks leave the accumulators alone: they have the bits of the bare fold."""
    town = living(events, shop_model())
    for customer in {e.customer_id for e in events}:
        row = town.row(customer)
        if row["status"] != Status.CLOSED:
            alone = folded(shop(), [e for e in events if e.customer_id == customer])[0]
            assert row["sums"].tobytes() == alone["sums"].tobytes()
            assert (row["first_at"], row["newest_at"]) == (alone["first_at"], alone["newest_at"])


@given(models, st.data())
@few
def test_duplicates_change_nothing_and_are_counted(snapshot: Snapshot | None, data: st.DataObject) -> None:
    events = data.draw(streams(max_events=SEEN))
    again = data.draw(st.lists(st.tuples(st.integers(0, len(events) - 1), st.integers(0, len(events) - 1)), max_size=8))
    repeated = list(events)
    for which, later in sorted(again, key=lambda pair: -pair[1]):
        if which <= later:
            repeated.insert(later + 1, events[which])
    town = living(repeated, snapshot, data.draw(cuts(repeated)))
    assert town.states == living(events, snapshot).states
    assert told(town.changes) == told(living(events, snapshot).changes)
    assert town.duplicates == len(repeated) - len(events)


def test_a_duplicate_behind_the_window_is_taken_for_new() -> None:
    first = event("c", MONDAY_MS, 1.0)
    for others, duplicates in ((SEEN - 1, 1), (SEEN, 0)):
        between = [event("c", MONDAY_MS + i, 1.0) for i in range(others)]
        assert living([first, *between, first]).duplicates == duplicates


@given(streams(customers=2, refunds=True), st.randoms(use_true_random=False))
@few
def test_late_events_count_as_if_in_order(events: list[Event], random: Random) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    in_order = sorted(events, key=lambda e: e.occurred_at_ms)
    left, right = living(shuffled), living(in_order)
    for customer in left.states:
        one, other = left.row(customer), right.row(customer)
        if Status.CLOSED in (one["status"], other["status"]):
            continue  # what comes after a closing starts from nothing
        sizes = np.abs(np.stack([one["sums"], other["sums"]])).max(initial=1.0)
        assert one["newest_at"] == other["newest_at"]
        assert one["first_at"] == other["first_at"]
        assert one["sums"] == pytest.approx(other["sums"], rel=1e-9, abs=1e-9 * sizes)


@given(streams(customers=5, in_order=True), st.integers(2, 7))
@few
def test_the_number_of_partitions_does_not_matter(events: list[Event], partitions: int) -> None:
    """In order of time; at the end everybody comes once more, so that every partition has reached the same ``now``."""
    end = events[-1].occurred_at_ms + DAY_MS
    farewell = [event(c, end, 1.0, event_id=f"end {c}") for c in sorted({e.customer_id for e in events})]
    one, many = (Town(shop(), shop_model(), partitions=n) for n in (1, partitions))
    for town in (one, many):
        town.live([*events, *farewell])
    assert many.states == one.states
    assert told(many.changes) == told(one.changes)


@given(streams(customers=5, refunds=True), st.integers(2, 7))
@few
def test_the_number_of_partitions_changes_no_bit_of_a_sum(events: list[Event], partitions: int) -> None:
    one, many = living(events), living(events, partitions=partitions)
    for customer in one.states:
        if Status.CLOSED not in (one.row(customer)["status"], many.row(customer)["status"]):
            assert one.row(customer)["sums"].tobytes() == many.row(customer)["sums"].tobytes()


@given(streams())
@few
def test_the_wall_clock_is_only_told(events: list[Event]) -> None:
    early, late = living(events, shop_model()), living(events, shop_model(), wall_ms=WALL_MS + 999 * DAY_MS)
    assert told(early.changes) == told(late.changes)
    for customer in early.states:
        rows = early.row(customer), late.row(customer)
        for name in rows[0].dtype.names:
            if name != "change_decided_at":
                assert rows[0][name].tobytes() == rows[1][name].tobytes(), name
    assert {c.decided_at for c in late.changes} <= {"2029-10-10T08:00:00.000Z"}


@given(streams(), st.data())
@few
def test_versions_count_a_customers_changes_without_gaps(events: list[Event], data: st.DataObject) -> None:
    town = living(events, shop_model(), data.draw(cuts(events)))
    for customer, changes in told(town.changes).items():
        assert [c.version for c in changes] == list(range(1, len(changes) + 1))
        assert town.row(customer)["version"] == len(changes)
        for before, after in pairwise(changes):
            assert after.previous == before.current != after.current
            assert after.occurred_at >= before.occurred_at


@given(streams())
@few
def test_only_who_was_touched_is_touched(events: list[Event]) -> None:
    town = Town(shop(), shop_model())
    for one in events:
        batch = town.batch([one])
        step = town.feed([one])
        still = np.setdiff1d(np.arange(len(batch.customers)), step.touched)
        assert step.rows[still].tobytes() == batch.rows[still].tobytes()
        assert [step.registers[i] for i in still] == [batch.registers[i] for i in still]


def test_the_batch_it_was_given_stays_as_it_was() -> None:
    town = Town(shop(), shop_model())
    batch = town.batch(year(1, customers=3))
    before = batch.rows.tobytes()
    town.feed(batch.events)
    assert batch.rows.tobytes() == before
    assert all(registers == NOTHING for registers in batch.registers)


def test_every_event_is_looked_at_with_its_own_vector() -> None:
    """Two crossings within one batch are two changes."""
    steady = [event("c", MONDAY_MS + i * 2 * DAY_MS, 20.0) for i in range(25)]
    start = steady[-1].occurred_at_ms
    feast = [event("c", start + (i + 1) * HOUR_MS, 9000.0) for i in range(3)]
    ordinary = [event("c", start + DAY_MS + i * HOUR_MS, 1.0) for i in range(90)]
    town = living([*steady, *feast, *ordinary], shop_model())
    ids = [c.current.id for c in told(town.changes)["c"] if c.current]
    assert ids[-3:] == ["s2", "s3", "s2"]
    assert len(town.steps) == 1
    assert town.steps[0].flaps >= 1


def test_before_there_is_a_model_everybody_is_cold() -> None:
    town = living([event("c", MONDAY_MS + i * HOUR_MS, 5.0) for i in range(5)])
    row = town.row("c")
    assert (row["status"], row["segment"], row["provisional"], row["cell"]) == (Status.COLD, 0, 0, 0)
    (change,) = town.changes
    assert (change.cause, change.previous, change.margin, change.fit) == (Cause.FIRST, None, None, None)
    assert (change.provisional, change.model_version, change.reasons, change.membership) == (None, 0, (), ())


def test_a_new_structure_reaches_everybody_by_the_sweep() -> None:
    town = living([event(c, MONDAY_MS + i * HOUR_MS, 5.0) for i in range(4) for c in "ab"])
    town.snapshot = shop_model()
    step = town.feed([], sweep=["a", "b"])
    assert [c.cause for _, c in step.changes] == [Cause.FIRST, Cause.FIRST]
    assert {int(town.row(c)["status"]) for c in "ab"} == {Status.READY}
    assert [int(town.row(c)["looked_at"]) for c in "ab"] == [MONDAY_MS + 3 * HOUR_MS] * 2
    assert town.feed([], sweep=["a", "b"]).changes == []
    assert (step.looks, step.timers) == (0, 0)


def test_the_sweep_passes_on_who_need_not_be_looked_at() -> None:
    """They are written again, in the cell that is nearest by now, and nothing else is new."""
    town = living([event("c", MONDAY_MS + i * HOUR_MS, 5.0) for i in range(4)], shop_model())
    before = town.row("c").copy()
    cells = shop_model().cell_ids + 1000
    town.snapshot = replace(shop_model(version=2), cell_ids=cells)
    step = town.feed([], sweep=["c"])
    after = town.row("c")
    assert step.touched.tolist() == [0]
    assert after["cell"] == before["cell"] + 1000
    after["cell"] = before["cell"]
    assert after.tobytes() == before.tobytes()


def test_the_sweep_leaves_the_closed_alone() -> None:
    town = living([event("c", MONDAY_MS, 5.0)], shop_model())
    far = MONDAY_MS + 800 * DAY_MS
    town.live([event(c, far, 1.0) for c in ("x", "y", "z")])
    before = town.states["c"]
    town.snapshot = shop_model(version=2, epoch=2)
    assert town.feed([], sweep=["c"]).changes == []
    assert town.states["c"] == before


def test_whom_the_sweep_closes_nothing_is_known_of_any_more() -> None:
    """Their deadline was filed when people were kept for longer."""
    said = event("c", MONDAY_MS, kind="profile", attributes={"town": "A"})
    town = living([said, event("c", MONDAY_MS, 5.0)], shop_model())
    later = MONDAY_MS + 40 * DAY_MS
    town.live([event(c, later, 1.0) for c in ("x", "y", "z")])
    assert town.registers("c").attributes
    town.features = FeatureSet(town.features.settings.model_copy(update={"forget_after_days": 30.0}))
    town.snapshot = shop_model(version=2, epoch=2)
    town.feed([], sweep=["c"])
    assert town.row("c")["status"] == Status.CLOSED
    assert town.registers("c") == NOTHING


def test_what_people_said_is_kept_until_they_are_closed() -> None:
    said = event("c", MONDAY_MS, kind="profile", attributes={"town": "A"})
    order = event("c", MONDAY_MS + 1, 5.0, attributes={"age": 7})
    town = living([said, order, said])
    assert {name: r.value for name, r in town.registers("c").attributes.items()} == {"town": "A", "age": 7}


@pytest.mark.parametrize("partitions", [1, 4])
def test_a_batch_of_nothing_does_nothing(partitions: int) -> None:
    town = Town(shop(), shop_model(), partitions=partitions)
    step = town.feed([])
    assert (len(step.rows), step.changes, step.learning, step.looks) == (0, [], None, 0)
    assert [clock.now_ms for clock in step.clocks] == [NEVER] * partitions


def test_clusterers_that_learn_rows_get_every_look_of_the_population() -> None:
    events = [event("c", MONDAY_MS + i * HOUR_MS, 5.0 + i) for i in range(3)]
    profile = event("d", MONDAY_MS, kind="profile", attributes={"town": "A"})
    town = Town(shop(), None, learns_rows=True)
    learning = town.feed([*events, profile, events[0]]).learning
    assert learning is not None
    assert learning.rows.shape == (3, len(shop().names))
    assert learning.rows[-1].tolist() == town.row("c")["y"].tolist()
    assert town.feed([events[1]]).learning is None


@pytest.mark.parametrize("cut", [2, 3, 4])
def test_who_is_closed_and_stays_closed_by_a_very_late_event_has_the_same_bits_wherever_batches_are_cut(
    cut: int,
) -> None:
    gone, long_ago = MONDAY_MS + 1000 * DAY_MS, MONDAY_MS - 1000 * DAY_MS
    events = [event("c", MONDAY_MS, 5.0), *(event(c, gone, 1.0) for c in "xyz"), event("c", long_ago, 5.0)]
    whole = living(events, shop_model())
    assert whole.row("c")["status"] == Status.CLOSED
    assert living(events, shop_model(), [cut]).states == whole.states
