from __future__ import annotations

import numpy as np

from benchmarks.deadlines import run
from benchmarks.deadlines_states import Households
from stream.decision.silence import deadlines
from stream.settings import load
from tests.helpers import DAY_MS, MONDAY_MS
from tests.servers import redis_server


def test_everybody_falls_silent_once_while_live_events_go_on() -> None:
    redis_server()  # skips where there is none
    report = run(customers=1500, rate=100.0, calm_seconds=2.0)
    assert (report["fired"], report["twice"]) == (1500, 0)
    assert report["timers_per_second"] > 0
    assert report["live_events"]["before"] > 100
    assert report["live_events"]["during"] > 0


def test_the_states_are_what_the_service_would_have_written() -> None:
    """Moved in time, everybody's next deadline is the instant, or days away, by the engine's own reckoning."""
    households = Households.learnt(load(flags={"model": {"interval_seconds": 0}}))
    asleep = households.dormant_at(MONDAY_MS, 1000)
    assert (deadlines(households.features, asleep, households.assigner) == MONDAY_MS).all()
    assert (asleep["deadline"] == MONDAY_MS).all()
    active = households.active_at(MONDAY_MS, 100)
    assert (active["newest_at"] == MONDAY_MS).all()
    assert (deadlines(households.features, active, households.assigner) > MONDAY_MS + 10 * DAY_MS).all()
    y = households.features.y(asleep["sums"], asleep["first_at"], asleep["newest_at"], asleep["looked_at"])
    assert np.abs(y.astype(np.int64) - asleep["y"]).max() <= 1
