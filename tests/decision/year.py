"""A year of a few shoppers with habits, pauses and ends, from a seed: what a step meets in earnest, made small."""

from __future__ import annotations

import numpy as np

from stream.contracts.events import Event
from tests.helpers import DAY_MS, MONDAY_MS, event


def year(seed: int, customers: int = 10, days: int = 365) -> list[Event]:
    """Events of all customers, in order of time."""
    rng = np.random.default_rng(seed)
    events = [e for c in range(customers) for e in _life(rng, f"c{c:03}", days)]
    return sorted(events, key=lambda e: (e.occurred_at_ms, e.event_id))


def _life(rng: np.random.Generator, customer: str, days: int) -> list[Event]:
    gap_days, basket = rng.lognormal(1.8, 0.7), rng.lognormal(3.5, 0.9)
    events: list[Event] = []
    at, end = rng.uniform(0, 60), rng.uniform(60, days * 1.5)
    while at < min(end, days):
        amount = round(float(basket * rng.lognormal(0, 0.5)), 2)
        lines = (("fruit", round(amount * rng.random(), 2), bool(rng.random() < 0.3)), ("soap", 1.0, False))
        name = f"{customer}-{len(events)}"
        events.append(event(customer, MONDAY_MS + int(at * DAY_MS), amount, event_id=name, lines=lines))
        at += rng.exponential(gap_days) + (rng.uniform(30, 90) if rng.random() < 0.04 else 0)
        if rng.random() < 0.05:
            gap_days, basket = rng.lognormal(1.8, 0.7), rng.lognormal(3.5, 0.9)
    return events
