"""Who is which persona on which day: the truth that everything else follows."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from producers.personas.cast import GONE, Birth, Death
from producers.personas.plan import PersonasPlan

Lives = NDArray[np.int8]
"""Persona by (customer, day), ``GONE`` before the first day and after the last."""
IntArray = NDArray[np.int64]

_NEVER = np.iinfo(np.int64).max
_GHOST_DAYS = (15, 45)
_LEAST_LIFE_DAYS = 30


def live(plan: PersonasPlan, rng: Generator) -> Lives:
    """Simulate all lives, day by day. Shape (customers, days)."""
    shares = plan.cast.shares
    persona = rng.choice(len(shares), plan.customers, p=shares)
    alive = set(range(len(shares)))
    becomes = np.full(plan.customers, GONE)
    becomes_on = np.full(plan.customers, _NEVER)
    lives = np.empty((plan.customers, plan.days), dtype=np.int8)
    for day in range(plan.days):
        for drift in plan.cast.drift:
            if drift.day == day and isinstance(drift, Birth):
                drawn = rng.random(plan.customers) < drift.share
                becomes[drawn] = drift.persona
                becomes_on[drawn] = day + rng.integers(max(drift.over_days, 1), size=drawn.sum())
                alive.add(drift.persona)
            elif drift.day == day and isinstance(drift, Death):
                alive.discard(drift.persona)
                _move(persona, persona == drift.persona, alive, rng)
        _move(persona, rng.random(plan.customers) < plan.moves_per_year / 365, alive, rng)
        persona = np.where(becomes_on == day, becomes, persona)
        lives[:, day] = persona
    first, last = _spans(plan, rng)
    days = np.arange(plan.days)
    lives[(days < first[:, None]) | (days >= last[:, None])] = GONE
    return lives


def _move(persona: IntArray, who: NDArray[np.bool_], alive: set[int], rng: Generator) -> None:
    """Give each of ``who`` another persona than it has, in place."""
    options = np.array(sorted(alive))
    drawn = rng.integers(len(options), size=who.sum())
    same = options[drawn] == persona[who]
    persona[who] = options[(drawn + same) % len(options)]


def _spans(plan: PersonasPlan, rng: Generator) -> tuple[IntArray, IntArray]:
    """First day of every customer, and the first day after its last."""
    n, days = plan.customers, plan.days
    fate = rng.random(n)
    is_ghost = fate < plan.ghost_share
    is_stopper = ~is_ghost & (fate < plan.ghost_share + plan.stopper_share)
    is_newcomer = ~is_ghost & (rng.random(n) < plan.newcomer_share)
    first = np.where(is_newcomer, rng.integers(0, max(1, days * 4 // 5), n), 0)
    ghost_last = rng.integers(*_GHOST_DAYS, n)
    stopper_last = first + _LEAST_LIFE_DAYS + (rng.random(n) * (days - first)).astype(np.int64)
    last = np.where(is_ghost, ghost_last, np.where(is_stopper, stopper_last, _NEVER))
    return first, last
