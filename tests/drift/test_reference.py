"""The reference: limits that are as wide as the reference is unsure, and hours taken off only if they differ."""

from __future__ import annotations

import numpy as np
import pytest

from stream.drift.blocks import FloatArray
from stream.drift.reference import DAY_MS, FARTHEST_LIMITS, LEAST_SD, Reference, ewma, schmid

HOUR_MS = DAY_MS // 24


EWMA = [(0.2, 5.0)]


def fitted(means: FloatArray, blocks_a_day: int = 10) -> Reference:
    at_ms = np.arange(len(means)) * (DAY_MS // blocks_a_day)
    return Reference.fit(means, at_ms, EWMA)


def test_a_long_reference_of_noise_has_the_textbook_limit() -> None:
    reference = fitted(np.random.default_rng(1).standard_normal((20_000, 3)))
    assert reference.sd == pytest.approx(1.0, rel=0.03)
    assert reference.limit == pytest.approx(5.0 * np.sqrt(0.2 / 1.8), rel=0.06)


def test_every_ewma_has_a_limit_of_its_own() -> None:
    means, at_ms = np.random.default_rng(1).standard_normal((20_000, 3)), np.arange(20_000) * 8_640_000
    both = Reference.fit(means, at_ms, [(0.2, 5.0), (0.05, 4.0)])
    assert both.limit[0] == pytest.approx(fitted(means).limit[0])
    assert both.limit[1] == pytest.approx(4.0 * np.sqrt(0.05 / 1.95), rel=0.1)


def test_a_short_reference_has_wider_limits() -> None:
    rng = np.random.default_rng(2)
    long, short = (np.mean(fitted(rng.standard_normal((n, 50))).limit) for n in (5000, 60))
    assert short > 1.2 * long


def test_blocks_that_are_alike_their_neighbours_have_wider_limits() -> None:
    noise = np.random.default_rng(3).standard_normal((4000, 20))
    slow = ewma(noise, 0.5)
    assert fitted(slow / slow.std()).limit.mean() > 1.5 * fitted(noise).limit.mean()


def test_waves_that_are_slower_than_neighbours_tell_widen_limits_too() -> None:
    rng = np.random.default_rng(4)
    weeks = np.repeat(rng.standard_normal((100, 20)), 15, axis=0) * 0.4
    still = rng.standard_normal((1500, 20))
    assert fitted(still + weeks).limit.mean() > 1.2 * fitted(still).limit.mean()


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.8])
def test_schmids_variance_is_that_of_a_simulated_series(alike: float) -> None:
    noise = np.random.default_rng(5).standard_normal((20_000, 10)) * np.sqrt(1 - alike**2)
    series = np.zeros_like(noise)
    for i in range(1, len(noise)):
        series[i] = alike * series[i - 1] + noise[i]
    simulated = (ewma(series, 0.2)[100:] ** 2).mean()
    assert schmid(0.2, np.array([alike]))[0] == pytest.approx(simulated, rel=0.06)


def test_the_hours_of_a_daily_wave_are_learnt() -> None:
    at_ms = np.arange(24 * 14) * HOUR_MS
    wave = np.sin(2 * np.pi * at_ms / DAY_MS)[:, None]
    noise = 0.1 * np.random.default_rng(6).standard_normal(wave.shape)
    reference = Reference.fit(wave + noise, at_ms, EWMA)
    assert np.abs(reference.by_hour - wave[:24]).max() < 0.1
    assert reference.sd[0] == pytest.approx(0.1, rel=0.15)
    assert np.abs(reference.standardised(wave[6], 6 * HOUR_MS + 5)).max() < 1.0
    assert reference.standardised(wave[6], 18 * HOUR_MS)[0] == FARTHEST_LIMITS * reference.limit[0]


def test_weekdays_are_learnt_from_two_weeks_on() -> None:
    at_ms = np.arange(0, 56 * DAY_MS, DAY_MS // 2)
    busy = 1.0 * (at_ms // DAY_MS % 7 == 2)[:, None]
    noise = 0.1 * np.random.default_rng(9).standard_normal(busy.shape)
    long, short = (Reference.fit((busy + noise)[:n], at_ms[:n], EWMA) for n in (112, 26))
    assert np.ptp(long.by_weekday) == pytest.approx(1.0, abs=0.15)
    assert not short.by_weekday.any()
    assert long.sd[0] < 0.15 < short.sd[0]


def test_hours_that_do_not_differ_are_left_alone() -> None:
    at_ms = np.arange(24 * 14) * HOUR_MS
    reference = Reference.fit(np.random.default_rng(7).standard_normal((len(at_ms), 40)), at_ms, EWMA)
    assert reference.by_hour.std(axis=0).mean() < 0.15


def test_one_absurd_block_does_not_blind_the_reference() -> None:
    means = np.random.default_rng(8).standard_normal((120, 1))
    spoilt = means.copy()
    spoilt[60] = 1e6
    assert fitted(spoilt).sd[0] < 1.3 * fitted(means).sd[0]


def test_what_never_varies_has_a_limit_all_the_same() -> None:
    reference = fitted(np.zeros((100, 1)))
    assert reference.sd[0] == LEAST_SD
    assert np.isfinite(reference.limit).all()
    assert (reference.limit > 0).all()
