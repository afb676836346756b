"""What is planted must be found: half the customers long silent, and some who are like nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.agreement import active, ari
from benchmarks.quality.data import Data, personas
from benchmarks.quality.service import Run, run
from benchmarks.quality.summary import mean
from producers.orders import Encoded, encode_order
from producers.personas import RETAIL, PersonasPlan
from stream.customer.features import DAY_MS
from stream.customer.state import ATYPICAL, Status
from stream.settings import Tree

GHOST_SHARE = 0.5
GHOST_DAYS = (90, 120, 150, 179)
OUTLIER_DAYS = 120
_SILENT_BY_DAY = 46
"""Ghosts stop within their first 45 days."""
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Oddity:
    """A way to buy that no persona has."""

    name: str
    gap_days: float
    amount: float
    items: int
    discount_share: float
    private_label: bool
    category: str
    hour: int


ODDITIES = (
    Oddity("reseller", 0.5, 2500.0, 450, 0.60, True, "ELECTRONICS", 10),
    Oddity("collector", 14.0, 2800.0, 1, 0.0, False, "TOYS", 20),
    Oddity("coupon robot", 0.25, 1.5, 1, 0.95, True, "BEAUTY", 20),
)
EACH = 7
"""Customers of each oddity: less than one in a hundred altogether."""


def ghosts(settings: Tree, seed: int) -> dict[str, Any]:
    """Half the customers stop early. Do the others' segments agree with those of a model that never saw the half?"""
    everybody = personas(PersonasPlan(replace(RETAIL, drift=()), seed=seed, ghost_share=GHOST_SHARE, days=180))
    everybody = replace(everybody, checkpoint_days=GHOST_DAYS)
    assert everybody.truth is not None
    lives: NDArray[np.int8] = everybody.truth[:, _SILENT_BY_DAY:]
    stays = lives.max(axis=1) >= 0
    alone = everybody.only(stays[everybody.customer])
    together, apart = run(everybody, settings), run(alone, settings)
    agreements = [_agreement(together, apart, everybody.end_of_day_ms(day)) for day in GHOST_DAYS]
    return {"ghosts_agreement": mean(agreements), "ghosts_agreement_worst": min(agreements)}


def outliers(settings: Tree, seed: int) -> dict[str, Any]:
    """A few odd customers among the personas: how many are called atypical, and how many of the others?"""
    base = personas(PersonasPlan(seed=seed, days=OUTLIER_DAYS))
    events = sorted([*base.events, *_odd(base.start_ms, seed)], key=lambda event: event.occurred_at_ms)
    life = run(Data("outliers", events, base.start_ms, (OUTLIER_DAYS - 1,)), settings)
    stop = life.stops[-1]
    ready = stop.rows["status"] == Status.READY
    told = (stop.rows["atypical"] & ATYPICAL) > 0
    kind = np.array([name.rpartition("-")[0] for name in stop.names])
    return {
        "atypical_found": float(told[ready & (kind != "")].mean()),
        "atypical_false": float(told[ready & (kind == "")].mean()),
        "atypical_found_by": {o.name: float(told[ready & (kind == o.name)].mean()) for o in ODDITIES},
    }


def _agreement(together: Run, apart: Run, ms: int) -> float:
    """Among the customers that both know and who are active."""
    names = apart.data.names
    whole = together.history.held(ms)[[together.data.number[name] for name in names]]
    return ari(whole, apart.history.held(ms), active(apart.data, ms))


def _odd(start_ms: int, seed: int) -> Iterator[Encoded]:
    rng = np.random.default_rng(seed)
    for oddity in ODDITIES:
        for number in range(EACH):
            days = np.cumsum(rng.gamma(9.0, oddity.gap_days / 9.0, round(2 * OUTLIER_DAYS / oddity.gap_days)))
            for i, day in enumerate(days[days < OUTLIER_DAYS - 1].tolist()):
                yield _order(oddity, f"{oddity.name}-{number}", i, start_ms + int(day) * DAY_MS, rng)


def _order(oddity: Oddity, customer: str, i: int, day_ms: int, rng: np.random.Generator) -> Encoded:
    amount = round(oddity.amount * float(np.exp(rng.normal(0, 0.1))), 2)
    at_ms = day_ms + oddity.hour * _HOUR_MS + int(rng.integers(_HOUR_MS))
    line = (oddity.category, amount, oddity.private_label)
    discount = round(amount * oddity.discount_share, 2)
    return encode_order(
        f"{customer}-{i}", customer, at_ms, UTC, amount, items=oddity.items, discount=discount, lines=[line]
    )
