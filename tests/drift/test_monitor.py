"""The monitor: references are frozen when they should be, and a restart changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
USUAL = ((100, 1000), (10, 1000), (40, 200))
"""Low margin, atypical, flaps: so many of how many."""


def picture(
    day: float,
    *,
    mean: float = 0.0,
    shares: tuple[int, int] = (600, 400),
    epoch: int = 1,
    decisions: Sequence[tuple[int, int]] = USUAL,
) -> Picture:
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
        decisions=np.array(decisions),
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


def test_less_sure_decisions_are_a_drift_with_a_beginning_and_an_end() -> None:
    watch = monitor()
    for day in range(12):
        watch.look(picture(day), NAMES)
    worse = ((300, 1000), (100, 1000), (120, 200))
    names = ["decision.atypical", "decision.flap", "decision.low_margin"]
    assert sorted(seen(watch.look(picture(12, decisions=worse), NAMES))) == [(name, "begins") for name in names]
    assert watch.look(picture(13, decisions=worse), NAMES).turns == ()
    assert sorted(seen(watch.look(picture(14), NAMES))) == [(name, "ends") for name in names]


def caught_up(watch: Monitor) -> list[Report]:
    """Customers of two partitions, whose ``size`` grows until they are ten days old; one partition is read first."""

    def look(first: int, second: int | None) -> Report:
        watch.abreast.take({0: first * DAY_MS} | ({} if second is None else {1: second * DAY_MS}))
        sizes = [400.0 * min(day, 10) for day in (first, first if second is None else second)]
        halves = [picture(first + i / 8, mean=size).grid for i, size in enumerate(sizes)]
        return watch.look(replace(picture(first), grid=halves[0] + halves[1]), NAMES)

    return [*(look(day, None) for day in range(31)), *(look(30, day) for day in range(31))]


def test_partitions_that_are_read_one_after_the_other_are_no_drift() -> None:
    reports = caught_up(monitor())
    assert [seen(report) for report in reports if report.turns] == []
    assert [r.is_judged for r in reports] == 31 * [True] + 23 * [False] + 8 * [True]
    assert reports[31].apart_ms == 30 * DAY_MS
    assert reports[-1].differences["frozen"].now.at_ms == 30 * DAY_MS


def test_without_that_rule_they_would_be_one() -> None:
    reports = caught_up(monitor(span_days=1000.0))
    assert [turn for report in reports for turn in seen(report)] == [
        ("feature.size", "begins"),
        ("feature.size", "ends"),
    ]


def test_what_was_judged_last_stands_until_partitions_are_abreast_again() -> None:
    watch = monitor()
    for day in range(12):
        watch.look(picture(day), NAMES)
    drifted = watch.look(picture(12, shares=(200, 800)), NAMES)
    watch.abreast.take({0: 40 * DAY_MS, 1: 12 * DAY_MS})
    later = watch.look(picture(40), NAMES)
    assert (later.levels, later.active, later.is_judged) == (drifted.levels, drifted.active, False)
    assert later.differences["frozen"].share_psi == drifted.differences["frozen"].share_psi
    watch.abreast.take({1: 35 * DAY_MS})
    assert seen(watch.look(picture(40), NAMES)) == [("share", "ends")]


def test_raw_values_are_told_however_far_partitions_are_apart() -> None:
    watch, rng = monitor(), np.random.default_rng(3)
    watch.abreast.take({0: 0, 1: 100 * DAY_MS})
    told = []
    for day in range(30):
        at_ms = np.linspace(day * DAY_MS, (day + 1) * DAY_MS, 3000).astype(np.int64)
        watch.learn(Chunks.of(rng.standard_normal((3000, 1)) + 2.0 * (day >= 25), at_ms, 100))
        told += seen(watch.look(picture(day), NAMES))
    assert told == [("event.spend", "begins")]


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
            each.week.add(day * DAY_MS, 1, 8)
            each.abreast.take({0: day * DAY_MS, 1: (day - day % 20) * DAY_MS})
        now = replace(picture(day, mean=1000.0 * (day >= 46)), decisions=np.array([*USUAL[:2], watch.week.counts]))
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
    watch.abreast.take({0: 5})
    assert monitor_of(head_of(watch), arrays_of(watch), None, 2).abreast == watch.abreast
    wider = replace(watch.plan, partitions=8)
    assert monitor_of(head_of(watch), arrays_of(watch), wider, 2).abreast.reached_ms == {}, "others live there now"
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
