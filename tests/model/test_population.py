"""The sums are exact: whatever the splits, the order and the cells, they equal those over the customers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stream.errors import BadRecord
from stream.model.cells import REVIVED_AT_MOST, Cells
from stream.model.learner import Learner
from stream.model.learning import LearningRecord
from stream.model.nursery import Nursery
from stream.model.population import Population
from stream.model.snapshot import NURSERY, OUT, IntArray, Scale, Vectors
from stream.model.sums import Sums
from tests.model.crowd import Crowd, blobs, described, learnt, settings

D = 2
STEPS = st.integers(-32_768, 32_767)
Move = tuple[int, int, list[int]]


def moves(customers: int = 4, cells: int = 3) -> st.SearchStrategy[list[Move]]:
    """(customer, cell it goes to, its new vector)."""
    vector = st.lists(STEPS, min_size=D, max_size=D)
    return st.lists(st.tuples(st.integers(0, customers - 1), st.integers(OUT, cells), vector), max_size=30)


def records(journey: list[Move]) -> list[LearningRecord]:
    """One record a move, from an empty population."""
    at = dict[int, tuple[int, list[int]]]()
    made = []
    for customer, cell, y in journey:
        was = at.get(customer, (OUT, [0] * D))
        made.append(record([(*was, -1), (cell, y, 1)]))
        at[customer] = (cell, y)
    return made


def record(changes: list[tuple[int, list[int], int]]) -> LearningRecord:
    cell = np.array([c for c, _, _ in changes], dtype=np.int64)
    y = np.array([v for _, v, _ in changes], dtype=np.int16).reshape(-1, D)
    sign = np.array([s for _, _, s in changes], dtype=np.int8)
    inside, nursery = cell > NURSERY, cell == NURSERY
    cells, labels = np.unique(cell[inside], return_inverse=True)
    change = Sums.of(y[inside], sign[inside].astype(np.int64), labels, len(cells))
    plain: dict[str, Any] = {"cells": cells, "n": change.n, "sums": change.sums, "squares": change.squares}
    return LearningRecord(
        "f",
        0,
        1,
        **plain,
        nursery_sign=sign[nursery],
        nursery_y=y[nursery],
        held={},
        holdings={},
        tenures={},
        rows=y[:0],
    )


def population() -> Population:
    empty = Population.none(D)
    empty.cells.place(np.zeros((3, D)))
    return empty


def totals(of: Population) -> dict[str, Any]:
    """All there is to know, whatever the order it was learnt in."""
    order = np.argsort(of.cells.ids)
    y, counts = of.nursery.vectors(owed=True)
    return {
        "cells": [part[order].tolist() for part in (of.cells.sums.n, of.cells.sums.sums, of.cells.sums.squares)],
        "nursery": (y.tolist(), counts.tolist()),
    }


@given(moves(), st.randoms(use_true_random=False))
def test_any_order_of_records_gives_the_same_sums(journey: list[Move], random: Any) -> None:
    straight, shuffled = population(), population()
    made = records(journey)
    for one in made:
        straight.add(one)
    random.shuffle(made)
    for one in made:
        shuffled.add(one)
    assert totals(straight) == totals(shuffled)


@given(moves(), st.integers(0, 30))
def test_any_split_into_records_gives_the_same_sums(journey: list[Move], size: int) -> None:
    one_by_one, in_batches = population(), population()
    made = records(journey)
    for one in made:
        one_by_one.add(one)
    for start in range(0, len(made), size + 1):
        batch = made[start : start + size + 1]
        parts: dict[str, Any] = {
            name: np.concatenate([getattr(r, name) for r in batch])
            for name in ("cells", "n", "sums", "squares", "nursery_sign", "nursery_y")
        }
        in_batches.add(replace(batch[0], **parts))
    assert totals(one_by_one) == totals(in_batches)


@given(moves())
def test_a_customer_who_moved_stands_only_where_it_went_last(journey: list[Move]) -> None:
    moved, last = population(), population()
    for one in records(journey):
        moved.add(one)
    ends = {customer: (cell, y) for customer, cell, y in journey}
    for cell, y in ends.values():
        last.add(record([(cell, y, 1)]))
    assert totals(moved) == totals(last)


@hypothesis_settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_learner_agrees_with_the_customers_through_macro_steps(seed: int) -> None:
    """I10: per cell, n and the sums equal those over the customers; also with a worker on an old snapshot."""
    rng = np.random.default_rng(seed)
    crowd = Crowd(blobs(rng, [[0, 0], [4000, 0]], 60), Learner(described(D), settings(cells=12)))
    crowd.step()
    old = crowd.learner.snapshot
    for _ in range(6):
        who = rng.permutation(120)[: rng.integers(1, 120)]
        to = (crowd.y[who] + rng.normal(0, 3000, (len(who), D))).astype(np.int16)
        crowd.learner.learn(crowd.look(who, to, snapshot=old))
        crowd.learner.learn(crowd.leave(rng.permutation(120)[:5]))
        old = crowd.learner.snapshot if rng.random() < 0.5 else old
        crowd.learner.macro_step(0)
        assert learnt(crowd.learner) == crowd.sums()


def test_a_cell_given_up_comes_back_with_the_customers_who_were_on_their_way() -> None:
    cells = Cells.none(D)
    cells.place(np.array([[0.0, 0.0], [100.0, 0.0]]))
    around = sums([[0, 0], [2, 0], [4, 0]])
    cells.add(np.array([1]), around)
    cells.revive(cells.sums, unit_scale(), limit=1, rng=np.random.default_rng(0))
    assert cells.ids.tolist() == [1]
    cells.add(np.array([2]), around)
    assert cells.ids.tolist() == [1, 2]
    assert cells.positions.tolist() == [[2.0, 0.0], [2.0, 0.0]]


def test_a_cell_that_comes_back_and_empties_stands_where_its_customers_were() -> None:
    cells = Cells.none(D)
    cells.place(np.array([[0.0, 0.0], [100.0, 0.0]]))
    cells.add(np.array([1]), sums([[0, 0]]))
    cells.revive(cells.sums, unit_scale(), limit=1, rng=np.random.default_rng(0))
    there = sums([[80, 4], [100, 8]])
    cells.add(np.array([2]), there)
    cells.add(np.array([2]), Sums(-there.n, -there.sums, -there.squares))
    assert cells.positions.tolist() == [[0.0, 0.0], [90.0, 6.0]]


def test_a_cell_whose_sums_do_not_cancel_yet_is_not_given_up() -> None:
    cells = Cells.none(D)
    cells.place(np.zeros((2, D)))
    cells.add(np.array([1]), sums([[3, 0]]))
    late = Sums(np.array([0]), np.array([[0, 0]]), np.array([[8, 0]]))
    cells.add(np.array([2]), late)
    cells.revive(cells.sums, unit_scale(), limit=1, rng=np.random.default_rng(0))
    assert cells.ids.tolist() == [1, 2]


def test_empty_cells_are_revived_beside_the_heaviest_under_new_ids() -> None:
    cells = Cells.none(D)
    cells.place(np.zeros((8, D)))
    cells.add(np.array([1]), sums([[0, -1], [0, 1], [30, 0], [-30, 0]]))
    cells.revive(cells.sums, unit_scale(), limit=8, rng=np.random.default_rng(0))
    assert cells.ids.tolist() == [1, 3, 4, 5, 6, 7, 8, 9], "only one cell can be split, so one is revived"
    assert abs(cells.positions[-1, 0]) == pytest.approx(np.sqrt(450.0))
    assert cells.positions[-1, 1] == 0.0
    assert cells.sums.n.tolist() == [4, 0, 0, 0, 0, 0, 0, 0], "a new place takes no customers"


def test_no_more_than_five_cells_are_revived_in_a_step() -> None:
    cells = Cells.none(D)
    cells.place(np.zeros((20, D)))
    for cell in range(1, 11):
        cells.add(np.array([cell]), sums([[cell, 0], [cell + 9, 3]]))
    cells.revive(cells.sums, unit_scale(), limit=20, rng=np.random.default_rng(0))
    assert (cells.ids > 20).sum() == REVIVED_AT_MOST
    assert len(cells) == 20


def test_a_cell_that_a_nursery_vector_is_nearest_to_is_not_empty() -> None:
    crowd = Crowd(blobs(np.random.default_rng(1), [[0, 0], [4000, 0]], 60), Learner(described(D), settings()))
    first = crowd.step().snapshot
    assert crowd.learner.state.population.cells.sums.n.sum() == 0
    assert first.cell_ids.tolist() == list(range(1, 31))


def test_cells_are_widened_with_zeros() -> None:
    cells = Cells.none(D)
    cells.place(np.ones((1, D)))
    cells.add(np.array([1]), sums([[3, 4]]))
    wide = cells.widened(3)
    assert wide.positions.tolist() == [[3.0, 4.0, 0.0]]
    assert wide.sums.squares.tolist() == [[9, 16, 0]]


def test_nursery_keeps_a_debt_until_the_vector_arrives() -> None:
    nursery = Nursery(D)
    nursery.add(np.array([-1], np.int8), y([[5, 6]]))
    assert len(nursery.vectors()[0]) == 0
    assert nursery.customers == -1
    nursery.add(np.array([1], np.int8), y([[5, 6]]))
    assert nursery.vectors(owed=True)[0].tolist() == []
    assert nursery.total.sums.tolist() == [[0, 0]]


def test_scale_is_that_of_everybody_and_mutes_a_constant_feature() -> None:
    people = population()
    people.nursery.add(np.array([1, 1], np.int8), y([[0, 7], [10, 7]]))
    people.cells.add(np.array([2]), sums([[20, 7]]))
    scale = people.scale(np.array([1.0, 1.0]), np.array([1.0, 1.0]), clip=3.0)
    assert scale.mean.tolist() == [10.0, 7.0]
    assert scale.sd[0] == pytest.approx(np.std([0, 10, 20]))
    assert scale.weight.tolist() == [1.0, 0.0]
    assert scale.sd[1] == 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {"n": np.zeros(2, np.int64)},
        {"n": np.zeros(1, np.float64)},
        {"sums": np.zeros((1, D + 1), np.int64)},
        {"squares": np.zeros((1, D), np.int32)},
        {"nursery_y": np.zeros((1, D), np.int16)},
        {"nursery_sign": np.zeros(1, np.int64)},
        {"cells": np.array([4])},
        {"cells": np.array([NURSERY])},
        {"cells": np.array([OUT])},
    ],
)
def test_a_record_that_does_not_fit_changes_nothing(changes: dict[str, Any]) -> None:
    people = population()
    people.add(record([(1, [3, 4], 1), (NURSERY, [5, 6], 1)]))
    before = totals(people)
    with pytest.raises(BadRecord):
        people.add(replace(record([(1, [9, 9], 1)]), **changes))
    assert totals(people) == before


def y(rows: list[list[int]]) -> Vectors:
    return np.array(rows, dtype=np.int16)


def sums(rows: list[list[int]]) -> Sums:
    ones: IntArray = np.ones(len(rows), np.int64)
    return Sums.of(y(rows), ones, np.zeros(len(rows), np.int64), 1)


def unit_scale() -> Scale:
    return Scale(np.zeros(D), np.ones(D), np.ones(D), 1e9)
