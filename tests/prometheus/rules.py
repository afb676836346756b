"""The rule files, and promtool to hold them against."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.servers import missing

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULE_FILES = (FOLDER / "recording.yml", FOLDER / "alerts.yml")


class Alert(NamedTuple):
    """One alert rule."""

    name: str
    expr: str
    severity: str
    runbook: str


def rules(file: Path) -> list[dict[str, Any]]:
    """Every rule of a file."""
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def alerts() -> dict[str, Alert]:
    """Alerts by name."""
    found = rules(RULE_FILES[1])
    each = [Alert(r["alert"], r["expr"], r["labels"]["severity"], r["annotations"]["runbook"]) for r in found]
    return {alert.name: alert for alert in each}


def recorded() -> set[str]:
    """Names of recorded series."""
    return {rule["record"] for rule in rules(RULE_FILES[0])}


def named(expr: str) -> set[str]:
    """Our metrics that an expression reads, as the catalogue has them."""
    found = re.findall(r"(?<![\w:])segstream_[a-z_]+", expr)
    return {re.sub(r"(_seconds|_ratio|_radii|_events)_(bucket|sum|count)$", r"\1", name) for name in found}


def promtool(*arguments: str, given: str | None = None) -> str:
    """Run it; what it said, if it found nothing wrong."""
    binary = shutil.which("promtool")
    if binary is None:
        missing("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([binary, *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
