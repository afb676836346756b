from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.customer.features import NEVER
from stream.decision.clock import Clock, advance

JUMP_MS = 100

# Small numbers, so that jumps, ties and late events all occur.
claims_of_time = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 1000)), max_size=20)


def run(clock: Clock, events: list[tuple[str, int]], witnesses: int = 3) -> tuple[Clock, list[int]]:
    at: NDArray[np.int64] = np.array([t for _, t in events], dtype=np.int64)
    after, reached = advance(clock, [who for who, _ in events], at, JUMP_MS, witnesses)
    return after, reached.tolist()


@given(claims_of_time, st.integers(1, 4))
def test_now_never_goes_back_and_is_a_time_that_was_claimed(events: list[tuple[str, int]], witnesses: int) -> None:
    clock, reached = run(Clock(500), events, witnesses)
    assert reached == sorted(reached)
    assert all(now >= 500 for now in reached)
    assert set(reached) <= {500, *(at for _, at in events)}
    assert clock.now_ms == (reached[-1] if reached else 500)


@given(claims_of_time, st.integers(0, 20), st.integers(1, 4), st.sampled_from([NEVER, 0, 300]))
def test_where_batches_are_cut_does_not_matter(
    events: list[tuple[str, int]], cut: int, witnesses: int, start: int
) -> None:
    whole, reached = run(Clock(start), events, witnesses)
    middle, first = run(Clock(start), events[:cut], witnesses)
    end, second = run(middle, events[cut:], witnesses)
    assert first + second == reached
    assert (end.now_ms, dict(end.claims)) == (whole.now_ms, dict(whole.claims))


@given(claims_of_time, st.integers(1, 4))
def test_a_jump_is_to_the_latest_time_that_enough_customers_have_reached(
    events: list[tuple[str, int]], witnesses: int
) -> None:
    """Whoever has moved ``now`` by more than a jump, that many customers had claimed this time or a later one."""
    _, reached = run(Clock(0), events, witnesses)
    for i, (was, now) in enumerate(pairwise([0, *reached])):
        if now - was > JUMP_MS:
            assert len({who for who, at in events[: i + 1] if at >= now}) >= witnesses


@given(claims_of_time, st.integers(1, 4))
def test_open_claims_are_fewer_than_the_witnesses_and_out_of_reach(
    events: list[tuple[str, int]], witnesses: int
) -> None:
    clock, _ = run(Clock(0), events, witnesses)
    assert len(clock.claims) < witnesses
    assert all(at - clock.now_ms > JUMP_MS for at in clock.claims.values())


def test_the_first_event_starts_the_clock() -> None:
    assert run(Clock(), [("a", 7), ("b", 5)]) == (Clock(7), [7, 7])


def test_nothing_happens_without_events() -> None:
    assert run(Clock(7, {"a": 900}), []) == (Clock(7, {"a": 900}), [])


def test_a_step_of_just_the_jump_is_believed() -> None:
    assert run(Clock(0), [("a", 100), ("a", 200)])[1] == [100, 200]


def test_one_customer_alone_cannot_jump() -> None:
    clock, reached = run(Clock(0), [("a", 900), ("a", 901), ("a", 902), ("b", 10)])
    assert reached == [0, 0, 0, 10]
    assert clock.claims == {"a": 902}


def test_the_third_witness_moves_now_to_what_all_three_have_reached() -> None:
    clock, reached = run(Clock(0), [("a", 900), ("b", 500), ("a", 950), ("c", 700)])
    assert reached == [0, 0, 0, 500]
    assert clock.claims == {"a": 950, "c": 700}


def test_a_claim_is_forgotten_when_now_has_come_near() -> None:
    clock, reached = run(Clock(0, {"a": 150}), [("b", 50), ("c", 60)])
    assert (reached, dict(clock.claims)) == ([50, 60], {})
