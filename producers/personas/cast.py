"""What a cast is: who the customers of a simulated domain are, and how that changes over the year.

Personas overlap in how often and how much (recency, frequency and money alone tell few of them apart) and
differ in how they buy, as people do. The words are a shop's, as those of the event contract; each cast says what its
orders, amounts and items stand for.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """Parts of the money by the cast's categories, of any sum."""
    views_per_order: float = 0.0
    """Mean number of looks around before an order."""


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


@dataclass(frozen=True)
class Cast:
    """The personas of one domain."""

    name: str
    categories: tuple[str, ...]
    personas: tuple[Persona, ...]
    """Those beyond ``shares`` are nobody until they are born."""
    shares: tuple[float, ...]
    """Shares of the customers at the beginning, by persona; they sum to 1."""
    drift: tuple[Drift, ...]
    """What happens to whole personas, by day; what lies after the end does not happen."""
    opens_hour: int = 8
    closes_hour: int = 22
    christmas_orders: float = 0.3
    """How many more orders there are just before Christmas, as a share."""
    christmas_amounts: float = 0.25
    """How much dearer they are."""
    concentration: float = 8.0
    """Of an order's mix around its customer's (Dirichlet): the higher, the more alike its orders."""
