"""The curve on lives with known moves, and on simulated customers."""

from __future__ import annotations

from functools import cache

import pytest

from consumers.showing.tuning import curve_page
from consumers.tuning.command import margins_of, own_times_ms
from consumers.tuning.curve import DAY_MS, Point, curve, lasting_moves
from consumers.tuning.living import Life, Move, learn, live
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from stream.errors import SettingsError
from stream.settings import Tree, load
from tests.consumers.showing.terminal import shown


def at(day: float) -> int:
    return round(day * DAY_MS)


def life(margin: float, *moves: Move, events: int = 1000) -> Life:
    first = [Move(customer, 0, "", "s1") for customer in sorted({move.customer for move in moves})]
    return Life(margin, events, moves, first)


FREE = life(
    0.0,
    Move("ann", at(10), "s1", "s2"),
    Move("bob", at(5), "s1", "s3"),
    Move("bob", at(6), "s3", "s1"),
    Move("eve", at(20), "s1", "s2"),
    Move("zoe", at(80), "s1", "s2"),
)
TIMES = {name: [at(day) for day in range(90)] for name in ("ann", "bob", "eve", "zoe")}


def test_moves_last_that_are_not_taken_back_within_a_month_nor_cut_off_by_the_end() -> None:
    assert {(move.customer, move.to_id) for move in lasting_moves(FREE)} == {
        ("ann", "s2"),
        ("bob", "s1"),
        ("eve", "s2"),
    }


def test_a_margin_spares_returns_and_costs_days() -> None:
    calm = life(0.3, Move("ann", at(14), "s1", "s2"), Move("eve", at(90), "s1", "s2"), Move("zoe", at(80), "s1", "s2"))
    held = Life(calm.margin, calm.events, calm.moves, [*calm.entries, Move("bob", 0, "", "s1")])
    none, some = curve([FREE, held], TIMES)
    assert none == Point(0.0, 5.0, 1.0, 0.0, 1.0)
    assert (some.changes_per_1000, some.aba_per_1000) == (3.0, 0.0)
    assert some.delay_days_p50 == 4.0, "ann 4, bob 0, eve 70"
    assert some.found == pytest.approx(2 / 3)


def test_who_never_comes_is_infinitely_late_and_said_so() -> None:
    nobody = Life(0.9, 1000, [], [Move(name, 0, "", "s9") for name in TIMES])
    point = curve([FREE, nobody], TIMES)[1]
    assert (point.delay_days_p50, point.found) == (float("inf"), 0.0)
    page = "\n".join(shown(curve_page(curve([FREE, nobody], TIMES), 0.9, 1000)))
    assert "never" in page
    assert "now" in page


def test_without_lasting_moves_there_is_no_delay() -> None:
    still = life(0.0)
    assert curve([still], {})[0] == Point(0.0, 0.0, 0.0, None, None)
    assert "-" in "\n".join(shown(curve_page(curve([still], {}), 0.25, 1000)))


def test_margins_are_numbers_below_one_with_none_and_the_present_among_them() -> None:
    assert margins_of("", 0.25)[0] == 0.0
    for said in ("0.1;0.2", "1.0", "-0.1"):
        with pytest.raises(SettingsError, match="--margins"):
            margins_of(said, 0.25)


def settings(**model: int) -> Tree:
    small = {"warmup_customers": 40, "macro_rows": 200, "cells": 30, "segments": 5}
    return load(flags={"profile": "personas", "model": {**small, **model}, "kafka": {"max_poll_records": 200}})


@cache
def orders() -> tuple[Encoded, ...]:
    return tuple(Personas(PersonasPlan(customers=80, days=240, seed=5)))


def test_on_customers_a_larger_margin_is_calmer_and_later() -> None:
    told: list[int] = []
    model = learn(settings(), orders(), told.append)
    lives = [live(settings(), margin, model, orders(), told.append) for margin in (0.0, 0.1, 0.3)]
    assert sum(told) == 4 * len(orders())
    points = curve(lives, own_times_ms(orders()))
    changes, returns = [p.changes_per_1000 for p in points], [p.aba_per_1000 for p in points]
    assert changes == sorted(changes, reverse=True)
    assert returns == sorted(returns, reverse=True)
    assert changes[0] > 2 * changes[2]
    delays = [p.delay_days_p50 or 0.0 for p in points]
    assert delays[0] == 0.0
    assert delays == sorted(delays)
    assert live(settings(), 0.1, model, orders(), told.append) == lives[1]


def test_too_few_customers_are_a_sentence() -> None:
    with pytest.raises(SettingsError, match=r"model.warmup_customers: a first model needs 500 .* the sample has 80"):
        learn(settings(warmup_customers=500), orders(), lambda _: None)
