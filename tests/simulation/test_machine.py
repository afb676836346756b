"""Whatever happens to a fleet, at rest everything that was promised holds."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.simulation.machine import Simulation

TestSimulation = Simulation.TestCase
# 300 schedules take about 20 s of one core; raise it over night.
TestSimulation.settings = settings(
    max_examples=300, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
