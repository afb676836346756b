"""The scan of k, against scikit-learn's indices."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from stream.model.choice import Scan, scan, score
from stream.model.kmeans import lloyd
from tests.model.crowd import blobs

RNG = np.random.default_rng
POINTS = blobs(RNG(1), [[0, 0], [9, 0], [0, 9], [9, 9]], 50, sd=1.5).astype(float)


def test_all_indices_find_four_planted_groups() -> None:
    advice = scan(POINTS, np.ones(200), RNG(0)).advice
    assert advice == {"silhouette": 4, "davies_bouldin": 4, "calinski_harabasz": 4, "elbow": 4}


def test_scores_are_those_of_scikit_learn() -> None:
    found = lloyd(POINTS, np.ones(200), POINTS[[0, 60, 110]])
    ours = score(POINTS, np.ones(200), found)
    assert ours.davies_bouldin == pytest.approx(davies_bouldin_score(POINTS, found.labels))
    assert ours.calinski_harabasz == pytest.approx(calinski_harabasz_score(POINTS, found.labels))
    assert -1 <= ours.silhouette <= 1


def test_a_point_of_weight_w_is_w_points() -> None:
    rng = RNG(4)
    weights = rng.integers(1, 4, 200)
    start = POINTS[[0, 60, 110]]
    heavy = score(POINTS, weights.astype(float), lloyd(POINTS, weights.astype(float), start))
    repeated = np.repeat(POINTS, weights, axis=0)
    many = score(repeated, np.ones(len(repeated)), lloyd(repeated, np.ones(len(repeated)), start))
    assert heavy.silhouette == pytest.approx(many.silhouette)
    assert heavy.davies_bouldin == pytest.approx(many.davies_bouldin)
    assert heavy.calinski_harabasz == pytest.approx(many.calinski_harabasz)


def test_a_scan_ends_where_the_points_end() -> None:
    three_places = np.repeat(np.array([[0.0], [5.0], [9.0]]), 4, axis=0)
    assert [s.k for s in scan(three_places, np.ones(12), RNG(0)).scores] == [2]


def test_a_scan_too_short_gives_no_advice() -> None:
    assert set(Scan(()).advice.values()) == {0}
