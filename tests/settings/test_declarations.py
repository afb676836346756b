"""Declarations: what makes no sense is refused; what gives numbers their meaning is in ``features_id``."""

from __future__ import annotations

from typing import Any

import pytest

from stream.customer.features import FeatureSet
from stream.errors import SettingsError
from stream.settings import CustomerSettings, load

COUNT = {"name": "orders", "kind": "count"}
SUM = {"name": "spend", "kind": "sum", "field": "amount"}
MIX = {"name": "mix", "kind": "mix", "field": "lines.amount", "values": ["A", "B"]}
SHARE = {"name": "share", "kind": "share", "of": "mix", "per": "mix", "values": ["A"], "range": [0, 1]} | {
    "unit": "share of spend",
    "low": "little",
    "high": "much",
}


def customers(accumulators: list[dict[str, Any]], features: list[dict[str, Any]], **others: object) -> CustomerSettings:
    declared = {"accumulators": accumulators, "features": features, **others}
    return load(flags={"profile": "none", "customers": declared}).customers


@pytest.mark.parametrize(
    ("accumulator", "message"),
    [
        (COUNT | {"field": "amount"}, "accumulator 'orders': a count has no field"),
        (SUM | {"field": None}, "accumulator 'spend': a count has no field, a sum needs one"),
        (MIX | {"field": "amount"}, "accumulator 'mix': a mix needs field 'lines.amount' and 1 to 8 values"),
        (MIX | {"values": []}, "accumulator 'mix': a mix needs field 'lines.amount' and 1 to 8 values"),
        (MIX | {"values": list("ABCDEFGHI")}, "accumulator 'mix': a mix needs field"),
        (SUM | {"values": ["A"]}, "accumulator 'spend': only a mix has values"),
        (SUM | {"when": "private_label"}, "accumulator 'spend': private_label is known of lines"),
        (SUM | {"of": "view"}, "accumulator 'spend': a view has no amount"),
    ],
)
def test_an_accumulator_that_makes_no_sense_is_named(accumulator: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=rf"^customers\.accumulators\.0: {message}"):
        customers([accumulator], [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"per": None}, "feature 'share': a share needs 'per'"),
        ({"kind": "ratio", "per": None}, "feature 'share': a ratio needs 'per'"),
        ({"range": [1, 1]}, "feature 'share': range must rise"),
        ({"transform": "log1p", "range": [-1, 1]}, "feature 'share': log1p needs a range above -1"),
    ],
)
def test_a_feature_that_makes_no_sense_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=rf"^customers\.features\.0: {message}"):
        customers([MIX], [SHARE | change])


@pytest.mark.parametrize("name", ["", "Orders", "1st", "two words", "a" * 41, "über", "a\n"])
def test_names_are_plain_identifiers(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^customers\.accumulators\.0\.name: "):
        customers([COUNT | {"name": name}], [])


def features_id(accumulators: list[dict[str, Any]], features: list[dict[str, Any]], **others: object) -> str:
    return FeatureSet(customers(accumulators, features, **others)).features_id


def test_features_id_is_the_same_in_every_process_and_release() -> None:
    """It is in every stored state: where this fails, running installations need ``--migrate``."""
    assert features_id([COUNT, SUM, MIX], [SHARE]) == "2547f56b42930691"


def test_features_id_does_not_see_what_gives_numbers_no_meaning() -> None:
    same = {"typical_gap_days": 7, "half_life_days": 28, "cold_looks": 9, "max_event_bytes": 999}
    assert features_id([COUNT, MIX], [SHARE], **same) == features_id([COUNT, MIX], [SHARE])
    spelt_out: dict[str, object] = {"of": "order", "field": None, "when": None, "values": []}
    assert features_id([COUNT | spelt_out, MIX], [SHARE]) == features_id([COUNT, MIX], [SHARE])


@pytest.mark.parametrize(
    "other",
    [
        features_id([MIX, COUNT], [SHARE]),
        features_id([COUNT, MIX, SUM], [SHARE]),
        features_id([COUNT | {"when": "weekend"}, MIX], [SHARE]),
        features_id([COUNT, MIX | {"values": ["B", "A"]}], [SHARE]),
        features_id([COUNT, MIX], []),
        features_id([COUNT, MIX], [SHARE | {"values": ["B"]}]),
        features_id([COUNT, MIX], [SHARE | {"prior": 0.5}]),
        features_id([COUNT, MIX], [SHARE | {"range": [0, 0.5]}]),
        features_id([COUNT, MIX], [SHARE], timezone="Europe/Berlin"),
        features_id([COUNT, MIX], [SHARE], half_life_days=29),
    ],
)
def test_features_id_sees_everything_that_gives_numbers_their_meaning(other: str) -> None:
    assert other != features_id([COUNT, MIX], [SHARE])
