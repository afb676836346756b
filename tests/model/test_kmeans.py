"""Weighted k-means against scikit-learn's batch k-means, and its corners."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from stream.model.kmeans import lloyd, nearest, partition, seeds, squared_distances, weighted_means


def planted(seed: int, k: int, d: int, n: int = 80) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(0, 6, d) + rng.normal(0, 0.7, (n, d)) for _ in range(k)])


@pytest.mark.parametrize("seed", range(5))
def test_recovers_planted_groups_as_well_as_batch_kmeans(seed: int) -> None:
    points, weights, rng = planted(seed, 5, 6), np.ones(400), np.random.default_rng(seed)
    ours = min(lloyd(points, weights, points[seeds(points, weights, 5, rng)]).inertia for _ in range(10))
    batch = KMeans(5, n_init=10, random_state=0).fit(points)
    assert ours <= 1.03 * batch.inertia_


@given(st.integers(0, 50))
def test_a_point_of_weight_w_is_w_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(0, 1, (20, 3)), rng.integers(1, 5, 20)
    start = points[:4]
    heavy = lloyd(points, weights.astype(float), start)
    many = lloyd(np.repeat(points, weights, axis=0), np.ones(weights.sum()), start)
    assert np.allclose(heavy.centres, many.centres)
    assert heavy.inertia == pytest.approx(many.inertia)


@given(st.integers(0, 50))
def test_lloyd_never_costs_more_than_its_start(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(0, 1, (60, 4)), rng.random(60) + 0.1
    start = points[seeds(points, weights, 6, rng)]
    assert lloyd(points, weights, start).inertia <= partition(points, weights, start).inertia + 1e-9


def test_seeds_are_distinct_and_no_more_than_the_distinct_points() -> None:
    points = np.array([[0.0], [0.0], [5.0], [5.0]])
    chosen = seeds(points, np.ones(4), 4, np.random.default_rng(0))
    assert sorted(points[chosen, 0]) == [0.0, 5.0]


def test_seeds_keep_away_from_the_given_centres() -> None:
    points = np.array([[0.0], [9.0]])
    for seed in range(20):
        assert seeds(points, np.ones(2), 1, np.random.default_rng(seed), given=points[:1]).tolist() == [1]


def test_a_point_without_weight_is_never_a_seed() -> None:
    points = np.array([[0.0], [9.0], [100.0]])
    weights = np.array([1.0, 1.0, 0.0])
    assert 2 not in seeds(points, weights, 3, np.random.default_rng(0))


def test_an_empty_centre_restarts_at_the_costliest_point() -> None:
    points = np.array([[0.0], [1.0], [10.0]])
    found = lloyd(points, np.ones(3), np.array([[0.5], [-50.0]]))
    assert sorted(found.centres[:, 0]) == [0.5, 10.0]


def test_identical_points_are_one_group() -> None:
    found = lloyd(np.zeros((4, 2)), np.ones(4), np.array([[0.0, 0.0], [0.0, 0.0]]))
    assert found.centres.tolist() == [[0.0, 0.0]]
    assert found.inertia == 0.0


def test_partition_leaves_out_centres_without_points() -> None:
    found = partition(np.array([[0.0], [1.0]]), np.ones(2), np.array([[99.0], [0.0], [1.0]]))
    assert found.centres.tolist() == [[0.0], [1.0]]
    assert found.labels.tolist() == [0, 1]


def test_nearest_in_chunks_is_nearest_at_once() -> None:
    rng = np.random.default_rng(3)
    points, centres = rng.normal(0, 1, (2500, 3)), rng.normal(0, 1, (7, 3))
    assert np.array_equal(nearest(points, centres), squared_distances(points, centres).argmin(axis=1))
    assert nearest(points[:0], centres).shape == (0,)


def test_means_of_a_label_without_weight_are_not_numbers() -> None:
    means = weighted_means(np.array([[2.0], [4.0]]), np.array([1.0, 3.0]), np.array([0, 0]), 2)
    assert means[0, 0] == 3.5
    assert np.isnan(means[1, 0])
