"""The drift benchmark, in small."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from benchmarks.drift import cli, streams
from benchmarks.drift.detectors import DETECTORS


def test_reports_every_stream_shift_and_detector_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(streams, "journey", lambda: streams.iid(np.random.default_rng(1), 104_000, 2))
    assert cli.main(["--json", "--events", "40000", "--signals", "2", "--seeds", "1", "--no-service"]) == 0
    report = json.loads(capsys.readouterr().out)
    rates = report["false_alarms_per_million"]
    assert set(rates) == {"iid", "lognormal", "ar95", "daily", "journey_weekly_blocks"}
    assert all(set(row) == {"segstream", "adwin_event", "adwin_block", "page_hinkley_event"} for row in rates.values())
    assert rates["ar95"]["adwin_event"] > 1000
    assert set(report["delay_events"]) == set(report["missed"]) == set(streams.SHIFTS)
    assert set(DETECTORS) == set(report["missed"]["share_30_60"])


def test_a_missed_bar_is_an_exit_code() -> None:
    report: dict[str, Any] = {
        "false_alarms_per_million": {"iid": {"segstream": 1.0}},
        "delay_events": {"share_30_60": {"segstream": 6000}},
        "missed": {"share_30_60": {"segstream": 0}},
    }
    assert len(cli.unmet(report)) == 2
    assert len(cli.unmet(report | {"service_false_alarms_per_million": {"journey": 1.0, "personas": 0.0}})) == 3
