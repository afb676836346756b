"""Whatever happens to a fleet, at rest everything that was promised holds."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.simulation.machine import Simulation

SCHEDULES = int(os.environ.get("SCHEDULES", "2000" if os.environ.get("CI") == "true" else "200"))
"""SCHEDULES=50000 looks on over night; --hypothesis-seed repeats a run."""


def _settings(schedules: int, steps: int) -> settings:
    every = list(HealthCheck)
    return settings(max_examples=schedules, stateful_step_count=steps, deadline=None, suppress_health_check=every)


class Longer(Simulation):
    """Some missing guards show only after much has happened; others are found sooner by many short schedules."""


TestShort, TestLonger = Simulation.TestCase, Longer.TestCase
TestShort.settings = _settings(SCHEDULES * 3 // 4, steps=10)
TestLonger.settings = _settings(SCHEDULES // 4, steps=20)
