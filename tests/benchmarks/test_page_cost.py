"""The cost of the page: the page is really looked at while the worker works, and both ways see the same events."""

from __future__ import annotations

import json

import pytest

from benchmarks import page_cost


def test_a_short_round(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["page_cost", "--json", "--n", "3000", "--rounds", "1"])
    assert page_cost.main() == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pictures"] >= 1
    assert found["page_cpu_share"] > 0
    assert all(rate > 0 for rate in found["events_per_second"].values())
    assert found["worker_cpu_ratio"] > 0
