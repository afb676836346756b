"""Propose and match: who keeps the number, who is somebody else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans

from stream.model.grouping import RADIUS_FLOOR, Grouping, Proposal, match, propose, rms_distances
from stream.model.kmeans import Partition, partition
from stream.model.snapshot import FloatArray, IntArray, Scale
from stream.model.sums import Sums

SCALE = Scale(np.zeros(2), np.full(2, 100.0), np.ones(2), 1e6)
"""100 steps are one standard deviation."""


def cells(at: list[tuple[int, int]], n: list[int] | None = None, sd: int = 50) -> Sums:
    """One cell a place, of customers that scatter by ``sd`` steps in each direction."""
    counts: IntArray = np.array(n or [10] * len(at))
    mean = np.array(at, dtype=np.int64)
    return Sums(counts, counts[:, None] * mean, counts[:, None] * (mean**2 + sd**2))


def groups(*centroids: tuple[float, float], radius: float = 1.0) -> Grouping:
    numbers = tuple(range(1, len(centroids) + 1))
    return Grouping(SCALE, numbers, np.array(centroids), np.full(len(centroids), radius))


def regroup(masses: Sums, old: Grouping, centres: list[tuple[float, float]]) -> dict[int, tuple[float, ...]]:
    """Number -> centroid, after a grouping at these centres."""
    found = _proposal(masses, np.array(centres))
    grouping = match(masses, SCALE, old, found, next_number=9).grouping
    return dict(zip(grouping.numbers, (tuple(c) for c in grouping.centroids.tolist()), strict=True))


def _proposal(masses: Sums, centres: FloatArray) -> Proposal:
    return Proposal(partition(SCALE.z(masses.mean), masses.n.astype(float), centres))


def test_gradual_drift_keeps_the_number() -> None:
    old = groups((0.0, 0.0), (10.0, 0.0))
    for _ in range(20):
        here = old.centroids + np.array([[0.4, 0.0], [0.0, 0.4]])
        masses = cells([(round(x * 100), round(y * 100)) for x, y in here.tolist()])
        regrouping = match(masses, SCALE, old, _proposal(masses, here), next_number=9)
        assert regrouping.grouping.numbers == (1, 2)
        assert not regrouping.born
        assert not regrouping.gone
        old = replace(regrouping.grouping, radii=np.ones(2))
    assert old.centroids[0, 0] == pytest.approx(8.0)


def test_a_jump_of_more_than_a_radius_makes_a_new_one_at_fixed_k() -> None:
    old = groups((0.0, 0.0), (10.0, 0.0))
    assert regroup(cells([(110, 0), (1000, 0)]), old, [(1.1, 0.0), (10.0, 0.0)]) == {
        2: (10.0, 0.0),
        9: (1.1, 0.0),
    }
    assert regroup(cells([(90, 0), (1000, 0)]), old, [(0.9, 0.0), (10.0, 0.0)]).keys() == {1, 2}


def test_less_than_half_of_the_smaller_group_shared_is_somebody_else() -> None:
    """Near enough to be the old one, but most of its people come from elsewhere."""
    old = groups((0.0, 0.0), (2.0, 0.0), radius=5.0)
    centres = [(-4.0, 0.0), (1.0, 0.0), (3.0, 0.0)]
    places = [(-400, 0), (80, 0), (120, 0), (300, 0)]
    after = regroup(cells(places, n=[30, 10, 30, 100]), old, centres)
    assert after == {1: (-4.0, 0.0), 2: (3.0, 0.0), 9: (1.0, 0.0)}
    without_the_far_ones = [(1.0, 0.0), (3.0, 0.0)]
    assert regroup(cells(places[1:], n=[10, 30, 100]), old, without_the_far_ones).keys() == {1, 2}


def test_a_split_keeps_the_number_with_most_of_its_people() -> None:
    masses = cells([(-50, 0), (60, 0), (1000, 0)], n=[30, 70, 50])
    old = groups((0.0, 0.0), (10.0, 0.0))
    assert regroup(masses, old, [(-0.5, 0.0), (0.6, 0.0), (10.0, 0.0)]) == {
        1: (0.6, 0.0),
        2: (10.0, 0.0),
        9: (-0.5, 0.0),
    }


def test_a_merger_keeps_the_number_of_the_larger_part() -> None:
    masses = cells([(0, 0), (100, 0), (1000, 0)], n=[70, 30, 50])
    old = groups((0.0, 0.0), (1.0, 0.0), (10.0, 0.0))
    regrouping = match(masses, SCALE, old, _proposal(masses, np.array([[0.3, 0], [10.0, 0]])), 9)
    assert regrouping.grouping.numbers == (1, 3)
    assert regrouping.gone == (2,)
    assert regrouping.flows == {1: {1: 70}, 2: {1: 30}, 3: {3: 50}}
    assert regrouping.moved_share == pytest.approx(30 / 150)


def test_a_death_and_a_birth_at_fixed_k_do_not_swap_identities() -> None:
    old = groups((0.0, 0.0), (10.0, 0.0))
    masses = cells([(0, 0), (40, 0), (0, 5000)], n=[50, 20, 60])
    after = regroup(masses, old, [(0.1, 0.0), (0.0, 50.0)])
    assert after.keys() == {1, 9}
    assert after[9] == (0.0, 50.0)


def test_of_all_admissible_pairs_the_most_people_keep_their_number() -> None:
    """Greedy by pair would give 1 to the first group and leave the second without."""
    old = groups((0.0, 0.0), (1.0, 0.0), radius=9.0)
    shared_cells = cells([(0, 0), (30, 0), (100, 0)], n=[50, 40, 1])
    regrouping = match(shared_cells, SCALE, old, _proposal(shared_cells, np.array([[0.0, 0], [0.65, 0]])), 9)
    assert regrouping.shared.sum() == 91
    assert set(regrouping.grouping.numbers) == {1, 2}


def test_labels_do_not_matter() -> None:
    masses = cells([(0, 0), (500, 0), (1000, 0), (1500, 0)], n=[4, 3, 2, 1])
    old = groups((0.0, 0.0), (10.0, 0.0))
    centres = np.array([[0.0, 0], [5.0, 0], [10.0, 0], [15.0, 0]])
    one = match(masses, SCALE, old, _proposal(masses, centres), 9)
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        other = match(masses, SCALE, old, _proposal(masses, centres[order]), 9)
        assert other.grouping.numbers == one.grouping.numbers == (1, 2, 9, 10)
        assert np.array_equal(other.grouping.centroids, one.grouping.centroids)
        assert np.array_equal(other.grouping.radii, one.grouping.radii)
        assert np.array_equal(other.shared, one.shared)


def test_the_same_place_under_another_scale_is_no_jump() -> None:
    old = groups((0.0, 0.0), (10.0, 0.0))
    masses = cells([(0, 0), (1000, 0)])
    other = Scale(np.array([500.0, 0.0]), np.array([10.0, 100.0]), np.ones(2), 1e6)
    found = Proposal(partition(other.z(masses.mean), masses.n.astype(float), np.array([[-50.0, 0], [50.0, 0]])))
    assert match(masses, other, old, found, 9).grouping.numbers == (1, 2)


def test_the_first_groups_are_numbered_by_size() -> None:
    masses = cells([(0, 0), (1000, 0)], n=[3, 8])
    first = match(masses, SCALE, None, _proposal(masses, np.array([[0.0, 0], [10.0, 0]])), 1)
    assert first.grouping.centroids[:, 0].tolist() == [10.0, 0.0]
    assert first.born == (1, 2)
    assert first.moved_share == 0.0


def test_radius_is_the_root_mean_square_distance_of_the_customers() -> None:
    rng = np.random.default_rng(5)
    y = np.rint(rng.normal(200, 80, (500, 2))).astype(np.int16)
    scale = Scale(np.array([10.0, 20.0]), np.array([50.0, 90.0]), np.array([1.0, 0.5]), 1e6)
    sums = Sums.of(y, np.ones(500, np.int64), np.zeros(500, np.int64), 1)
    centroid = np.array([[3.0, 1.0]])
    direct = np.sqrt(((scale.z(y) - centroid) ** 2).sum(axis=1).mean())
    assert rms_distances(sums, scale, centroid)[0] == pytest.approx(direct)


def test_radius_is_never_zero() -> None:
    assert rms_distances(cells([(0, 0)], sd=0), SCALE, np.zeros((1, 2))).tolist() == [RADIUS_FLOOR]


def three_blobs() -> Sums:
    rng = np.random.default_rng(2)
    at = [np.array(c) + rng.normal(0, 60, (20, 2)) for c in ([0, 0], [1500, 0], [0, 1500])]
    return cells([(round(x), round(y)) for x, y in np.concatenate(at)])


def test_a_challenger_frees_a_warm_start_from_a_local_optimum() -> None:
    masses, rng = three_blobs(), np.random.default_rng(0)
    stuck = groups((0.0, 0.5), (0.0, -0.5), (7.5, 7.5))
    won = propose(masses, SCALE, stuck, rng, k=3, tries=4, gain=0.02).best
    assert won.challenger_won
    batch = KMeans(3, n_init=10, random_state=0).fit(SCALE.z(masses.mean), sample_weight=masses.n)
    assert won.partition.inertia <= 1.03 * batch.inertia_
    assert not propose(masses, SCALE, stuck, rng, k=3, tries=0, gain=0.02).best.challenger_won


def test_a_challenger_that_is_not_better_by_the_gain_does_not_win() -> None:
    masses, rng = three_blobs(), np.random.default_rng(0)
    right = groups((0.0, 0.0), (15.0, 0.0), (0.0, 15.0))
    assert not propose(masses, SCALE, right, rng, k=3, tries=9, gain=0.02).best.challenger_won


@pytest.mark.parametrize(("k", "expected"), [(2, 2), (3, 3), (5, 5)])
def test_a_warm_start_follows_a_changed_number_of_segments(k: int, expected: int) -> None:
    old = groups((0.0, 0.0), (15.0, 0.0), (0.0, 15.0))
    found = propose(three_blobs(), SCALE, old, np.random.default_rng(0), k=k, tries=0, gain=0.02).best
    assert len(found.partition.centres) == expected


def test_no_more_groups_than_places() -> None:
    found: Partition = propose(
        cells([(0, 0), (0, 0), (900, 0)]), SCALE, None, np.random.default_rng(0), k=5, tries=4, gain=0.02
    ).best.partition
    assert len(found.centres) == 2
