"""Model records: what is written is read, and what is wrong is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stream.errors import BadRecord
from stream.model.learner import Learner
from stream.model.snapshot import Snapshot
from stream.model.snapshot_record import SCHEMA, SEGMENTS_AT_MOST, read, snapshot_of
from stream.packing import Arrays, pack, unpack
from tests.model.crowd import FEATURES_ID, Crowd, blobs, described, settings

Damage = Callable[[dict[str, Any], Arrays], object]


@pytest.fixture(scope="module")
def people() -> Crowd:
    y = blobs(np.random.default_rng(0), [[0, 0], [4000, 0], [0, 4000]], 60)
    made = Crowd(y, Learner(described(2), settings()))
    made.step()
    made.step()
    return made


@pytest.fixture(scope="module")
def record(people: Crowd) -> bytes:
    return people.learner.to_record(people.learner.macro_step(42).snapshot)


def same(one: Snapshot, other: Snapshot) -> bool:
    """Equality to the last bit."""
    return repr(one) == repr(other) and one.cell_positions.tobytes() == other.cell_positions.tobytes()


def test_workers_read_the_snapshot_that_the_learner_made(people: Crowd, record: bytes) -> None:
    got = snapshot_of(record, FEATURES_ID, newer_than=2)
    assert people.learner.snapshot is not None
    assert same(got, people.learner.snapshot)
    assert (got.version, got.learning_offset) == (3, 42)


def test_the_record_of_a_restored_learner_is_the_same_record(people: Crowd, record: bytes) -> None:
    restored = Learner.from_record(record, people.learner.features, people.learner.settings)
    assert restored.snapshot is not None
    assert restored.to_record(restored.snapshot) == record


def test_another_model_of_features_is_refused(record: bytes) -> None:
    with pytest.raises(BadRecord, match="features"):
        snapshot_of(record, "0" * 16, newer_than=0)


@pytest.mark.parametrize("newer_than", [3, 4])
def test_a_version_that_is_not_newer_is_refused(record: bytes, newer_than: int) -> None:
    with pytest.raises(BadRecord, match="not newer"):
        snapshot_of(record, FEATURES_ID, newer_than)


def test_every_flipped_byte_is_refused(record: bytes) -> None:
    for at in range(0, len(record), 211):
        damaged = bytearray(record)
        damaged[at] ^= 1
        with pytest.raises(BadRecord):
            snapshot_of(bytes(damaged), FEATURES_ID, newer_than=0)


def setting(name: str, value: object) -> Damage:
    return lambda head, arrays: head.update({name: value})


def of_segment(name: str, value: object) -> Damage:
    return lambda head, arrays: head["segments"][0].update({name: value})


def of_rule(**changes: object) -> Damage:
    return lambda head, arrays: head["segments"][0]["rule"].update(changes)


def in_array(name: str, value: float) -> Damage:
    def damage(head: dict[str, Any], arrays: Arrays) -> None:
        arrays[name].flat[0] = value

    return damage


def shaped(name: str, change: Callable[[Any], Any]) -> Damage:
    return lambda head, arrays: arrays.update({name: change(arrays[name])})


def many_segments(head: dict[str, Any], arrays: Arrays) -> None:
    one = head["segments"][0]
    head["segments"] = [one | {"number": n} for n in range(1, SEGMENTS_AT_MOST + 2)]
    head["names"] = [[n, str(n)] for n in range(1, SEGMENTS_AT_MOST + 2)]
    arrays["centroids"] = np.repeat(arrays["centroids"][:1], SEGMENTS_AT_MOST + 1, axis=0)


def all_retiring(head: dict[str, Any], arrays: Arrays) -> None:
    for segment in head["segments"]:
        segment["retiring"] = True


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(setting("schema", 1), id="a schema that is not read any more"),
        pytest.param(setting("schema", SCHEMA + 1), id="a newer schema"),
        pytest.param(lambda head, arrays: head.pop("schema"), id="no schema"),
        pytest.param(lambda head, arrays: head.pop("version"), id="no version"),
        pytest.param(setting("version", 0), id="version 0"),
        pytest.param(setting("version", "9"), id="version not a number"),
        pytest.param(setting("epoch", 0), id="epoch 0"),
        pytest.param(setting("margin", 1.5), id="margin above 1"),
        pytest.param(setting("clip", 0.0), id="clip 0"),
        pytest.param(setting("features", ["x0"]), id="fewer features"),
        pytest.param(setting("names", []), id="no names"),
        pytest.param(setting("segments", []), id="no segments"),
        pytest.param(of_segment("radius", 0.0), id="radius 0"),
        pytest.param(of_segment("radius", "wide"), id="radius not a number"),
        pytest.param(of_segment("number", 2), id="a number twice"),
        pytest.param(of_segment("colour", "red"), id="unknown field"),
        pytest.param(of_segment("profile", {"x0": "much"}), id="profile not a number"),
        pytest.param(of_segment("family", 9), id="a family without a name"),
        pytest.param(of_segment("rule", {"conditions": []}), id="a rule without shares"),
        pytest.param(of_rule(right=1.5), id="right above 1"),
        pytest.param(of_rule(recall="all"), id="recall not a number"),
        pytest.param(of_rule(conditions=[{"feature": "x9", "is_above": True, "value": 1.0}]), id="a rule of x9"),
        pytest.param(of_rule(conditions=[{"feature": "x0", "is_above": True, "value": "1"}]), id="threshold a text"),
        pytest.param(of_segment("holding", {"active": 1, "rich": 2}), id="an unknown sum over holders"),
        pytest.param(many_segments, id="more than 16 segments"),
        pytest.param(all_retiring, id="nothing assignable"),
        pytest.param(in_array("centroids", np.nan), id="centroid not a number"),
        pytest.param(in_array("cell_positions", np.inf), id="infinite position"),
        pytest.param(in_array("sd", 0.0), id="sd 0"),
        pytest.param(in_array("mean", np.nan), id="mean not a number"),
        pytest.param(in_array("weight", -1.0), id="negative weight"),
        pytest.param(in_array("cell_ids", 0), id="cell 0"),
        pytest.param(in_array("cell_ids", 2), id="a cell twice"),
        pytest.param(shaped("centroids", lambda a: a[:-1]), id="a centroid missing"),
        pytest.param(shaped("centroids", lambda a: a[:, :1]), id="a dimension missing"),
        pytest.param(shaped("cell_positions", lambda a: a[:-1]), id="a position missing"),
        pytest.param(shaped("cell_ids", lambda a: a.astype(np.int32)), id="another type"),
        pytest.param(shaped("sd", lambda a: a[None, :]), id="another number of dimensions"),
        pytest.param(lambda head, arrays: arrays.pop("mean"), id="an array missing"),
    ],
)
def test_a_snapshot_that_cannot_be_decided_by_is_refused(people: Crowd, record: bytes, damage: Damage) -> None:
    head, arrays = unpack(record)
    damage(head, arrays)
    damaged = pack(head, arrays)
    with pytest.raises(BadRecord):
        snapshot_of(damaged, FEATURES_ID, newer_than=0)
    with pytest.raises(BadRecord):
        Learner.from_record(damaged, people.learner.features, people.learner.settings)


@pytest.mark.parametrize("field", ["radius", "profile"])
def test_a_number_that_is_not_finite_is_refused(record: bytes, field: str) -> None:
    """``pack`` would not write one, other writers of JSON do."""
    head, arrays = unpack(record)
    of_segment(field, {"x0": float("inf")} if field == "profile" else float("nan"))(head, arrays)
    with pytest.raises(BadRecord, match="finite"):
        read(head, arrays)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda head, arrays: head.pop("owner"), id="no owner's part"),
        pytest.param(lambda head, arrays: head["owner"].pop("held"), id="no held"),
        pytest.param(lambda head, arrays: head["owner"].update(holdings=[[1, 2]]), id="sums over holders missing"),
        pytest.param(lambda head, arrays: head["owner"].pop("tenures"), id="no tenures"),
        pytest.param(lambda head, arrays: head["owner"].update(footings=[[1, 1.0, 0, 3, 0]]), id="half a footing"),
        pytest.param(lambda head, arrays: head["owner"].update(footings=[]), id="footings of other length"),
        pytest.param(lambda head, arrays: head["owner"].pop("family_wordings"), id="no words of families"),
        pytest.param(lambda head, arrays: head["owner"].update(next_cell=3), id="a cell that never was"),
        pytest.param(lambda head, arrays: head["owner"].update(stated=[1]), id="stated of other length"),
        pytest.param(shaped("cell_sums", lambda a: a[:-1]), id="a cell's sums missing"),
        pytest.param(shaped("cell_n", lambda a: a.astype(float)), id="n of another type"),
        pytest.param(shaped("nursery_y", lambda a: np.zeros((1, 2), np.int16)), id="a nursery vector too many"),
    ],
)
def test_an_owner_does_not_go_on_from_a_damaged_state(people: Crowd, record: bytes, damage: Damage) -> None:
    head, arrays = unpack(record)
    damage(head, arrays)
    damaged = pack(head, arrays)
    assert snapshot_of(damaged, FEATURES_ID, newer_than=0).version == 3, "workers do not read that part"
    with pytest.raises(BadRecord):
        Learner.from_record(damaged, people.learner.features, people.learner.settings)


def test_an_empty_nursery_and_one_with_debts_come_back(people: Crowd) -> None:
    learner = Learner(people.learner.features, settings())
    crowd = Crowd(people.y.copy(), learner)
    packed = learner.to_record(crowd.step().snapshot)
    restored = Learner.from_record(packed, learner.features, learner.settings)
    assert restored.state.population.nursery.customers == 180
    y, counts = learner.state.population.nursery.vectors(owed=True)
    again = restored.state.population.nursery.vectors(owed=True)
    assert np.array_equal(again[0], y)
    assert np.array_equal(again[1], counts)
