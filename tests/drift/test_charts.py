"""Charts: what they remember is data, and one rebuilt from it goes on as if it had never stopped."""

from __future__ import annotations

import numpy as np
import pytest

from stream.drift.charts import ECHO_BLOCKS, KEPT_BLOCKS, SLOW_REACH, charts_of
from stream.settings import Detector, DriftSettings

ALL: list[Detector] = ["ewma", "adwin", "page_hinkley"]
LIMIT = np.array([[2.0, 2.0], [1.0, 1.0]])
"""Of the quick and the slow EWMA of two signals."""


@pytest.mark.parametrize("detector", ALL)
@pytest.mark.parametrize("cut", [0, 1, 150, 2 * KEPT_BLOCKS + 7])
def test_a_restored_chart_goes_on_bit_for_bit(detector: Detector, cut: int) -> None:
    settings = DriftSettings(detector=detector, page_hinkley_threshold=5.0)
    z = np.random.default_rng(cut).standard_normal((cut + 120, 2))
    z[cut + 40 :, 1] += 3.0
    charts = charts_of(settings, LIMIT)
    for row in z[:cut]:
        charts.update(row)
    twin = charts_of(settings, LIMIT, charts.memory())
    for row in z[cut:]:
        charts.update(row)
        twin.update(row)
        assert charts.level.tolist() == twin.level.tolist()


@pytest.mark.parametrize("detector", ALL)
def test_a_shift_is_seen_in_its_own_signal(detector: Detector) -> None:
    charts = charts_of(DriftSettings(detector=detector), LIMIT)
    rng, highest = np.random.default_rng(3), np.zeros(2)
    for i in range(300):
        charts.update(rng.standard_normal(2) + np.array([0.0, 3.0 * (i >= 200)]))
        highest = np.maximum(highest, charts.level)
    assert highest[0] < 1.0 <= highest[1]


def test_what_river_said_counts_for_a_while() -> None:
    charts = charts_of(DriftSettings(detector="page_hinkley"), np.ones((2, 1)))
    levels = []
    for i in range(200):
        charts.update(np.array([4.0 if i >= 60 else 0.0]))
        levels.append(float(charts.level[0]))
    spoke = levels.index(1.0)
    assert spoke >= 60
    assert levels[spoke + 1] < 1.0
    assert levels[spoke + ECHO_BLOCKS] == 0.0


def test_a_small_shift_that_stays_is_seen_by_the_slow_ewma_alone_and_forgotten_soon() -> None:
    levels = []
    for limit in (LIMIT, np.array([[2.0, 2.0], [np.inf, np.inf]])):
        charts = charts_of(DriftSettings(), limit)
        for i in range(500):
            charts.update(np.array([1.2 * (i < 400), 0.0]))
            levels.append(charts.level)
    with_slow, quick = np.array(levels[:500]), np.array(levels[500:])
    assert quick.max() < 1.0 <= with_slow[:, 0].max() <= SLOW_REACH
    assert with_slow[:, 1].max() == 0.0
    assert int((with_slow[400:, 0] >= 0.5).sum()) < 20


def test_a_great_shift_is_told_in_the_limits_of_the_quick_ewma() -> None:
    charts = charts_of(DriftSettings(), LIMIT)
    for _ in range(100):
        charts.update(np.array([8.0, 0.0]))
    assert charts.level[0] == pytest.approx(4.0)
