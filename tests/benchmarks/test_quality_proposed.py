"""Proposals in quality: what is accepted is counted from and to, and differences are found."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.quality.data import personas
from benchmarks.quality.proposed import Accepted, proposal, summed
from producers.personas import PersonasPlan
from tests.benchmarks.test_quality_measures import small


def test_shares_are_of_who_holds_a_segment_and_differences_of_who_moved() -> None:
    foretold = {1: {1: 90, 2: 10}, 2: {2: 100}}
    by_cells = {1: {1: 80, 2: 20}, 2: {2: 60, 1: 40}}
    found = summed([Accepted(foretold, by_cells, Counter({("s1", "s2"): 8, ("s2", "s1"): 2}))])
    assert found == {
        "accepted": 1,
        "customers_moved": 10,
        "foretold": pytest.approx(0.05),
        "emitted": pytest.approx(0.05),
        "difference": pytest.approx(0.4),
        "foretold_by_cells": pytest.approx(0.3),
        "difference_by_cells": pytest.approx(5.0),
    }
    assert summed([]) == {"accepted": 0}


def test_a_life_in_which_everything_proposed_is_accepted() -> None:
    tree = small()
    asking = tree.model_copy(update={"model": tree.model.model_copy(update={"max_regroup": 0.0})})
    found = proposal(personas(PersonasPlan(customers=150, days=150, seed=8)), asking)["proposal"]
    assert found["accepted"] > 0
    # A handful of customers move, and events come between the word and the sweep: as a share of everybody it agrees,
    # and is nearer than what is estimated from cells, which is what the store is asked for.
    assert found["foretold"] == pytest.approx(found["emitted"], abs=0.03)
    assert found["difference"] < found["difference_by_cells"] / 2
    assert 0 < found["emitted"] < 1
