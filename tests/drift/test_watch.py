"""The watch: silent while nothing drifts, quick when something does, the same however the stream is cut."""

from __future__ import annotations

import numpy as np
import pytest

from stream.drift.blocks import Chunks, FloatArray, IntArray
from stream.drift.episodes import Episodes, Turn
from stream.drift.reference import DAY_MS
from stream.drift.watch import Watch
from stream.settings import DriftSettings


def watched(values: FloatArray, at_ms: IntArray, poll: int = 2000) -> tuple[list[Turn], Watch]:
    settings = DriftSettings()
    watch = Watch(settings, [f"x{i}" for i in range(values.shape[1])])
    episodes, turns = Episodes(), list[Turn]()
    for start in range(0, len(values), poll):
        part = slice(start, start + poll)
        turns += watch.take(Chunks.of(values[part], at_ms[part], settings.block_events), episodes)
    return turns, watch


def evenly(events: int, a_day: int = 2000) -> IntArray:
    return (np.arange(events) * (DAY_MS / a_day)).astype(np.int64)


def test_no_alarm_in_two_million_events_of_noise() -> None:
    values = np.random.default_rng(1).standard_normal((200_000, 10))
    assert watched(values, evenly(len(values)))[0] == []


@pytest.mark.parametrize("shift", [-0.5, 0.5])
def test_half_a_standard_deviation_is_found_within_ten_thousand_events_and_over_when_it_goes(shift: float) -> None:
    values = np.random.default_rng(2).standard_normal((100_000, 3))
    values[40_000:60_000, 1] += shift
    (begins, ends), _ = watched(values, evenly(len(values)))
    assert (begins.what, begins.episode.signal, begins.episode.detector) == ("begins", "x1", "ewma")
    assert 40_000 <= begins.at_ms * 2000 / DAY_MS <= 50_000
    assert begins.episode.since_ms <= begins.at_ms
    assert ends.what == "ends"
    assert 60_000 <= ends.at_ms * 2000 / DAY_MS <= 64_000
    assert ends.episode.level > 1.0


def test_nothing_is_said_before_the_reference_has_its_days_and_its_blocks() -> None:
    rng = np.random.default_rng(3)
    quick = rng.standard_normal((60_000, 1))
    quick[30_000:] += 5.0
    turns, watch = watched(quick, evenly(len(quick), a_day=20_000))
    assert watch.reference is None
    assert turns == []
    assert watched(rng.standard_normal((19_900, 1)), evenly(19_900, a_day=100))[1].reference is None


def test_on_a_quick_stream_blocks_grow_and_the_reference_is_of_a_whole_week() -> None:
    values = np.random.default_rng(4).standard_normal((1_600_000, 1))
    values[1_500_000:] += 0.5
    (turn,), watch = watched(values, evenly(len(values), a_day=200_000))
    assert watch.blocks.events == 3200
    assert turn.at_ms > 7.5 * DAY_MS


def test_the_same_stream_in_other_batches_has_the_same_drift() -> None:
    values = np.random.default_rng(5).standard_normal((50_000, 2))
    values[40_000:] += 0.5
    found = {
        poll: [(t.what, t.episode.signal) for t in watched(values, evenly(50_000), poll)[0]] for poll in (37, 2000)
    }
    assert found[37] == found[2000] != []
