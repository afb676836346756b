"""river's clusterers behind the seam: each end to end, and the facts about river that the seam absorbs."""

from __future__ import annotations

import copy
from typing import Any, get_args

import numpy as np
import pytest
from river import cluster
from river.cluster import denstream

from stream.model.learner import Learner
from stream.model.river_kinds import KEPT_ROWS, RiverGroups
from stream.model.snapshot import Scale, Snapshot
from stream.model.snapshot_record import SEGMENTS_AT_MOST, snapshot_of
from stream.settings import ModelKind
from tests.model.crowd import FEATURES_ID, Crowd, blobs, described, learnt, settings

KINDS: list[ModelKind] = [kind for kind in get_args(ModelKind) if kind != "cells"]
CENTRES = [[0.0, 0.0, 0.0], [5000.0, 0.0, 0.0], [0.0, 5000.0, 0.0]]
UNIT = Scale(np.zeros(2), np.ones(2), np.ones(2), 1e9)


def crowd(kind: ModelKind) -> Crowd:
    y = blobs(np.random.default_rng(0), CENTRES, 120)
    return Crowd(y, Learner(described(3), settings(kind=kind, warmup_customers=360, cells=40)))


def live(people: Crowd, batches: int, seed: int = 1) -> Snapshot:
    """Looks of random customers who tremble a little, a macro step every two batches."""
    rng = np.random.default_rng(seed)
    for batch in range(batches):
        who = rng.permutation(len(people.y))[:90]
        to = (people.y[who] + rng.normal(0, 60, (len(who), 3))).astype(np.int16)
        people.learner.learn(people.look(who, to))
        if batch % 2:
            people.learner.macro_step(batch)
    assert people.learner.snapshot is not None
    return people.learner.snapshot


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_makes_valid_snapshots_from_a_stream_of_looks(kind: ModelKind) -> None:
    people = crowd(kind)
    people.step()
    snapshot = live(people, 12)
    assert snapshot.kind == kind
    assert snapshot.version == 7
    packed = people.learner.to_record(snapshot)
    assert repr(snapshot_of(packed, FEATURES_ID, newer_than=6)) == repr(snapshot)
    assignable = [s for s in snapshot.segments if not s.retiring]
    assert 1 <= len(assignable) <= SEGMENTS_AT_MOST
    assert sum(s.customers for s in assignable) == len(people.y)
    assert all(s.customers > 0 for s in assignable), "a centre without customers is no segment"
    assert learnt(people.learner) == people.sums()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_goes_on_after_a_restart(kind: ModelKind) -> None:
    people = crowd(kind)
    people.step()
    before = live(people, 6)
    packed = people.learner.to_record(before)
    people.learner = Learner.from_record(packed, people.learner.features, people.learner.settings)
    assert people.learner.snapshot is not None
    assert repr(people.learner.snapshot) == repr(before), "a restart changes nobody"
    assert live(people, 4, seed=2).version == before.version + 2


@pytest.mark.parametrize("kind", KINDS)
def test_equal_records_make_equal_models(kind: ModelKind) -> None:
    one, other = crowd(kind), crowd(kind)
    one.step()
    other.step()
    assert repr(live(one, 6)) == repr(live(other, 6))


def test_kmeans_finds_the_planted_groups() -> None:
    people = crowd("kmeans")
    people.step()
    snapshot = live(people, 10)
    assert sorted(s.customers for s in snapshot.segments) == [120, 120, 120]
    assert snapshot.names.keys() == {1, 2, 3}, "and nobody became somebody else"


def test_kmeans_comes_back_exactly_from_its_centres() -> None:
    rng = np.random.default_rng(0)
    river = RiverGroups("kmeans", 3, 7, UNIT)
    river.start(blobs(rng, [[0, 0], [50, 0], [0, 50]], 30, sd=3))
    back = RiverGroups("kmeans", 3, 7, UNIT)
    back.resume(river.centres_z, river.rows)
    more = blobs(rng, [[9, 9]], 40, sd=3)
    for both in (river, back):
        both.learn(more)
    assert np.array_equal(river.centres_z, back.centres_z)
    assert np.array_equal(river.rows, back.rows)


def test_only_the_last_rows_are_kept() -> None:
    river = RiverGroups("kmeans", 2, 7, UNIT)
    rows = np.arange(2 * (KEPT_ROWS + 30), dtype=np.int16).reshape(-1, 2)
    river.learn(rows[:700])
    river.learn(rows[700:])
    assert np.array_equal(river.rows, rows[-KEPT_ROWS:])


@pytest.mark.parametrize(("before", "after"), [("cells", "kmeans"), ("dbstream", "kmeans"), ("kmeans", "cells")])
def test_another_kind_takes_over_the_cells_and_the_segments(before: ModelKind, after: ModelKind) -> None:
    people = crowd(before)
    people.step()
    packed = people.learner.to_record(live(people, 4))
    wanted = settings(kind=after, warmup_customers=360, cells=40)
    people.learner = Learner.from_record(packed, people.learner.features, wanted)
    assert live(people, 4).kind == after
    assert learnt(people.learner) == people.sums()


def test_another_number_of_segments_makes_kmeans_start_again_from_its_last_rows() -> None:
    people = crowd("kmeans")
    people.step()
    packed = people.learner.to_record(live(people, 4))
    wanted = settings(kind="kmeans", segments=2, warmup_customers=360, cells=40)
    people.learner = Learner.from_record(packed, people.learner.features, wanted)
    assert len([s for s in live(people, 4).segments if not s.retiring]) == 2


@pytest.mark.parametrize("kind", ["streamkmeans", "clustream", "dbstream", "denstream"])
def test_before_river_has_found_anything_the_population_is_one_segment(kind: ModelKind) -> None:
    river = RiverGroups(kind, 3, 7, Scale(np.array([5.0, 6.0]), np.ones(2), np.ones(2), 3.0))
    assert river.centres.tolist() == [[5.0, 6.0]]


# Facts about river: when one of these fails after an upgrade, river_kinds has less to absorb.


def learnt_by_river(model: Any, n: int = 400) -> Any:
    rng = np.random.default_rng(3)
    for row in blobs(rng, [[0, 0], [9, 0]], n // 2, sd=1.0)[rng.permutation(n)].tolist():
        model.learn_one(dict(enumerate(row)))
    return model


def test_river_kmeans_writes_when_it_predicts() -> None:
    model = learnt_by_river(cluster.KMeans(n_clusters=2, seed=1))
    before = copy.deepcopy(model.centers)
    model.predict_one({"never seen": 1.0})
    assert model.centers != before


def test_river_streamkmeans_cannot_predict_before_it_has_learnt() -> None:
    build: Any = cluster.STREAMKMeans
    with pytest.raises(ValueError, match="empty"):
        build().predict_one({0: 1.0})


def test_river_denstream_clusters_only_when_it_predicts() -> None:
    model = learnt_by_river(cluster.DenStream(decaying_factor=0.01, beta=0.5, mu=2.5, epsilon=1.5, n_samples_init=200))
    assert model.centers == {}
    model.predict_one({0: 0.0, 1: 0.0})
    assert model.centers != {}


def test_river_denstream_adds_the_parts_of_a_cluster_into_the_first_where_it_stands() -> None:
    micro: Any = denstream.DenStreamMicroCluster
    model: Any = denstream.DenStream
    one, two = (micro({0: x}, timestamp=0, decaying_factor=0.25) for x in (1.0, 2.0))
    model._generate_clusters_for_labels({one: 0, two: 0})
    assert (one.N, one.linear_sum) == (1, {0: 3.0}), "one customer, the sum of two"


@pytest.mark.parametrize("kind", KINDS)
def test_reading_the_centres_changes_nothing_that_learns(kind: ModelKind) -> None:
    read, unread = RiverGroups(kind, 2, 7, UNIT), RiverGroups(kind, 2, 7, UNIT)
    rows = blobs(np.random.default_rng(4), [[0, 0], [9, 0]], 300, sd=1.0)
    for river in (read, unread):
        river.start(rows)
    for start in range(0, 600, 100):
        assert np.array_equal(read.centres_z, read.centres_z)
        for river in (read, unread):
            river.learn(rows[start : start + 100])
    assert np.array_equal(read.centres_z, unread.centres_z)
