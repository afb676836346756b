"""A round may be stopped at every single step; whatever was half done is done, once, by whoever comes next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.helpers import DAY_MS
from tests.simulation.fleet import CUSTOMERS, OWNERS, WORKERS, Fleet
from tests.simulation.lasting import Watch, check
from tests.simulation.past import lived
from tests.simulation.stepping import How, Stop

MOST_STEPS = 60


def a_batch(fleet: Fleet) -> str:
    fleet.run(WORKERS[0])
    return WORKERS[0]


def a_restore(fleet: Fleet) -> str:
    fleet.run(WORKERS[0])
    fleet.store.lose()
    fleet.run(WORKERS[0])
    return WORKERS[0]


def an_assignment(fleet: Fleet) -> str:
    fleet.crash(WORKERS[0])
    fleet.wait(13.0)
    return WORKERS[1]


def a_model(fleet: Fleet) -> str:
    for _ in range(3):
        fleet.run(WORKERS[0])
    return OWNERS[0]


def a_hand_over(fleet: Fleet) -> str:
    fleet.crash(OWNERS[0])
    fleet.wait(13.0)
    a_model(fleet)
    return OWNERS[1]


@pytest.mark.parametrize("how", ["crash", "fail", "pause"])
@pytest.mark.parametrize("before", [a_batch, a_restore, an_assignment, a_model, a_hand_over])
def test_a_round_stopped_anywhere(before: Callable[[Fleet], str], how: How) -> None:
    for step in range(1, MOST_STEPS):
        fleet = lived()
        fleet.after_round = Watch(fleet).look if before is not a_restore else fleet.after_round
        fleet.order(range(len(CUSTOMERS)), DAY_MS, 500)
        name = before(fleet)
        began = fleet.running[name].steps.passed if name in fleet.running else 0
        fleet.run(name, Stop(how, "", step))
        is_through = name in fleet.running and fleet.running[name].steps.passed - began < step
        fleet.rest()
        check(fleet)
        if is_through:
            assert step > 3, "there was nothing to stop"
            return
    raise AssertionError("a round does not end")
