"""``segstream settings suggest``: from any file of orders to settings that load, and that the service runs with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import adjusted_rand_score
from typer.testing import CliRunner, Result

from consumers.cli import app
from consumers.doctor.settings_checks import settings_findings
from consumers.suggesting.command import suggested
from consumers.twins import Twins
from producers.files import read_orders
from producers.personas import GONE, Personas
from stream.settings import Tree, load
from tests.consumers.shop import settle
from tests.consumers.suggesting.files import PLAN, all_columns, rows, three_columns

FAST: dict[str, Any] = {"model": {"interval_seconds": 0, "macro_rows": 300}}


@pytest.fixture(autouse=True)
def _alone(quiet_logging: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder and without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SEGSTREAM_")]:
        monkeypatch.delenv(name)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["settings", "suggest", *arguments])


def names(tree: Tree) -> list[str]:
    return [feature.name for feature in tree.customers.features]


def agreement(tree: Tree, path: Path, columns: dict[str, str]) -> float:
    """Run the service over the file; how well its segments agree with the personas who made it."""
    twins = Twins(tree)
    twins.send(read_orders(path, columns))
    settle(twins)
    truth = {f"c{n:05d}": persona for n, persona in enumerate(Personas(PLAN).lives[:, -1].tolist()) if persona != GONE}
    held = {name.decode(): row["id"] for name, row in twins.store.reader.customers() if row["status"] == "ready"}
    both = sorted(held.keys() & truth.keys())
    assert len(both) > 60
    return float(adjusted_rand_score([truth[c] for c in both], [held[c] for c in both]))


def test_customer_time_and_amount_are_enough(tmp_path: Path) -> None:
    path = three_columns(tmp_path / "orders.csv")
    result = run(str(path), "--out", "segstream.toml")
    assert (result.exit_code, result.stderr) == (0, "")
    tree = load(tmp_path / "segstream.toml", flags=FAST)
    assert names(tree) == ["orders", "spend", "basket_value", "weekend_share", "evening_share"]
    assert 5 < tree.customers.typical_gap_days < 8
    assert agreement(tree, path, {}) > 0.25, "recency, frequency and money tell few personas apart (DESIGN 3)"


def test_of_a_file_with_everything_everything_is_declared(tmp_path: Path) -> None:
    path = all_columns(tmp_path / "lines.jsonl")
    (tmp_path / "all.toml").write_text(run(str(path), "--columns", "customer=household").stdout)
    tree = load(tmp_path / "all.toml", flags={**FAST, "model": {**FAST["model"], "segments": 6}})
    value = ["orders", "spend", "basket_value", "basket_items"]
    style = ["discount_share", "private_label_share", "weekend_share", "evening_share", "category_entropy"]
    assert names(tree)[:9] == value + style
    assert len(names(tree)) == 12
    assert {f.name: f.weight for f in tree.customers.features} == {n: 1.0 if n in value else 0.5 for n in names(tree)}
    assert agreement(tree, path, {"customer": "household"}) > 0.6


def test_priors_are_about_those_that_people_found_for_the_same_customers(tmp_path: Path) -> None:
    text = suggested(all_columns(tmp_path / "lines.jsonl"), "customer=household", None, None)
    (tmp_path / "s.toml").write_text(text)
    found = {f.name: f for f in load(tmp_path / "s.toml").customers.features}
    for feature in load(flags={"profile": "personas"}).customers.features:
        if feature.name in found and feature.kind != "entropy":
            assert found[feature.name].prior == pytest.approx(feature.prior, rel=0.35), feature.name
            assert found[feature.name].range[1] >= 2 * feature.prior


def test_the_same_file_gives_the_same_settings_and_the_doctor_has_nothing_to_say(tmp_path: Path) -> None:
    path = three_columns(tmp_path / "orders.csv")
    text = suggested(path, "", None, None)
    assert text == suggested(path, "", None, None)
    (tmp_path / "s.toml").write_text(text)
    assert [finding.result for finding in settings_findings(load(tmp_path / "s.toml"))] == ["ok"]


def test_the_time_zone_is_written_only_if_it_was_said(tmp_path: Path) -> None:
    path = rows(tmp_path / "o.csv", ("a", "2024-03-01", 3), ("a", "2024-03-08", 4), ("b", "2024-03-02", 5))
    text = suggested(path, "", "Europe/Berlin", None)
    assert '\ntimezone = "Europe/Berlin"' in text
    assert "evening_share" not in text
    assert (
        "# Not declared, for the file has none: items, discounts, private-label lines, categories, times of day."
        in text
    )
    assert "\n# timezone" in suggested(three_columns(tmp_path / "orders.csv"), "", None, None)


def test_what_does_not_vary_is_said_beside_the_feature(tmp_path: Path) -> None:
    said = [(f"c{n}", 1_700_000_000 + day * 86_400 * (1 + n % 5), 10) for n in range(30) for day in range(8)]
    text = suggested(rows(tmp_path / "o.csv", *said), "", None, None)
    assert "# Near-constant in the sample: as long as it hardly varies, the model gives it weight 0.\n" in text
    above = text[: text.index('name = "basket_value"')].splitlines()
    assert above[-2].startswith("# Near-constant")
    assert not text[: text.index('name = "orders"\nkind = "rate"')].splitlines()[-2].startswith("# Near")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.csv"], "'nowhere.csv' is not a file"),
        (["orders.txt"], "the format is told by the ending"),
        (["orders.csv", "--columns", "customer"], "is not MEANING=COLUMN"),
        (["orders.csv", "--columns", "customer=who"], "no column 'who' for 'customer'"),
        (["orders.csv", "--timezone", "Mars"], "'Mars' is not a time zone"),
        (["orders.csv", "--out", "orders.csv"], "--out orders.csv exists already"),
        (["orders.csv", "--out", "nowhere/s.toml"], "--out nowhere/s.toml cannot be written"),
        (["old.csv"], "old.csv: none of its orders would be accepted: absurd_time"),
        (["bad.csv"], "bad.csv line 2: column 'amount' is 'x': not a number"),
    ],
)
def test_a_users_mistake_is_one_sentence_and_exit_code_2(arguments: list[str], said: str, tmp_path: Path) -> None:
    three_columns(tmp_path / "orders.csv")
    rows(tmp_path / "old.csv", ("a", "1970-01-01T00:00:00Z", 1))
    rows(tmp_path / "bad.csv", ("a", "2024-01-01T00:00:00Z", "x"))
    (tmp_path / "orders.txt").write_text("customer,time,amount\n")
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_nothing_is_written_of_a_file_that_is_not_understood(tmp_path: Path) -> None:
    rows(tmp_path / "bad.csv", ("a", "yesterday", 1))
    assert run("bad.csv", "--out", "s.toml").exit_code == 2
    assert not (tmp_path / "s.toml").exists()
