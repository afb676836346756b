"""Signals of the population: every one has a level, before there is a reference and after."""

from __future__ import annotations

import numpy as np
import pytest

from stream.drift.levels import population_levels
from stream.drift.picture import DECISIONS, Difference, bins_of
from stream.drift.psi import psi
from tests.drift.test_monitor import NAMES, USUAL, picture

LEAST = 0.1
EVERY = ["share", "feature.size", "feature.pace", "decision.low_margin", "decision.atypical", "decision.flap"]


def levels(*decisions: tuple[int, int]) -> dict[str, float]:
    then, now = picture(0), picture(0, decisions=decisions)
    return population_levels(NAMES, Difference(then, now, bins_of(then, 10)), LEAST)


def test_every_signal_has_a_level_with_a_reference_and_without() -> None:
    assert population_levels(NAMES, None, LEAST) == dict.fromkeys(EVERY, 0.0)
    assert levels(*USUAL) == dict.fromkeys(EVERY, 0.0)
    assert [f"decision.{name}" for name in DECISIONS] == EVERY[3:]


def test_twice_as_many_low_margins_are_about_a_limit_and_fewer_are_none() -> None:
    doubled = levels((200, 1000), *USUAL[1:])
    assert doubled["decision.low_margin"] == pytest.approx(psi(np.array([200, 800]), np.array([100, 900])) / LEAST)
    assert 0.7 < doubled["decision.low_margin"] < 1.0 < levels((240, 1000), *USUAL[1:])["decision.low_margin"]
    assert levels((10, 1000), *USUAL[1:])["decision.low_margin"] == 0.0


def test_few_changes_say_little_of_flaps() -> None:
    """Twice the share: of two hundred it is drift, of twenty it is chance, of none it is nothing."""
    assert levels(*USUAL[:2], (90, 200))["decision.flap"] > 1.0
    assert levels(*USUAL[:2], (9, 20))["decision.flap"] < 1.0
    assert levels(*USUAL[:2], (0, 0))["decision.flap"] == 0.0
