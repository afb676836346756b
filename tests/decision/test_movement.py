"""Invariant I10 in miniature: the sums that leave are the change of the sums over all states."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.contracts.events import Event
from stream.customer import tenure
from stream.customer.contributions import contributions
from stream.customer.features import NEVER, STEPS
from stream.customer.holdings import Holding, holdings, total
from stream.customer.signals import RawSignals
from stream.customer.state import OUT_OF_POPULATION, States, Status, in_population
from stream.decision.movement import movement
from stream.drift.histograms import GRID, grid_counts
from stream.model.learning import LearningRecord
from stream.model.snapshot import NURSERY
from tests.decision.year import year
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, event, shop, shop_model
from tests.streams import cuts, streams
from tests.town import Town

few = settings(max_examples=30)


class Ledger:
    """What a learner knows that only adds up."""

    def __init__(self) -> None:
        self.cells: dict[int, Any] = defaultdict(lambda: np.zeros((3, len(shop().names)), dtype=np.int64))
        self.nursery: Counter[tuple[int, ...]] = Counter()
        self.held: Counter[int] = Counter()
        self.holdings: dict[int, Holding] = {}
        self.tenures: tenure.Counts = {}
        self.grid = np.zeros(len(shop().names) * GRID, np.int64)

    def add(self, record: LearningRecord | None) -> None:
        if record is None:
            return
        for cell, n, sums, squares in zip(record.cells, record.n, record.sums, record.squares, strict=True):
            self.cells[int(cell)] += np.stack([np.full(len(sums), n), sums, squares])
        for sign, y in zip(record.nursery_sign.tolist(), record.nursery_y.tolist(), strict=True):
            self.nursery[tuple(y)] += sign
        self.held.update(record.held)
        self.grid[record.grid_cells] += record.grid_n
        self.holdings = total(self.holdings, record.holdings)
        tenure.add(self.tenures, record.tenures)

    def plain(self) -> tuple[Any, ...]:
        cells = {cell: sums.tolist() for cell, sums in self.cells.items() if sums.any()}
        return (
            cells,
            {y: n for y, n in self.nursery.items() if n},
            {s: n for s, n in self.held.items() if n},
            self.holdings,
            self.tenures,
            self.grid.tolist(),
        )


def over(rows: States) -> Ledger:
    """The same by going through all states."""
    ledger = Ledger()
    for row in rows:
        y = row["y"].astype(np.int64)
        if row["cell"] != OUT_OF_POPULATION:
            ledger.grid += grid_counts(row["y"][None], np.ones(1, np.int64), STEPS).ravel()
        if row["cell"] == NURSERY:
            ledger.nursery[tuple(y.tolist())] += 1
        elif row["cell"] != OUT_OF_POPULATION:
            ledger.cells[int(row["cell"])] += np.stack([np.ones_like(y), y, y * y])
        if row["segment"]:
            ledger.held[int(row["segment"])] += 1
        ledger.holdings = total(ledger.holdings, holdings(shop(), np.array([row])))
        tenure.add(ledger.tenures, tenure.tenures(np.array([row])))
    return ledger


def learnt(town: Town) -> Ledger:
    ledger = Ledger()
    for step in town.steps:
        ledger.add(step.learning)
    return ledger


@given(streams(customers=5), st.data())
@few
def test_the_sums_are_those_over_the_states_at_every_cut(events: list[Event], data: st.DataObject) -> None:
    """Also across the first model, later ones and a retiring segment."""
    at = sorted(data.draw(st.lists(st.integers(0, len(events)), min_size=3, max_size=3)))
    town, start = Town(shop()), 0
    snapshots = (None, shop_model(), shop_model(version=2, epoch=2, retiring=[2]), shop_model(version=3, epoch=3))
    for snapshot, end in zip(snapshots, [*at, len(events)], strict=True):
        town.snapshot = snapshot
        town.live(events[start:end])
        town.feed([], sweep=sorted(town.states)[::2])
        assert learnt(town).plain() == over(town.rows()).plain()
        start = end


@given(streams(customers=5), st.data())
@few
def test_movements_telescope(events: list[Event], data: st.DataObject) -> None:
    whole, parts = Town(shop(), shop_model()), Town(shop(), shop_model())
    whole.live(events)
    parts.live(events, data.draw(cuts(events)))
    assert learnt(whole).plain() == learnt(parts).plain()


def test_a_year_leaves_in_the_cells_just_those_who_are_awake() -> None:
    town = Town(shop(), shop_model())
    events = year(4)
    town.live(events, range(100, len(events), 100))
    rows, (cells, nursery, held, holding, *_) = town.rows(), learnt(town).plain()
    awake = in_population(rows)
    assert 0 < awake.sum() < len(rows)
    assert sum(sums[0][0] for sums in cells.values()) == awake.sum()
    assert nursery == {}
    assert sum(held.values()) == np.count_nonzero(rows["segment"])
    assert {n: of.active + of.dormant for n, of in holding.items()} == held
    assert sum(of.active for of in holding.values()) == np.count_nonzero(awake & (rows["segment"] > 0))
    assert (awake == (rows["cell"] != OUT_OF_POPULATION)).all()


def test_a_record_survives_its_topic() -> None:
    town = Town(shop(), shop_model(), learns_rows=True)
    town.live(year(2, customers=4))
    record = next(step.learning for step in town.steps if step.learning)
    back = LearningRecord.unpack(record.pack())
    assert back.pack() == record.pack()
    assert (back.held, back.holdings) == (record.held, record.holdings)
    assert (back.held, back.now_ms, back.looks) == (record.held, town.clocks[0].now_ms, record.looks)
    assert (back.moves, back.flaps, back.reached_ms) == (record.moves, record.flaps, {0: record.now_ms})


def test_who_stands_still_is_left_out() -> None:
    town = Town(shop(), shop_model())
    town.live([event("c", MONDAY_MS + i * HOUR_MS, 5.0) for i in range(4)])
    rows = town.rows()
    assert movement(shop(), 0, 1, rows, rows, None) is None
    assert movement(shop(), 0, 1, rows, rows, rows["y"][:0]) is None
    record = movement(shop(), 0, 1, rows, rows, rows["y"])
    assert record is not None
    assert (len(record.cells), len(record.rows)) == (0, 1)


def test_falling_asleep_takes_the_vector_out_in_one_row() -> None:
    town = Town(shop(), shop_model())
    town.live([event("c", MONDAY_MS + i * HOUR_MS, 5.0) for i in range(4)])
    before = town.row("c")
    far = MONDAY_MS + 200 * DAY_MS
    town.live([event(c, far, kind="profile", attributes={"a": 1}) for c in ("x", "y", "z")])
    assert town.row("c")["status"] == Status.DORMANT
    last = [step.learning for step in town.steps if step.learning][-1]
    assert (last.cells.tolist(), last.n.tolist()) == ([before["cell"]], [-1])
    assert last.sums.tolist() == [(-before["y"].astype(np.int64)).tolist()]


@given(streams(customers=5), st.data())
@few
def test_every_accepted_order_is_in_the_raw_values_once(events: list[Event], data: st.DataObject) -> None:
    town = Town(shop(), shop_model())
    town.live([*events, *events[-3:]], data.draw(cuts(events)))
    told = [step.learning.raw for step in town.steps if step.learning is not None]
    accepted = {e.event_id: e for e in events if e.type == "order"}
    assert sum(int(raw.n.sum()) for raw in told) == len(accepted)
    signals = RawSignals(shop())
    values = signals.values(contributions(shop(), list(accepted.values()))) if accepted else np.zeros((0, 1))
    total = np.sum([raw.sums.sum(axis=0) for raw in told], axis=0) if told else 0.0
    assert np.allclose(total, values.sum(axis=0))


@given(streams(customers=6), st.data())
@few
def test_moves_flaps_and_event_times_are_told_with_what_moved(events: list[Event], data: st.DataObject) -> None:
    town = Town(shop(), shop_model(), partitions=3)
    town.live(events, data.draw(cuts(events)))
    reached: dict[int, int] = {}
    for step in town.steps:
        said = [c for _, c in step.changes if c.previous and c.current and c.previous.id and c.current.id]
        if step.learning is None:
            continue
        assert step.learning.moves == sum(c.previous.id != c.current.id for c in said if c.previous and c.current)
        assert step.learning.flaps == step.flaps <= step.learning.moves
        reached |= step.learning.reached_ms
    told = {p: clock.now_ms for p, clock in enumerate(town.clocks) if clock.now_ms != NEVER}
    assert all(reached[p] <= at_ms for p, at_ms in told.items() if p in reached)
    newest = next((step for step in reversed(town.steps) if step.learning is not None), None)
    if newest is town.steps[-1]:
        assert reached == told
