"""The monitor: references are frozen when they should be, and a restart changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from stream.drift.blocks import Chunks
from stream.drift.histograms import grid_counts
from stream.drift.monitor import Monitor, Plan, Report
from stream.drift.picture import Picture
from stream.drift.record import arrays_of, head_of, monitor_of
from stream.drift.reference import DAY_MS
from stream.packing import pack, unpack
from stream.settings import Detector, DriftSettings

NAMES = ("size", "pace")


def picture(day: float, *, mean: float = 0.0, shares: tuple[int, int] = (600, 400), epoch: int = 1) -> Picture:
    """A thousand customers, of a bell around ``mean`` in ``size``, and two segments."""
    y = np.random.default_rng(round(day * 8)).normal([mean, 0.0], 2000.0, (1000, 2)).astype(np.int16)
    return Picture(
        at_ms=round(day * DAY_MS),
        epoch=epoch,
        grid=grid_counts(y, np.ones(1000, np.int64), 32_000),
        numbers=np.array([1, 2]),
        customers=np.array(shares),
        centroids=np.array([[mean, 0.0], [4000.0, 0.0]]),
        radii=np.array([0.5, 1.0]),
        per_step=np.array([1 / 2000, 1 / 2000]),
    )


def monitor(**settings: object) -> Monitor:
    return Monitor(Plan(DriftSettings.model_validate(settings), ("spend",), settle_days=10))


def seen(report: Report) -> list[tuple[str, str]]:
    return [(turn.episode.signal, turn.what) for turn in report.turns]


def test_a_population_that_stands_still_has_no_drift() -> None:
    watch = monitor()
    reports = [watch.look(picture(day), NAMES) for day in range(60)]
    assert all(report.turns == () for report in reports)
    assert max(max(report.levels.values()) for report in reports) < 1.0
    assert set(reports[-1].differences) == {"frozen", "rolling"}


def test_nothing_is_frozen_before_the_population_has_settled() -> None:
    watch = monitor()
    young = [watch.look(picture(day, mean=300.0 * day), NAMES) for day in range(10)]
    assert all(report.differences == {} and report.turns == () for report in young)
    assert watch.look(picture(10), NAMES).differences["frozen"].reference.at_ms == 10 * DAY_MS


def test_a_shift_of_the_population_and_of_its_shares_is_told_once_each_way() -> None:
    watch = monitor()
    for day in range(12):
        watch.look(picture(day), NAMES)
    drifted = watch.look(picture(12, mean=1000.0, shares=(300, 700)), NAMES)
    assert sorted(seen(drifted)) == [("feature.size", "begins"), ("share", "begins")]
    assert drifted.differences["frozen"].shifts == pytest.approx({1: 1.0, 2: 0.0})
    assert {e.signal for e in drifted.active} == {"feature.size", "share"}
    assert watch.look(picture(13, mean=1000.0, shares=(300, 700)), NAMES).turns == ()
    assert sorted(seen(watch.look(picture(14), NAMES))) == [("feature.size", "ends"), ("share", "ends")]


def test_the_rolling_reference_is_of_the_day_before() -> None:
    watch = monitor()
    for quarter in range(60):
        report = watch.look(picture(quarter / 4), NAMES)
    assert report.differences["rolling"].reference.at_ms == 13 * DAY_MS


def test_other_segments_or_an_analyst_make_what_is_now_the_reference() -> None:
    watch = monitor()
    for day in range(12):
        watch.look(picture(day), NAMES)
    watch.look(picture(12, mean=1000.0), NAMES)
    assert seen(watch.look(picture(13, mean=1000.0, epoch=2), NAMES)) == [("feature.size", "ends")]
    watch.look(picture(14, mean=3000.0, epoch=2), NAMES)
    watch.refreeze()
    assert ("feature.size", "ends") in seen(watch.look(picture(15, mean=3000.0, epoch=2), NAMES))
    assert watch.look(picture(16, mean=3000.0, epoch=2), NAMES).active == ()


@pytest.mark.parametrize("detector", ["ewma", "adwin", "page_hinkley"])
@pytest.mark.parametrize("cut_day", [0, 5, 30, 47])
def test_a_restored_monitor_goes_on_as_if_it_had_never_stopped(detector: Detector, cut_day: int) -> None:
    watch, rng = monitor(detector=detector, page_hinkley_threshold=5.0), np.random.default_rng(4)
    twin = watch
    for day in range(60):
        values = rng.standard_normal((1010, 1)) + (day >= 45)
        at_ms = np.linspace(day * DAY_MS, (day + 1) * DAY_MS, len(values)).astype(np.int64)
        for each in {id(watch): watch, id(twin): twin}.values():
            each.learn(Chunks.of(values, at_ms, 100))
        now = picture(day, mean=1000.0 * (day >= 46))
        reports = [each.look(now, NAMES) for each in {id(watch): watch, id(twin): twin}.values()]
        assert len({json.dumps([r.levels, [str(t) for t in r.turns]]) for r in reports}) == 1
        if day == cut_day:
            head, arrays = unpack(pack(head_of(watch), arrays_of(watch)))
            twin = monitor_of(head, arrays, watch.plan, 2)
    assert twin is not watch
    assert {e.signal for e in watch.episodes.active.values()} >= {"feature.size"}
    assert pack(head_of(twin), arrays_of(twin)) == pack(head_of(watch), arrays_of(watch))


def test_under_other_signals_the_raw_values_begin_anew() -> None:
    watch = monitor()
    watch.learn(Chunks.of(np.zeros((500, 1)), np.arange(500), 100))
    watch.look(picture(0), NAMES)
    other = Plan(watch.plan.settings, ("spend", "items"), 10)
    again = monitor_of(head_of(watch), arrays_of(watch), other, 2)
    assert again.watch.gathered == []
    again.learn(Chunks.of(np.zeros((500, 1)), np.arange(500), 100))
    assert again.watch.blocks.n == 0
    assert again.began_ms == watch.began_ms
    as_it_was = monitor_of(head_of(watch), arrays_of(watch), None, 2)
    assert len(as_it_was.watch.gathered) == len(watch.watch.gathered) == 2


def test_segments_that_are_new_or_gone_have_no_customers_on_the_other_side() -> None:
    watch = monitor()
    for day in range(12):
        watch.look(picture(day), NAMES)
    other = replace(picture(12), numbers=np.array([2, 3]))
    report = watch.look(other, NAMES)
    assert report.differences["frozen"].share_psi > 1.0
    assert set(report.differences["frozen"].shifts) == {2}
