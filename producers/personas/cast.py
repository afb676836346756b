"""The cast of the personas simulator: who the customers are, and how that changes over the year.

Personas overlap in how often and how much (recency, frequency and money alone tell few of them apart) and
differ in how they buy, as people do.
"""

from __future__ import annotations

from dataclasses import dataclass

CATEGORIES = ("GROCERY", "FRESH", "DRINKS", "HOUSEHOLD", "BEAUTY", "FASHION", "ELECTRONICS", "TOYS")
GONE = -1
"""Persona of somebody who is not a customer: not yet, or no longer."""


@dataclass(frozen=True)
class Persona:
    """How one kind of customer buys. Shares are means; a single customer is off by an offset of its own."""

    name: str
    gap_days: float
    """Mean time between two orders."""
    basket: float
    """Median amount of an order."""
    item_price: float
    """Mean amount of one item."""
    discount_share: float
    private_label_share: float
    weekend_share: float
    evening_share: float
    mix: tuple[float, ...]
    """Parts of the money by ``CATEGORIES``, of any sum."""


@dataclass(frozen=True)
class Shift:
    """From ``day`` on, ``persona`` buys as ``into`` does. Same people, same persona, another behaviour."""

    day: int
    persona: int
    into: Persona


@dataclass(frozen=True)
class Birth:
    """From ``day`` on there is a new ``persona``; ``share`` of all become it within ``over_days``."""

    day: int
    persona: int
    share: float
    over_days: int


@dataclass(frozen=True)
class Death:
    """On ``day``, everybody of ``persona`` becomes somebody else."""

    day: int
    persona: int


Drift = Shift | Birth | Death

CAST = (
    #                                gap basket price disc  priv  wkend even  GRO FRE DRI HOU BEA FAS ELE TOY
    Persona("weekly family shop", 7.0, 75.0, 3.5, 0.20, 0.35, 0.60, 0.30, (45, 25, 8, 12, 3, 3, 0, 4)),
    Persona("daily fresh", 2.2, 16.0, 2.5, 0.05, 0.15, 0.28, 0.60, (20, 65, 8, 3, 2, 1, 0, 1)),
    Persona("bargain hunter", 8.0, 38.0, 2.5, 0.42, 0.60, 0.20, 0.15, (45, 10, 10, 25, 6, 2, 0, 2)),
    Persona("after work", 4.0, 22.0, 4.0, 0.06, 0.10, 0.15, 0.85, (35, 15, 40, 3, 3, 2, 1, 1)),
    Persona("weekend gourmet", 10.0, 85.0, 9.0, 0.05, 0.05, 0.80, 0.40, (15, 45, 30, 3, 3, 3, 1, 0)),
    Persona("big stock-up", 22.0, 160.0, 6.0, 0.25, 0.40, 0.45, 0.20, (25, 4, 12, 45, 6, 4, 2, 2)),
    Persona("style and screens", 9.0, 60.0, 18.0, 0.15, 0.08, 0.35, 0.65, (6, 2, 5, 6, 28, 30, 20, 3)),
)
"""Persona 6, the last, is nobody until it is born."""

BARGAINS_ONLINE = Persona("bargains online", 5.0, 30.0, 4.0, 0.30, 0.35, 0.30, 0.75, (25, 5, 10, 20, 15, 15, 5, 5))
"""What the bargain hunter turns into."""

SHARES = (0.20, 0.13, 0.19, 0.17, 0.17, 0.14)
"""Shares of the customers at the beginning, by persona."""

DRIFT: tuple[Drift, ...] = (
    Shift(day=120, persona=2, into=BARGAINS_ONLINE),
    Birth(day=180, persona=6, share=0.12, over_days=30),
    Death(day=260, persona=3),
)
