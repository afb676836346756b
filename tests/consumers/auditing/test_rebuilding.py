"""A recount of the states is what the learner counted, however it came to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from consumers.auditing.rebuilding import Recount, rebuilt, renewed
from stream.contracts.events import Event
from stream.customer.holdings import Holding
from stream.customer.state import empty
from stream.model.cells import Cells
from stream.model.learner import Learner
from stream.model.nursery import Nursery
from stream.model.population import Population
from stream.model.snapshot import NURSERY
from stream.model.state import State, pack_state, unpack_state
from stream.settings import ModelSettings
from tests.decision.year import year
from tests.helpers import shop
from tests.streams import streams
from tests.town import Town

MODEL = ModelSettings(segments=2, cells=8, warmup_customers=10)
WIDTH = len(shop().names)


def counted(state: State) -> dict[str, Any]:
    """All that a recount must find again."""
    cells, (nursery_y, nursery_n) = state.population.cells, state.population.nursery.vectors(owed=True)
    filled = {
        cell: (int(cells.sums.n[i]), cells.sums.sums[i].tolist(), cells.sums.squares[i].tolist())
        for i, cell in enumerate(cells.ids.tolist())
        if cells.sums.n[i]
    }
    young = (nursery_y.tolist(), nursery_n.tolist(), state.population.nursery.total.squares.tolist())
    return {"cells": filled, "nursery": young, "held": state.held, "holdings": state.holdings, "tenures": state.tenures}


def recount(town: Town, parts: int = 1) -> Recount:
    rows = town.rows()
    return Recount.of(shop(), [rows[part::parts] for part in range(parts)])


def damaged(state: State) -> State:
    """Everybody counted twice, and held counts of nobody."""
    cells, nursery = state.population.cells, Nursery(WIDTH)
    twice = Cells(cells.ids.copy(), cells.sums + cells.sums, cells.positions, cells.next_id)
    nursery.add(np.array([3], np.int8), np.ones((1, WIDTH), np.int16))
    return replace(state, population=Population(twice, nursery), held={77: 5}, holdings={77: Holding(active=5)})


def live(town: Town, learner: Learner, events: list[Event], cuts: list[int]) -> None:
    """Live, learn, and take a macro step at every cut where there is anybody."""
    start = 0
    for end in [*cuts, len(events)]:
        before = len(town.steps)
        town.live(events[start:end])
        town.feed([], sweep=sorted(town.states)[::2])
        for step in town.steps[before:]:
            if step.learning is not None:
                learner.learn(step.learning)
        if end < len(events) and learner.is_peopled:
            town.snapshot = learner.macro_step(end).snapshot
        start = end


@given(streams(customers=6), st.data())
@given_settings(max_examples=40)
def test_the_states_add_up_to_what_was_learnt_row_by_row(events: list[Event], data: st.DataObject) -> None:
    """In the nursery, in cells, and while customers are on the way from one to the other."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=3)))
    town, learner = Town(shop()), Learner(shop(), MODEL)
    live(town, learner, events, cuts)
    again = rebuilt(damaged(learner.state), recount(town, parts=data.draw(st.integers(1, 3))))
    assert counted(again) == counted(learner.state)


def test_so_they_do_after_a_year_with_those_who_fell_silent() -> None:
    town, learner = Town(shop()), Learner(shop(), MODEL)
    events = year(5)
    live(town, learner, events, list(range(60, len(events), 60)))
    again = rebuilt(damaged(learner.state), recount(town))
    assert counted(again) == counted(learner.state)
    assert len(counted(again)["cells"]) > 2
    assert counted(again)["held"]


def lived() -> tuple[Town, Learner]:
    town, learner = Town(shop()), Learner(shop(), MODEL)
    live(town, learner, year(3), [40, 80])
    return town, learner


def test_what_is_no_count_stays_as_it_was() -> None:
    town, learner = lived()
    before, again = learner.state, rebuilt(damaged(learner.state), recount(town))
    for name in ("snapshot", "now_ms", "looks", "wordings", "stated", "river"):
        assert getattr(again, name) is getattr(before, name)
    assert again.population.cells.next_id == before.population.cells.next_id
    assert again.population.cells.ids.tolist() == before.population.cells.ids.tolist()
    empty_cells = before.population.cells.sums.n == 0
    old, new = before.population.cells.positions, again.population.cells.positions
    assert (old[empty_cells] == new[empty_cells]).all()
    assert (old[~empty_cells] == new[~empty_cells]).all()


def test_cells_of_a_lost_model_are_taken_over_and_their_ids_not_given_again() -> None:
    learner = Learner(shop(), MODEL)
    rows = empty(shop(), 2)
    rows["cell"], rows["y"] = [900, 0], [[7] * WIDTH, [9] * WIDTH]
    again = rebuilt(learner.state, Recount.of(shop(), [rows]))
    cells = again.population.cells
    assert (cells.ids.tolist(), cells.sums.n.tolist(), cells.next_id) == ([900], [1], 901)
    assert cells.positions.tolist() == [[7.0] * WIDTH]
    assert again.population.nursery.vectors()[0].tolist() == [[9] * WIDTH]


def test_nobody_adds_up_to_nobody() -> None:
    again = rebuilt(damaged(lived()[1].state), Recount.of(shop(), []))
    of_holders: dict[str, Any] = {"held": {}, "holdings": {}, "tenures": {}}
    assert counted(again) == {"cells": {}, "nursery": ([], [], [[0] * WIDTH]), **of_holders}


def test_the_renewed_model_decides_as_before_and_carries_the_sums() -> None:
    town, learner = lived()
    assert learner.snapshot is not None
    state = rebuilt(damaged(learner.state), recount(town))
    newer = renewed(learner.snapshot, state.population.cells, version=9, learning_offset=400)
    assert (newer.version, newer.learning_offset) == (9, 400)
    for name in ("epoch", "segments", "scale", "margin", "names", "kind", "features_id"):
        assert getattr(newer, name) == getattr(learner.snapshot, name)
    back = unpack_state(pack_state(state, newer), MODEL)
    assert counted(back) == counted(learner.state)
    assert back.snapshot is not None
    assert back.snapshot.version == 9


@pytest.mark.parametrize("cell", [NURSERY, 1])
def test_who_is_out_of_the_population_is_not_counted(cell: int) -> None:
    rows = empty(shop(), 3)
    rows["cell"][0] = cell
    found = Recount.of(shop(), [rows])
    assert found.census.customers == 1
    assert found.nursery.customers == (cell == NURSERY)
