"""Recording and alert rules: valid, each alert with a world in which it fires and one in which it does not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from stream.metrics import OwnerMetrics, WorkerMetrics
from stream.metrics_page import catalogue
from stream.process_info import ProcessInfo
from stream.settings import Tree
from tests.prometheus import diagnosis_cases, page_cases, ticket_cases
from tests.prometheus.case import Case
from tests.prometheus.rules import FOLDER, ROOT, RULE_FILES, alerts, named, promtool, recorded, rules

TIERS = {"page": page_cases.CASES, "ticket": ticket_cases.CASES, "diagnosis": diagnosis_cases.CASES}
ALERTS = alerts()
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text()


def world(cases: Sequence[Case], interval: str) -> dict[str, Any]:
    """A test file for promtool."""
    return {
        "rule_files": [str(file) for file in RULE_FILES],
        "evaluation_interval": interval,
        "tests": [test for case in cases for test in case.tests(*ALERTS[case.alert][2:])],
    }


def anchors() -> dict[str, str]:
    """Anchor -> the text of its page."""
    pages = {page.splitlines()[0]: page for page in RUNBOOKS.split("\n### ")[1:]}
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-"): page for head, page in pages.items()}


def test_promtool_finds_nothing_wrong() -> None:
    said = promtool("check", "config", str(FOLDER / "prometheus.yml"))
    assert said.count("SUCCESS") >= 3, said
    promtool("check", "rules", *map(str, RULE_FILES))


@pytest.mark.parametrize("tier", TIERS)
def test_every_case_fires_and_is_silent_as_it_should(tier: str, tmp_path: Path) -> None:
    for interval in sorted({case.interval for case in TIERS[tier]}):
        file = tmp_path / f"{tier}-{interval}.yml"
        file.write_text(yaml.safe_dump(world([c for c in TIERS[tier] if c.interval == interval], interval)))
        assert "SUCCESS" in promtool("test", "rules", str(file))


def test_a_case_that_is_wrong_is_told(tmp_path: Path) -> None:
    case = page_cases.CASES[0]
    swapped = Case(case.alert, fires=case.silent, silent=case.fires, says=case.says, labels=case.labels)
    file = tmp_path / "wrong.yml"
    file.write_text(yaml.safe_dump(world([swapped], "1m")))
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", str(file))


def test_every_alert_has_a_case_in_its_tier() -> None:
    covered = {(case.alert, tier) for tier, cases in TIERS.items() for case in cases}
    assert covered == {(alert.name, alert.severity) for alert in ALERTS.values()}


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_has_its_line_on_a_page_of_the_runbooks(name: str) -> None:
    file, _, anchor = ALERTS[name].runbook.partition("#")
    assert file == "docs/runbooks.md"
    page = anchors().get(anchor, "")
    assert re.search(rf"^- \*\*Alert\*\* .*`{name}` \({ALERTS[name].severity}\)", page, re.MULTILINE), anchor


def test_the_runbooks_name_no_alert_that_is_not_there() -> None:
    assert set(re.findall(r"`(Segstream\w+)`", RUNBOOKS)) == set(ALERTS)


def test_rules_read_only_what_is_shown_or_recorded() -> None:
    known = {entry.name for entry in catalogue()}
    for file in RULE_FILES:
        for rule in rules(file):
            assert named(rule["expr"]) <= known, rule
            assert set(re.findall(r"segstream:[\w:]+", rule["expr"])) <= recorded(), rule


def test_no_number_is_printed_with_humanize_alone() -> None:
    assert not re.search(r"\|\s*humanize\b(?!Percentage|Duration)", RULE_FILES[1].read_text()), "0.4 would be 400m"


def test_prometheus_likes_what_a_process_shows() -> None:
    registry = CollectorRegistry()
    ProcessInfo(registry, Tree())
    WorkerMetrics(registry)
    OwnerMetrics(registry)
    assert promtool("check", "metrics", given=generate_latest(registry).decode()) == ""
