"""PSI: a law or two, and a floor that the noise of no drift keeps to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.drift.histograms import GRID, binned, grid_counts, quantile_bins
from stream.drift.psi import floor, psi

COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=12)


@given(st.integers(0, 10_000).flatmap(lambda seed: st.just(np.random.default_rng(seed).integers(0, 900, (2, 8)))))
def test_psi_is_symmetric_and_not_negative(counts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
    now, then = counts
    assert psi(now, then) == pytest.approx(psi(then, now))
    assert psi(now, then) >= 0.0


@given(COUNTS, st.permutations(range(12)))
def test_psi_does_not_care_for_the_order_of_bins(counts: list[int], order: list[int]) -> None:
    now, then = np.array(counts), np.array(counts[::-1])
    mixed = [i for i in order if i < len(counts)]
    assert psi(now[mixed], then[mixed]) == pytest.approx(psi(now, then))
    assert psi(now, now) == 0.0


@pytest.mark.parametrize(("customers", "known"), [(200, 0.139), (500, 0.056), (1000, 0.028), (5000, 0.0056)])
def test_the_floor_of_ten_bins_against_an_exact_reference(customers: int, known: float) -> None:
    assert floor(10, customers, 1 << 60) == pytest.approx(known, rel=0.01)


@pytest.mark.parametrize("customers", [200, 2000])
def test_without_drift_psi_passes_its_floor_once_in_a_thousand_looks(customers: int) -> None:
    rng = np.random.default_rng(customers)
    shares = np.full(10, 0.1)
    looks = rng.multinomial(customers, shares, (2, 5000))
    passed = [psi(now, then) > floor(10, customers, customers) for now, then in zip(*looks, strict=True)]
    assert np.mean(passed) <= 0.003


def test_a_shift_of_half_a_standard_deviation_is_far_above_the_floor() -> None:
    rng = np.random.default_rng(1)
    y = (rng.normal(0, 2000, (2, 2500, 1)) + np.array([[[0]], [[1000]]])).astype(np.int16)
    then, now = (grid_counts(part, np.ones(2500, np.int64), 32_000)[0] for part in y)
    bins = quantile_bins(then, 10)
    assert psi(binned(now, bins), binned(then, bins)) > 5 * floor(10, 2500, 2500)


@given(st.lists(st.integers(-16_000, 16_000), min_size=1, max_size=60), st.integers(2, 20))
def test_histograms_add_up_and_bins_are_a_partition_in_order(places: list[int], wanted: int) -> None:
    y = np.array(places, np.int16)[:, None]
    ones = np.ones(len(y), np.int64)
    whole = grid_counts(y, ones, 32_000)
    halves = grid_counts(y[::2], ones[::2], 32_000) + grid_counts(y[1::2], ones[1::2], 32_000)
    assert (whole == halves).all()
    assert not (whole + grid_counts(y, -ones, 32_000)).any()
    bins = quantile_bins(whole[0], wanted)
    assert bins.shape == (GRID,)
    assert set(np.diff(bins).tolist()) <= {0, 1}
    assert bins.max() < wanted
    assert binned(whole[0], bins).sum() == len(y)


def test_bins_hold_about_as_many_customers_each() -> None:
    y = np.random.default_rng(2).normal(0, 3000, (10_000, 1)).astype(np.int16)
    counts = grid_counts(y, np.ones(len(y), np.int64), 32_000)[0]
    customers = binned(counts, quantile_bins(counts, 10))
    assert len(customers) == 10
    assert customers.min() > 500
    assert customers.max() < 1600
