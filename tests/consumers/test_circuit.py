"""The circuit: opens for a stream that is bad, not for bad records; closes when somebody says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.circuit import Circuit

WINDOW = 60.0
NOW = 1_800_000_000.0


def circuit() -> Circuit:
    return Circuit(share=0.05, window_seconds=WINDOW, least_records=1000)


def commits(circuit: Circuit, records: int, rejected: int, now: float) -> bool:
    """What a worker does with a batch: counted only if it was let through."""
    if not circuit.lets_through(records, rejected, now):
        return False
    circuit.count(records, rejected, now)
    return True


def test_a_stream_of_poison_is_stopped_before_the_batch_that_crosses() -> None:
    mine = circuit()
    assert commits(mine, 999, 999, NOW), "fewer than the least number of records are no evidence"
    assert not commits(mine, 1, 1, NOW)
    assert mine.is_open


def test_the_share_itself_is_still_right() -> None:
    assert circuit().lets_through(2000, 100, NOW)
    assert not circuit().lets_through(2000, 101, NOW)


def test_what_came_before_counts_within_the_window() -> None:
    mine = circuit()
    assert commits(mine, 10_000, 0, NOW)
    assert mine.lets_through(1000, 500, NOW + 30), "500 of 11,000"
    late = circuit()
    assert commits(late, 10_000, 0, NOW)
    assert not late.lets_through(1000, 500, NOW + WINDOW + 1), "500 of 1,000: the good ones are out of the window"


def test_bad_records_of_long_ago_do_not_count() -> None:
    mine = circuit()
    assert commits(mine, 900, 900, NOW)
    assert mine.lets_through(900, 40, NOW + WINDOW + 1)


def test_batches_without_poison_never_open_it() -> None:
    """The good ones of a mixed window slide out before the bad ones: that alone is no news."""
    mine = circuit()
    assert commits(mine, 20_000, 0, NOW)
    assert commits(mine, 1000, 900, NOW + 30)
    assert mine.lets_through(500, 0, NOW + WINDOW + 1)


def test_an_open_circuit_stays_open_whatever_comes() -> None:
    mine = circuit()
    assert not mine.lets_through(1000, 1000, NOW)
    assert not mine.lets_through(1000, 0, NOW + 10 * WINDOW)


def test_accepted_poison_goes_through_until_a_whole_window_was_below() -> None:
    mine = circuit()
    assert not mine.lets_through(1000, 1000, NOW)
    mine.accept(NOW)
    for second in range(0, 300, 10):
        assert commits(mine, 1000, 1000, NOW + second)
    for second in range(300, 410, 10):
        assert commits(mine, 50_000, 0, NOW + second)
    assert not mine.accepts
    assert not mine.lets_through(400_000, 400_000, NOW + 420)


def test_a_pause_in_the_poison_that_is_shorter_than_a_window_is_still_accepted() -> None:
    mine = circuit()
    assert not mine.lets_through(1000, 1000, NOW)
    mine.accept(NOW)
    assert commits(mine, 1000, 1000, NOW)
    assert commits(mine, 100_000, 0, NOW + WINDOW / 2)
    assert commits(mine, 100_000, 100_000, NOW + WINDOW - 1)


def test_only_an_open_circuit_can_accept() -> None:
    mine = circuit()
    mine.accept(NOW)
    assert not mine.lets_through(1000, 1000, NOW)


def test_a_clock_that_is_set_back_does_not_keep_old_counts_for_ever() -> None:
    mine = circuit()
    assert commits(mine, 100_000, 5000, NOW)
    assert commits(mine, 900, 900, NOW - 3600)
    assert not mine.lets_through(100, 100, NOW - 3600)


def test_a_share_of_one_never_opens() -> None:
    assert Circuit(1.0, WINDOW, 1).lets_through(10_000, 10_000, NOW)


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 3000), st.floats(0, 1)), max_size=40))
def test_it_opens_exactly_where_the_window_says(batches: list[tuple[float, int, float]]) -> None:
    """Against all batches kept: the window slides by a sixtieth of itself."""
    mine, kept, now = circuit(), list[tuple[int, int, int]](), NOW
    for gap, records, share in batches:
        now += gap
        rejected = int(records * share)
        inside = [*(b for b in kept if b[0] > int(now) - 60), (int(now), records, rejected)]
        total, bad = sum(b[1] for b in inside), sum(b[2] for b in inside)
        crosses = total >= 1000 and bad > 0.05 * total and rejected > 0
        assert commits(mine, records, rejected, now) is not crosses
        if crosses:
            return
        kept.append(inside[-1])


def test_it_never_grows() -> None:
    mine = circuit()
    for tenth in range(5000):
        commits(mine, 10, 0, NOW + tenth / 10)
    assert len(mine._slots) <= 60


@pytest.mark.parametrize("good", [50, 25])
def test_one_bad_record_in_a_few_dozen_good_ones_is_drained(good: int) -> None:
    mine = circuit()
    for minute in range(5):
        assert all(commits(mine, 20 * (good + 1), 20, NOW + 60 * minute + second) for second in range(60))
