"""PopulationCells keeps river's contract, and is exact about who is where."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from river import cluster, compose, datasets, preprocessing
from river.checks import common, yield_checks
from sklearn.cluster import KMeans

from stream.model.clusterer import PopulationCells
from stream.model.snapshot import NURSERY, OUT
from tests.model.crowd import blobs

CHECKS = list(yield_checks(PopulationCells()))
# yield_checks has no data set for a Clusterer, so it leaves these out; they hold all the same.
DATA_CHECKS: list[Callable[..., None]] = [
    common.check_learn_one,
    common.check_pickling,
    common.check_shuffle_features_no_impact,
    common.check_emerging_features,
    common.check_disappearing_features,
    common.check_radically_disappearing_features,
    common.check_no_state_aliasing_with_input,
    common.check_clone_is_independent,
    common.check_bounded_memory_growth,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
def test_river_check(check: Callable[[PopulationCells], None]) -> None:
    check(PopulationCells())


@pytest.mark.parametrize("check", DATA_CHECKS, ids=lambda check: str(check.__name__))
def test_river_check_on_data(check: Callable[..., None]) -> None:
    random.seed(0)
    rows = [(x, y) for x, y in datasets.Phishing().take(300)]
    check(PopulationCells(warmup=50, macro_rows=50, step=0.01), rows)


def small(step: float = 1.0) -> PopulationCells:
    return PopulationCells(n_clusters=3, n_cells=20, step=step, warmup=60, macro_rows=40)


def rows(seed: int = 0) -> list[dict[str, float]]:
    y = blobs(np.random.default_rng(seed), [[0, 0], [900, 0], [0, 900]], 80, sd=60.0)
    return [dict(zip("ab", row, strict=True)) for row in y[np.random.default_rng(seed).permutation(240)].tolist()]


def test_groups_are_as_good_as_batch_kmeans() -> None:
    model = small()
    for x in rows():
        model.learn_one(x)
    frame = pd.DataFrame(rows())
    labels = model.predict_many(frame)
    values = frame.to_numpy()
    ours = sum(float(((values[labels == n] - values[labels == n].mean(axis=0)) ** 2).sum()) for n in np.unique(labels))
    assert ours <= 1.03 * KMeans(3, n_init=10, random_state=0).fit(values).inertia_
    assert sorted(model.centers) == [1, 2, 3]


def test_many_are_predicted_as_one_by_one() -> None:
    model = small()
    model.learn_many(pd.DataFrame(rows()))
    assert model.predict_many(pd.DataFrame(rows(1))).tolist() == [model.predict_one(x) for x in rows(1)]


def test_learning_many_keeps_the_same_sums_as_learning_one_by_one() -> None:
    one, many = small(), small()
    for x in rows():
        one.learn_one(x)
    many.learn_many(pd.DataFrame(rows()))
    assert totals(one) == totals(many)


def totals(model: PopulationCells) -> list[Any]:
    total = model._population.total
    return [total.n.tolist(), total.sums.tolist(), total.squares.tolist()]


def test_a_customer_who_moves_counts_where_it_went() -> None:
    moved, settled = small(), small()
    where: list[tuple[int, dict[str, float] | None]] = [(OUT, None)] * 240
    for batch in (rows(5), rows(6), rows(0)):
        for i, x in enumerate(batch):
            cell, old = where[i]
            where[i] = (moved.move(cell, old, x), x)
    for x in rows(0):
        settled.learn_one(x)
    assert totals(moved) == totals(settled)
    for cell, old in where:
        assert moved.move(cell, old, None) == OUT
    assert totals(moved) == [[0], [[0, 0]], [[0, 0]]]
    assert not moved._population.cells.sums.n.any()


def test_a_customer_is_in_the_nursery_until_there_are_groups() -> None:
    model = small()
    cells = [model.move(OUT, None, x) for x in rows()]
    assert set(cells[:60]) == {NURSERY}
    assert min(cells[60:]) > NURSERY
    with pytest.raises(ValueError, match="no cell 999"):
        model.move(999, {"a": 1.0}, None)


def test_group_numbers_live_on_while_the_groups_move() -> None:
    model = small()
    where = [(model.move(OUT, None, x), x) for x in rows()]
    before = [model.predict_one(x) for _, x in where]
    for step in range(1, 8):
        to = [{"a": x["a"] + 20.0 * step, "b": x["b"] + 20.0 * step} for x in rows()]
        where = [(model.move(cell, old, x), x) for (cell, old), x in zip(where, to, strict=True)]
    after = [model.predict_one(x) for _, x in where]
    assert after == before


def test_predicting_changes_nothing_unlike_in_rivers_kmeans() -> None:
    model = small()
    for x in rows():
        model.learn_one(x)
    before = (model._columns.copy(), repr(model._grouping))
    model.predict_one({"c": 3.0})
    model.predict_many(pd.DataFrame([{"c": 3.0, "a": 1.0}]))
    assert (model._columns, repr(model._grouping)) == before


def test_before_there_is_a_group_the_answer_is_0() -> None:
    model = PopulationCells()
    assert model.predict_one({"a": 1.0}) == 0
    assert model.predict_many(pd.DataFrame([{"a": 1.0}, {"a": 2.0}])).tolist() == [0, 0]
    assert model.centers == {}


def test_a_feature_that_appears_late_counts_from_the_next_grouping() -> None:
    model = small()
    for x in rows():
        model.learn_one(x)
    for x, c in zip(rows(1) * 2, itertools.cycle([0.0, 5000.0]), strict=False):
        model.learn_one(x | {"c": c})
    assert any(centre["c"] > 1000 for centre in model.centers.values())


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        PopulationCells().learn_one({"a": float("nan")})


def test_works_at_the_end_of_a_pipeline() -> None:
    pipeline = compose.Pipeline(preprocessing.StandardScaler(), small(step=0.001))
    for x in rows():
        pipeline.learn_one(x)
    assert pipeline.predict_one(rows()[0]) in {1, 2, 3}
    pipeline.learn_many(pd.DataFrame(rows(2)))
    assert set(pipeline.predict_many(pd.DataFrame(rows(2)))) == {1, 2, 3}


def test_is_what_river_takes_for_a_clusterer() -> None:
    assert isinstance(PopulationCells(), type(cluster.KMeans()).__mro__[1])
