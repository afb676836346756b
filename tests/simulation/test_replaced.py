"""A worker that was replaced while it restored."""

from __future__ import annotations

from tests.helpers import HOUR_MS
from tests.simulation.past import lived
from tests.simulation.stepping import Stop


def test_a_worker_that_was_replaced_in_a_restore_does_not_halt() -> None:
    fleet = lived()
    fleet.store.lose()
    fleet.wait(2.0)  # an idle partition is looked at once a second
    fleet.order(range(12), HOUR_MS, 700)
    fleet.run("worker-0")
    fleet.run("worker-0", Stop("pause", "applied"))  # has read what is committed and restored partition 0
    fleet.run("worker-1")  # joins: partition 1 is its own
    fleet.run("worker-1")
    assert fleet.run("worker-0") is not None
    assert "worker-0" in fleet.running
    fleet.bury()
