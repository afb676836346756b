"""Parent groups: Ward's tree, two or three families, numbers that follow the customers, calm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from stream.model.families import cut, family_numbers, levels, within
from stream.model.grouping import Grouping, Regrouping
from stream.model.learner import Learner
from stream.model.snapshot import FloatArray, Scale
from stream.model.sums import Sums
from tests.model.crowd import Crowd, blobs, described, settings

PAIRS = [[0.0, 0.0], [1.0, 0.0], [20.0, 0.0], [21.0, 0.0], [10.0, 18.0]]
"""Three families as plain as can be."""


def regrouping(
    centroids: list[list[float]], customers: list[int], shared: dict[tuple[int, int], int] | None = None
) -> Regrouping:
    """Segments 1, 2, ... at these places. ``shared``: customers by number before and now; default all stayed."""
    numbers = tuple(range(1, len(centroids) + 1))
    before = tuple(sorted({old for old, _ in shared})) if shared else numbers
    flows = np.zeros((len(before), len(numbers)), np.int64)
    for (old, new), n in (shared or {(i, i): n for i, n in zip(numbers, customers, strict=True)}).items():
        flows[before.index(old), new - 1] = n
    d = len(centroids[0])
    scale = Scale(np.zeros(d), np.ones(d), np.ones(d), 3.0)
    sums = Sums(np.array(customers), np.zeros((len(numbers), d), np.int64), np.zeros((len(numbers), d), np.int64))
    grouping = Grouping(scale, numbers, np.array(centroids), np.ones(len(numbers)))
    return Regrouping(grouping, sums, before, flows, challenger_won=False)


def partition(families: dict[int, int]) -> set[frozenset[int]]:
    return {frozenset(s for s, f in families.items() if f == family) for family in families.values()}


@pytest.mark.parametrize("seed", range(5))
def test_the_tree_is_wards(seed: int) -> None:
    """scipy's, which knows no weights, so every segment has as many customers."""
    centroids = np.random.default_rng(seed).normal(0, 1, (9, 3))
    tree, reference = levels(centroids, np.ones(9)), linkage(centroids, "ward")
    for left in range(1, 10):
        theirs = fcluster(reference, left, "maxclust")
        assert {frozenset(p) for p in tree[left].parts} == {
            frozenset(np.flatnonzero(theirs == c).tolist()) for c in set(theirs.tolist())
        }
    heights = [tree[left].height for left in range(9, 1, -1)]
    assert heights == pytest.approx((reference[:, 2] / np.sqrt(2)).tolist()), "scipy leaves out a factor"


def test_a_heavy_segment_is_dearer_to_merge() -> None:
    centroids = np.array([[0.0], [1.0], [2.1]])
    assert levels(centroids, np.array([1.0, 1.0, 1.0]))[2].parts == ((0, 1), (2,))
    assert levels(centroids, np.array([900.0, 900.0, 1.0]))[2].parts == ((0,), (1, 2))


@pytest.mark.parametrize(
    ("centroids", "families"),
    [
        (PAIRS, [{1, 2}, {3, 4}, {5}]),
        ([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [30.0, 0.0], [31.0, 0.0]], [{1, 2, 3}, {4, 5}]),
        (PAIRS[1:], [{1, 4}, {2, 3}]),
        (PAIRS[:2], [{1}, {2}]),
        (PAIRS[:1], [{1}]),
    ],
)
def test_two_or_three_families_two_of_less_than_five_segments(
    centroids: list[list[float]], families: list[set[int]]
) -> None:
    found = family_numbers(regrouping(centroids, [50] * len(centroids)), {}, 1)
    assert partition(found) == {frozenset(f) for f in families}
    assert set(found.values()) == set(range(1, len(families) + 1))


places = st.lists(st.lists(st.integers(-50, 50), min_size=2, max_size=2), min_size=1, max_size=16)


@given(places, st.data())
def test_every_segment_has_a_family_whatever_their_order(at: list[list[int]], data: st.DataObject) -> None:
    rng = np.random.default_rng(0)
    centroids = np.array(at) + rng.normal(0, 0.01, (len(at), 2))  # no exact ties
    customers = rng.uniform(1, 900, len(at))
    order = data.draw(st.permutations(range(len(at))))
    straight = cut(levels(centroids, customers))
    permuted = cut(levels(centroids[order], customers[order]))
    assert {frozenset(p) for p in straight} == {frozenset(order[i] for i in p) for p in permuted}
    assert sorted(i for part in straight for i in part) == list(range(len(at)))
    assert len(straight) == min(len(at), 2) if len(at) < 5 else len(straight) in (2, 3)


def test_first_numbers_go_by_size() -> None:
    assert family_numbers(regrouping(PAIRS, [40, 40, 60, 60, 70]), {}, 7) == {1: 8, 2: 8, 3: 7, 4: 7, 5: 9}


def test_the_same_segments_keep_their_families_until_others_are_clearly_better() -> None:
    known = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}

    def moved(to: float) -> dict[int, int]:
        """Segment 2 wanders from its sister to the others."""
        return family_numbers(regrouping([[0.0, 0.0], [to, 0.0], *PAIRS[2:]], [50] * 5), known, 4)

    assert moved(1.0) == known
    assert moved(11.5) == known, "a little nearer to the others"
    assert moved(16.0) == {1: 1, 2: 2, 3: 2, 4: 2, 5: 3}


def test_a_number_follows_the_customers() -> None:
    known = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
    everybody = {(1, 1): 50, (2, 2): 50, (3, 3): 50, (4, 4): 50, (5, 5): 50}
    born_of_5 = everybody | {(5, 6): 30}
    six = family_numbers(regrouping([*PAIRS, [11.0, 18.0]], [50] * 5 + [30], born_of_5), known, 4)
    assert six == known | {6: 3}, "a split stays in the family"
    strangers = {(old, new): 10 for old in range(1, 6) for new in range(1, 6)}
    fresh = family_numbers(regrouping(PAIRS, [50] * 5, strangers), dict.fromkeys(range(1, 6), 9), 10)
    assert sorted(set(fresh.values())) == [9, 10, 11], "one of three heirs of a family keeps its number"
    nobody = family_numbers(regrouping(PAIRS, [50] * 5, {(8, 1): 0}), {8: 9}, 10)
    assert set(nobody.values()) == {10, 11, 12}


def crowd(**changes: object) -> Crowd:
    centres = [[3000 * x, 3000 * y] for x, y in PAIRS[:2]] + [[-9000.0, 9000.0], [-6000.0, 9000.0], [9000.0, -12000.0]]
    y = blobs(np.random.default_rng(3), centres, 40)
    return Crowd(y, Learner(described(2), settings(segments=5, **changes)))


def test_a_model_has_families_with_names_of_their_own() -> None:
    snapshot = crowd().step().snapshot
    assert len({s.family for s in snapshot.segments}) == 3
    assert snapshot.families.keys() == {s.family for s in snapshot.segments}
    assert len(set(snapshot.families.values())) == 3


def test_quiet_steps_and_a_restart_change_no_family() -> None:
    people = crowd()
    first = people.step().snapshot
    known = {s.number: (s.family, first.families[s.family]) for s in first.segments}
    for _ in range(4):
        people.step()
        packed = people.learner.to_record(people.learner.macro_step(0).snapshot)
        people.learner = Learner.from_record(packed, people.learner.features, people.learner.settings)
        snapshot = people.step().snapshot
        assert {s.number: (s.family, snapshot.families[s.family]) for s in snapshot.segments} == known


def test_who_retires_stays_with_its_family_and_numbers_of_lost_models_are_left_out() -> None:
    people = crowd()
    people.step()
    before = people.step().snapshot
    alone = before.segments[int(people.held[-1]) - 1]
    to = people.y.copy()
    to[-40:] = blobs(np.random.default_rng(9), [[12000.0, 12000.0]], 40)
    people.learner.succeed(before.version + 2)
    after = people.step(to=to).snapshot
    retiring = next(s for s in after.segments if s.retiring)
    assert (retiring.number, retiring.family, retiring.rule) == (alone.number, alone.family, None)
    born = next(s for s in after.segments if s.number not in {x.number for x in before.segments})
    assert born.family == max(before.families) + 3 * 2 + 1
    assert after.families[alone.family] == before.families[alone.family]


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=8), st.data())
def test_within_is_the_sum_over_families(at: list[int], data: st.DataObject) -> None:
    centroids, customers = np.array(at, dtype=np.float64)[:, None], np.ones(len(at))
    family = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(at), max_size=len(at))))
    parts: Any = tuple(tuple(np.flatnonzero(family == f).tolist()) for f in sorted(set(family.tolist())))
    expected = sum(float(_around_mean(centroids[family == f])) for f in set(family.tolist()))
    assert within(centroids, customers, parts) == pytest.approx(expected)


def _around_mean(points: FloatArray) -> FloatArray:
    return np.asarray(((points - points.mean()) ** 2).sum())
