"""The dashboards: current, such as Grafana can read, and each panel with what a reader needs."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import colours, generate
from stream.metrics_page import catalogue
from tests.grafana.boards import Target, boards, panels, targets
from tests.prometheus.rules import named, recorded

BOARDS = boards()
TARGETS = list(targets())
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in panels(board)]
NO_JOB = {"ALERTS"}
"""An alert on something that is absent has no job."""

each_board = pytest.mark.parametrize("name", BOARDS)
each_panel = pytest.mark.parametrize("panel", [p for _, p in PANELS], ids=[f"{b}: {p['title']}" for b, p in PANELS])
each_target = pytest.mark.parametrize("target", TARGETS, ids=[f"{t.board}: {t.panel}" for t in TARGETS])


def test_the_committed_dashboards_are_current() -> None:
    assert generate.main(["--check"]) == 0, "python -m deploy.grafana.generate"
    assert set(BOARDS) == {"glance", "drift", "pipeline"}


@each_board
def test_a_dashboard_is_the_same_after_a_round_trip(name: str) -> None:
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(BOARDS[name])))
    assert again == BOARDS[name]


def test_a_misspelt_key_does_not_survive_the_round_trip() -> None:
    wrong = BOARDS["glance"] | {"refesh": "5s"}
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(wrong))) != wrong


def test_ids_and_titles_are_unique() -> None:
    assert len({board["uid"] for board in BOARDS.values()}) == len({b["title"] for b in BOARDS.values()}) == 3
    for board in BOARDS.values():
        ids = [panel["id"] for panel in board["panels"]]
        titles = [panel["title"] for panel in panels(board)]
        assert len(set(ids)) == len(ids)
        assert len(set(titles)) == len(titles)
        assert len(titles) <= 25


def overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    return (
        a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    )


@each_board
def test_panels_stand_side_by_side(name: str) -> None:
    places = [panel["gridPos"] for panel in BOARDS[name]["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 and place["h"] > 0 for place in places)
    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []


@each_board
def test_a_dashboard_is_read_only_linked_and_asks_any_prometheus(name: str) -> None:
    board = BOARDS[name]
    assert board["editable"] is False
    assert board["links"][0]["tags"] == board["tags"] == ["segstream"]
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert (variables["job"]["multi"], variables["job"]["allValue"]) == (True, ".+")
    used = set(re.findall(r"\$\{?([a-z]+)", json.dumps([board["panels"], board["annotations"], board["templating"]])))
    assert used == set(variables)


@each_panel
def test_a_panel_says_what_it_is(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    refs = [each["refId"] for each in panel["targets"]]
    assert len(set(refs)) == len(refs) > 0
    assert all(each["datasource"] == panel["datasource"] for each in panel["targets"])


@each_panel
def test_lines_have_names(panel: dict[str, Any]) -> None:
    if panel["type"] in {"timeseries", "state-timeline", "bargauge"}:
        legends = [each["legendFormat"] for each in panel["targets"]]
        assert all(legends)
        assert len(set(legends)) == len(legends)


@each_panel
def test_a_state_is_told_in_words_too(panel: dict[str, Any]) -> None:
    coloured = panel["type"] == "state-timeline" or panel.get("options", {}).get("colorMode") == "background"
    if coloured:
        mappings = panel["fieldConfig"]["defaults"]["mappings"]
        results = [m["options"]["result"] for m in mappings if m["type"] == "range"]
        results += [result for m in mappings if m["type"] == "value" for result in m["options"].values()]
        assert len({result["text"] for result in results}) == len(results) >= 2


@each_target
def test_a_query_can_be_parsed(target: Target) -> None:
    promql_parser.parse(target.filled)


@each_target
def test_a_query_reads_only_what_is_shown_or_recorded(target: Target) -> None:
    assert named(target.expr) <= {entry.name for entry in catalogue()}
    assert set(re.findall(r"segstream:[\w:]+", target.expr)) <= recorded()


@each_target
def test_a_query_matches_the_job_and_fits_the_zoom(target: Target) -> None:
    selectors = re.findall(r"\b([a-zA-Z_:][\w:]*)\{([^}]*)\}", target.expr)
    assert selectors
    assert [name for name, labels in selectors if name not in NO_JOB and 'job=~"$job"' not in labels] == []
    windows = re.findall(r"\[([^\]]*)\]", target.expr)
    allowed = {"1m"} if target.panel.startswith("mark:") else {"$__rate_interval", "$__range"}
    assert set(windows) <= allowed


@each_target
def test_a_counter_is_asked_for_its_rate(target: Target) -> None:
    for counter in re.findall(r"\w+_total\b", target.expr):
        assert re.search(rf"(rate|increase)\({counter}\{{", target.expr), counter


# Colours


def test_every_segment_has_one_colour() -> None:
    patterns = [(re.compile(regex.strip("/")), properties) for regex, properties in colours.segment_overrides()]
    for number in range(1, 80):
        found = [
            p[0].value for pattern, p in patterns for text in (f"s{number}", f"s{number} rare") if pattern.search(text)
        ]
        assert found == [{"mode": "fixed", "fixedColor": colours.SEGMENTS[number % 8]}] * 2


def luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("ground", ["#ffffff", "#181b1f"])
@pytest.mark.parametrize("colour", [*colours.SEGMENTS, colours.WELL, colours.CAREFUL, colours.ILL, colours.QUIET])
def test_a_colour_stands_out_in_both_themes(colour: str, ground: str) -> None:
    low, high = sorted((luminance(colour), luminance(ground)))
    assert (high + 0.05) / (low + 0.05) >= 3.0
