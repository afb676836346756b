from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.decision.assign import NONE, Assigner
from stream.model.snapshot import Scale, Segment, Snapshot
from tests.helpers import model, retail, shop, steps

D = 3
places = st.lists(st.tuples(*[st.integers(-3, 3)] * D), min_size=1, max_size=5, unique=True)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Small whole-numbered places, so that ties and exact margins occur."""
    centroids = draw(places)
    retiring = draw(st.lists(st.booleans(), min_size=len(centroids), max_size=len(centroids)))
    numbers = draw(st.permutations(range(1, 8)))
    segments = tuple(
        Segment(
            number, f"name of {number}", tuple(map(float, at)), draw(st.sampled_from([0.5, 2.0])), 1, retiring=leaves
        )
        for number, at, leaves in zip(numbers, centroids, retiring, strict=False)
    )
    cells = draw(places)
    return Snapshot(
        version=1,
        epoch=1,
        features_id="",
        features=tuple("abc"),
        scale=Scale(np.zeros(D), np.full(D, 100.0), np.array([1.0, 0.5, 2.0]), 3.0),
        segments=segments,
        cell_ids=np.array(draw(st.permutations(range(1, 1 + len(cells))))),
        cell_positions=np.array(cells) * 100.0,
        margin=draw(st.sampled_from([0.0, 0.25, 0.5])),
        names={},
    )


vectors = st.lists(st.tuples(*[st.integers(-4, 4).map(lambda i: i * 100)] * D), min_size=1, max_size=8)


def z_of(snapshot: Snapshot, y: tuple[int, ...]) -> list[float]:
    """By the formula in ``snapshot``, one number after the other."""
    scale = snapshot.scale
    standard = [(v - m) / s for v, m, s in zip(y, scale.mean, scale.sd, strict=True)]
    return [min(max(v, -scale.clip), scale.clip) * w for v, w in zip(standard, scale.weight, strict=True)]


def distance(snapshot: Snapshot, y: tuple[int, ...], segment: Segment) -> float:
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(z_of(snapshot, y), segment.centroid, strict=True)))


def unclipped(snapshot: Snapshot, y: tuple[int, ...], segment: Segment) -> float:
    scale = snapshot.scale
    z = [(v - m) / s * w for v, m, s, w in zip(y, scale.mean, scale.sd, scale.weight, strict=True)]
    return math.dist(z, segment.centroid)


def answer(snapshot: Snapshot, y: tuple[int, ...], held: int) -> tuple[int, float, float]:
    """Segment, margin and fit, by the words of the design."""
    far = {s.number: distance(snapshot, y, s) for s in snapshot.segments}
    open_ = [s.number for s in snapshot.segments if not s.retiring] or list(far)

    def margin(number: int) -> float:
        rivals = [far[n] for n in open_ if n != number]
        if not rivals:
            return 1.0
        larger = max(min(rivals), far[number])
        return (min(rivals) - far[number]) / larger if larger else 0.0

    nearest = min(open_, key=lambda n: far[n])
    segment = held if held in open_ and margin(held) >= -snapshot.margin else nearest
    chosen = next(s for s in snapshot.segments if s.number == segment)
    return segment, margin(segment), unclipped(snapshot, y, chosen) / chosen.radius


@given(snapshots(), vectors, st.data())
def test_decisions_are_those_of_the_words(snapshot: Snapshot, y: list[tuple[int, ...]], data: st.DataObject) -> None:
    assigner = Assigner(snapshot)
    held = data.draw(st.lists(st.integers(NONE, 8), min_size=len(y), max_size=len(y)))
    distances = assigner.distances(np.array(y, dtype=np.int16))
    decision = assigner.decide(distances, np.array(held))
    expected = [answer(snapshot, one, number) for one, number in zip(y, held, strict=True)]
    assert decision.segment.tolist() == [segment for segment, _, _ in expected]
    assert decision.margin.tolist() == pytest.approx([margin for _, margin, _ in expected])
    fits = assigner.fit(np.array(y, dtype=np.int16), decision.segment)
    assert fits.tolist() == pytest.approx([fit for _, _, fit in expected])
    moves = assigner.moves(distances, np.array(held))
    assert moves.tolist() == [segment != number for (segment, _, _), number in zip(expected, held, strict=True)]


@given(snapshots(), vectors)
def test_a_decision_stands(snapshot: Snapshot, y: list[tuple[int, ...]]) -> None:
    """Asked again with its own answer, the model does not move: no timer can go on for ever."""
    assigner = Assigner(snapshot)
    distances = assigner.distances(np.array(y, dtype=np.int16))
    first = assigner.decide(distances, np.full(len(y), NONE))
    assert not assigner.moves(distances, first.segment).any()


@given(snapshots(), vectors)
def test_the_nearest_cell_is_found(snapshot: Snapshot, y: list[tuple[int, ...]]) -> None:
    found = Assigner(snapshot).cells(np.array(y, dtype=np.int16))
    cells = [z_of(snapshot, tuple(at)) for at in snapshot.cell_positions.tolist()]
    by_id = dict(zip(snapshot.cell_ids.tolist(), cells, strict=True))
    for one, cell in zip(y, found.tolist(), strict=True):
        far = {i: math.dist(z_of(snapshot, one), at) for i, at in by_id.items()}
        assert far[cell] == pytest.approx(min(far.values()), abs=1e-9)


def crowd(n: int) -> NDArray[np.int16]:
    return np.random.default_rng(3).integers(-9000, 9000, (n, len(retail().names)), dtype=np.int16)


def retail_assigner() -> Assigner:
    places = {i: {"orders": i * 3.0, "spend": i * i * 40.0, "fresh_share": i / 9} for i in range(1, 7)}
    return Assigner(model(retail(), places))


def test_the_batch_does_not_change_the_bits() -> None:
    assigner, y, held = retail_assigner(), crowd(300), np.arange(300) % 8
    together = assigner.decide(assigner.distances(y), held)
    cells = assigner.cells(y)
    for start, end in ((0, 1), (1, 3), (3, 60), (60, 300)):
        part = assigner.decide(assigner.distances(y[start:end]), held[start:end])
        assert part.margin.tobytes() == together.margin[start:end].tobytes()
        fits = assigner.fit(y[start:end], together.segment[start:end])
        assert fits.tobytes() == assigner.fit(y, together.segment)[start:end].tobytes()
        assert part.segment.tolist() == together.segment[start:end].tolist()
        assert assigner.cells(y[start:end]).tolist() == cells[start:end].tolist()


def test_vectors_may_stand_in_rows_and_columns() -> None:
    assigner, y = retail_assigner(), crowd(30)
    distances = assigner.distances(y.reshape(3, 10, -1))
    assert distances.shape == (3, 10, 6)
    assert distances.reshape(30, -1).tobytes() == assigner.distances(y).tobytes()
    held = np.arange(10) % 7 + 1
    assert (
        assigner.moves(distances, held).ravel().tolist()
        == assigner.moves(assigner.distances(y), np.tile(held, 3)).tolist()
    )


def test_a_segment_is_held_until_a_rival_is_nearer_by_the_margin() -> None:
    """On the line between 2 and 1 the borders are where one distance is three quarters of the other."""
    assigner = Assigner(model(shop(), {1: {"orders": 2.0}, 2: {"orders": 20.0}}, weights={"orders": 1.0}, margin=0.25))
    ends = [steps(shop(), {"orders": orders}) for orders in (2.0, 20.0)]
    share = np.linspace(0.0, 1.0, 1001)[:, None]
    distances = assigner.distances(ends[0] + share * (ends[1] - ends[0]))
    border = {1: 4 / 7, 2: 3 / 7}
    for held, at in border.items():
        segments = assigner.decide(distances, np.full(1001, held)).segment
        assert np.flatnonzero(np.diff(segments)).tolist() == [math.floor(at * 1000)]


def test_a_segment_that_retires_is_left_at_once_and_not_entered() -> None:
    snapshot = model(shop(), {1: {"orders": 2.0}, 2: {"orders": 20.0}}, retiring=[2])
    y = steps(shop(), {"orders": 20.0})[None]
    for held in (NONE, 1, 2):
        decision = Assigner(snapshot).decide(Assigner(snapshot).distances(y), np.array([held]))
        assert (decision.segment.tolist(), decision.margin.tolist()) == ([1], [1.0])


def test_where_all_retire_they_are_held() -> None:
    assigner = Assigner(model(shop(), {1: {"orders": 2.0}, 2: {"orders": 20.0}}, retiring=[1, 2]))
    y = steps(shop(), {"orders": 20.0})[None]
    assert assigner.decide(assigner.distances(y), np.array([2])).segment.tolist() == [2]


def test_alone_a_segment_has_no_rival() -> None:
    assigner = Assigner(model(shop(), {4: {"orders": 2.0}}))
    decision = assigner.decide(assigner.distances(steps(shop(), {"orders": 90.0})[None]), np.array([4]))
    assert (decision.segment.tolist(), decision.margin.tolist()) == ([4], [1.0])


def test_nobody_is_nobody() -> None:
    assigner = retail_assigner()
    decision = assigner.decide(assigner.distances(crowd(0)), np.zeros(0, dtype=np.int64))
    assert len(decision.segment) == len(assigner.cells(crowd(0))) == 0


def test_numbers_unknown_to_the_model_have_no_position() -> None:
    snapshot = replace(retail_assigner().snapshot, segments=retail_assigner().snapshot.segments[2:])
    assert Assigner(snapshot).index(np.array([NONE, 1, 3, 6, 7])).tolist() == [-1, -1, 0, 3, -1]
