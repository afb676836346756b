"""The committed dashboards, as Grafana reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from deploy.grafana.generate import FOLDER

VARIABLES = {
    "$__rate_interval": "10s",
    "$__interval": "10s",
    "$__range": "5m",
    "$job": ".+",
    "$reference": "frozen",
    "${datasource}": "prometheus",
}
"""What Grafana fills in."""


class Target(NamedTuple):
    """One query of one panel."""

    board: str
    panel: str
    expr: str
    legend: str
    is_instant: bool

    @property
    def filled(self) -> str:
        """As it is sent to Prometheus."""
        return filled(self.expr)


def filled(expr: str) -> str:
    """An expression without variables. Others than ours stay, as Grafana leaves them: ``$1`` of a label_replace."""
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def boards() -> dict[str, dict[str, Any]]:
    """File name -> dashboard."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}


def panels(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All but headlines."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def targets() -> Iterator[Target]:
    """Every query of every panel, and of the marks that all panels have."""
    for name, board in boards().items():
        for panel in panels(board):
            for each in panel["targets"]:
                yield Target(
                    name, panel["title"], each["expr"], each.get("legendFormat", ""), each.get("instant", False)
                )
        for note in board["annotations"]["list"]:
            yield Target(name, f"mark: {note['name']}", note["expr"], "", False)
