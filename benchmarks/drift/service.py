"""The whole service: which drifts are on its ledger, and how many days after a shift. Population features remember."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.drift.streams import WEEKS, rounds
from consumers.twins import Twins, drain
from producers.journey import Journey
from producers.orders import Encoded
from producers.personas import RETAIL, Personas, PersonasPlan
from stream.contracts.segments import decode_entry
from stream.contracts.timestamps import ms_of, rfc3339
from stream.customer.features import DAY_MS
from stream.settings import load

SHIFT_DAY = 200
DAYS = 290
_POLL = 2000


@dataclass(frozen=True)
class Told:
    """A drift that began."""

    signal: str
    at_ms: int


def lived(events: Sequence[Encoded], profile: str) -> list[Told]:
    """The drifts that the service tells, fed in event time."""
    kafka = {"max_poll_records": _POLL}
    flags = {
        "profile": profile,
        "kafka": kafka,
        "model": {"interval_seconds": 0},
        "redis": {"features_document": False},
    }
    twins = Twins(load(flags=flags))
    lockstep = twins.lockstep()
    for part in rounds(len(events), _POLL):
        twins.send(events[part])
        drain(lockstep.run_once, idle_rounds=1)
    lockstep.close()
    entries, _ = twins.broker.read(twins.settings.topics.ledger, 0, 0, 1 << 62)
    said = [decode_entry(entry.value) for _, entry in entries if entry.value is not None]
    begun = [e for e in said if e.detail.drift is not None and e.detail.drift.what == "begins"]
    return [Told(e.name, ms_of(e.occurred_at)) for e in begun]


def spend_half_sd() -> tuple[list[Encoded], int]:
    """Personas of whom none drifts; from day 200 on every order is worth half a standard deviation (log) more."""
    plan = PersonasPlan(replace(RETAIL, drift=()), customers=2500, days=DAYS, seed=1)
    events, shift_ms = list(Personas(plan)), plan.start_ms + SHIFT_DAY * DAY_MS
    amounts = [json.loads(event.payload).get("amount", 0.0) for event in events]
    factor = float(np.exp(0.5 * np.log1p([amount for amount in amounts if amount > 0]).std()))
    return [_dearer(e, factor) if e.occurred_at_ms >= shift_ms else e for e in events], shift_ms


def shuffled_weeks(seed: int) -> list[Encoded]:
    """Complete Journey with its weeks in another order."""
    events = list(Journey())
    first, order = events[0].occurred_at_ms, np.random.default_rng(seed).permutation(WEEKS)
    later = {int(week): (k - int(week)) * 7 * DAY_MS for k, week in enumerate(order)}
    moved = [_moved(e, later[week]) for e in events if (week := (e.occurred_at_ms - first) // (7 * DAY_MS)) in later]
    return sorted(moved, key=lambda event: event.occurred_at_ms)


def report() -> dict[str, Any]:
    """False alarms of all signals together, and days from a shift to each signal that tells it."""
    events, shift_ms = spend_half_sd()
    told = lived(events, "personas")
    still = sum(event.occurred_at_ms < shift_ms for event in events)
    days: dict[str, float] = {}
    for drift in told:
        if drift.at_ms >= shift_ms:
            days.setdefault(drift.signal, round((drift.at_ms - shift_ms) / DAY_MS, 1))
    weeks = shuffled_weeks(0)
    false = {
        "personas_before_the_shift": 1e6 * sum(drift.at_ms < shift_ms for drift in told) / still,
        "journey_weekly_blocks": 1e6 * len(lived(weeks, "retail")) / len(weeks),
    }
    return {"service_false_alarms_per_million": false, "delay_days": {"spend_half_sd": days}}


def _dearer(event: Encoded, factor: float) -> Encoded:
    said = json.loads(event.payload)
    for holder in (said, *said.get("lines", ())):
        for field in {"amount", "discount"} & holder.keys():
            holder[field] = round(holder[field] * factor, 2)
    return event._replace(payload=json.dumps(said).encode())


def _moved(event: Encoded, by_ms: int) -> Encoded:
    said = json.loads(event.payload)
    at_ms = event.occurred_at_ms + by_ms
    said["occurred_at"] = rfc3339(at_ms)
    return Encoded(event.key, json.dumps(said).encode(), at_ms)
