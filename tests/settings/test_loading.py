"""Four places to say a setting, one order among them, and errors that name what to mend."""

from __future__ import annotations

import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import hypothesis.strategies as st
import pytest
from hypothesis import given

from stream.errors import SettingsError
from stream.settings import Tree, load

PROFILES = get_args(Tree.model_fields["profile"].annotation)


def written(folder: Path, toml: str) -> Path:
    path = folder / "segstream.toml"
    path.write_text(toml)
    return path


def test_the_later_place_wins(tmp_path: Path) -> None:
    file = written(tmp_path, "[model]\nsegments = 6\nmargin = 0.3\nseed = 8")
    environ = {"SEGSTREAM_MODEL__SEGMENTS": "7", "SEGSTREAM_MODEL__MARGIN": "0.4"}
    model = load(file, environ, {"model": {"segments": 9}}).model
    assert (model.segments, model.margin, model.seed, model.kind) == (9, 0.4, 8, "cells")


def test_the_shipped_profile_stands_under_everything(tmp_path: Path) -> None:
    shipped = load(flags={"profile": "retail"})
    assert shipped == load()
    assert shipped.customers.timezone == "America/New_York"
    above = load(written(tmp_path, '[customers]\ntimezone = "Europe/Berlin"'))
    assert above.customers.timezone == "Europe/Berlin"
    assert above.customers.accumulators == shipped.customers.accumulators


@pytest.mark.parametrize("place", ["file", "environ", "flags"])
def test_the_profile_can_be_chosen_in_every_place(place: str, tmp_path: Path) -> None:
    said: dict[str, dict[str, Any]] = {
        "file": {"file": written(tmp_path, 'profile = "none"')},
        "environ": {"environ": {"SEGSTREAM_PROFILE": "none"}},
        "flags": {"flags": {"profile": "none"}},
    }
    assert load(**said[place]).customers.features == ()


def test_declared_lists_are_replaced_as_a_whole(tmp_path: Path) -> None:
    file = written(tmp_path, 'customers.features = []\n[[customers.accumulators]]\nname = "calls"\nkind = "count"')
    assert [a.name for a in load(file).customers.accumulators] == ["calls"]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_loads(profile: str) -> None:
    customers = load(flags={"profile": profile}).customers
    assert bool(customers.features) == bool(customers.accumulators) == (profile != "none")


def test_other_variables_are_none_of_its_business() -> None:
    assert load(environ={"PATH": "/bin", "SEGSTREAMX": "1", "KAFKA__GROUP": "other"}) == load()


def test_variables_may_be_written_in_any_case_of_the_setting() -> None:
    assert load(environ={"SEGSTREAM_kafka__Group": "other"}).kafka.group == "other"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"SEGSTREAM_KAFKA__BOOTSTRAP_SERVER": "b:9092"}, "kafka.bootstrap_server"),
        ({"SEGSTREAM_KAFKA_GROUP": "g"}, "kafka_group"),
        ({"SEGSTREAM_STORE__URL": "redis://x"}, "store"),
        ({"SEGSTREAM_CUSTOMERS__TYPICAL_GAP": "7"}, "customers.typical_gap"),
        ({"SEGSTREAM_KAFKA__GROUP__NAME": "g"}, "kafka.group"),
        ({"SEGSTREAM_KAFKA": "b:9092"}, "kafka"),
        ({"SEGSTREAM_KAFKA": "b:9092", "SEGSTREAM_KAFKA__GROUP": "g"}, "SEGSTREAM_KAFKA__GROUP"),
        ({"SEGSTREAM_PROFILE": "telekom"}, "profile"),
    ],
)
def test_a_misspelt_variable_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{named}: "):
        load(environ=environ)


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[kafka]\nbootstrap_server = 'b:9092'", "kafka.bootstrap_server"),
        ("[kafak]\ngroup = 'g'", "kafak"),
        ("kafka = 1", "kafka"),
        (
            "[[customers.accumulators]]\nname = 'calls'\nkind = 'count'\nwen = 'weekend'",
            "customers.accumulators.0.wen",
        ),
    ],
)
def test_a_misspelt_key_of_the_file_is_named(toml: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=rf"^{named}: "):
        load(written(tmp_path, toml))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(SettingsError, match=f"settings file {path} cannot be read"):
            load(path)


@pytest.mark.parametrize("content", [b"[kafka", b"\xff\xfe", b"profile = 'none'\nprofile = 'retail'"])
def test_a_file_that_is_not_toml_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "segstream.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"settings file {path} is not TOML"):
        load(path)


@given(st.dictionaries(st.text("abKAFKMODELGROUP_SEGNT.", max_size=20).map("SEGSTREAM_".__add__), st.text(max_size=9)))
def test_whatever_the_environment_says_the_answer_is_a_tree_or_a_settings_error(
    environ: dict[str, str],
) -> None:
    with suppress(SettingsError):
        assert isinstance(load(environ=environ), Tree)


SECRETS = {
    "SEGSTREAM_KAFKA__USERNAME": "alice-s3cret",
    "SEGSTREAM_KAFKA__PASSWORD": "bob-s3cret",
    "SEGSTREAM_REDIS__URL": "redis://:carol-s3cret@store:6379/0",
}


def test_secrets_are_read_but_never_printed() -> None:
    tree = load(environ=SECRETS)
    assert tree.kafka.password is not None
    assert tree.kafka.password.get_secret_value() == "bob-s3cret"
    assert "carol" in tree.redis.url.get_secret_value()
    for printed in (repr(tree), str(tree), f"{tree.redis}", tree.model_dump_json(), str(tree.model_dump())):
        assert "s3cret" not in printed


@pytest.mark.parametrize(
    "beside",
    [
        {"SEGSTREAM_REDIS__TIMEOUT_SECONDS": "-1"},
        {"SEGSTREAM_KAFKA__PASSWORT": "dora-s3cret"},
        {"SEGSTREAM_REDIS": "s3cret"},
    ],
)
def test_an_error_shows_neither_the_value_nor_its_neighbours(beside: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ=SECRETS | beside)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"model": {"segment": 3}}, "model.segment: there is no such setting; did you mean model.segments?"),
        ({"modle": {}}, "modle: there is no such setting; did you mean model?"),
        ({"kafka": {"xyzzy": 1}}, "kafka.xyzzy: there is no such setting"),
    ],
)
def test_a_misspelt_setting_is_told_what_it_may_have_meant(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(flags=said)
    assert str(caught.value) == sentence
