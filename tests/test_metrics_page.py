"""The catalogue of metrics: current, complete, and in words that Prometheus does not object to."""

from __future__ import annotations

import re

import pytest

from stream import metrics_page
from stream.metrics_page import Entry, catalogue

ENTRIES = catalogue()
BOUNDED = {
    "outcome", "reason", "by", "cause", "from_segment", "to_segment", "kind", "stage", "operation",
    "segment", "name", "status", "why", "version", "python", "profile", "model", "segments", "client", "digest",
    "feature", "reference", "of", "signal", "detector", "other",
}  # fmt: skip
"""Labels of which somebody has thought how many values they have."""


def test_the_committed_page_is_current() -> None:
    assert metrics_page.main(["--check"]) == 0, "python -m stream.metrics_page"


def test_a_stale_page_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(metrics_page, "_HEAD", "# Another head\n")
    assert metrics_page.main(["--check"]) == 1
    assert capsys.readouterr().out == "stale: docs/metrics.md\n"


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_a_metric_is_named_and_explained_as_the_others(entry: Entry) -> None:
    assert re.fullmatch(r"segstream_[a-z_]+", entry.name)
    assert (entry.kind == "counter") == entry.name.endswith("_total")
    assert entry.meaning.endswith((".", "; always 1.", "have the same digest."))
    assert "|" not in entry.row.strip("| \n").replace(" | ", "")
    assert set(entry.labels) <= BOUNDED


def test_no_metric_is_shown_by_two_roles() -> None:
    names = [entry.name for entry in ENTRIES]
    assert len(set(names)) == len(names) >= 36
