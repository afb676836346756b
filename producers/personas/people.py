"""The customers as columns: which persona on which day, how each buys, and how single customers differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from producers.personas.cast import Cast, Persona, Shift
from producers.personas.lives import Lives, live
from producers.personas.plan import PersonasPlan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Standard deviations within a persona: of logarithms (money, time, mix), of log odds (shares).
_GAP_SD = 0.25
_BASKET_SD = 0.30
_PRICE_SD = 0.15
_SHARE_SD = 0.35
_MIX_SD = 0.35


@dataclass(frozen=True)
class Traits:
    """What a customer keeps when its persona changes: its own offsets, shape (customers, ...)."""

    gap: FloatArray
    basket: FloatArray
    price: FloatArray
    discount: FloatArray
    private_label: FloatArray
    weekend: FloatArray
    evening: FloatArray
    mix: FloatArray

    @classmethod
    def draw(cls, n: int, categories: int, rng: Generator) -> Traits:
        """Traits of ``n`` customers, who buy of so many categories."""
        return cls(
            gap=rng.normal(0, _GAP_SD, n),
            basket=rng.normal(0, _BASKET_SD, n),
            price=rng.normal(0, _PRICE_SD, n),
            discount=rng.normal(0, _SHARE_SD, n),
            private_label=rng.normal(0, _SHARE_SD, n),
            weekend=rng.normal(0, _SHARE_SD, n),
            evening=rng.normal(0, _SHARE_SD, n),
            mix=rng.normal(0, _MIX_SD, (n, categories)),
        )


@dataclass(frozen=True)
class Looks:
    """The personas as columns. A persona that shifts has another row from that day on: its new look."""

    personas: tuple[Persona, ...]
    row: IntArray
    """Row by (persona, day)."""

    @classmethod
    def of(cls, cast: Cast, days: int) -> Looks:
        """A cast and its shifts, over ``days`` days."""
        personas = list(cast.personas)
        row = np.repeat(np.arange(len(personas))[:, None], days, axis=1)
        for shift in cast.drift:
            if isinstance(shift, Shift):
                row[shift.persona, shift.day :] = len(personas)
                personas.append(shift.into)
        return cls(tuple(personas), row)

    def column(self, value: Callable[[Persona], float | tuple[float, ...]]) -> FloatArray:
        """One property of every row, shape (rows,) or (rows, categories)."""
        return np.array([value(persona) for persona in self.personas], dtype=np.float64)


@dataclass(frozen=True)
class People:
    """Everybody, for the whole time."""

    cast: Cast
    lives: Lives
    traits: Traits
    looks: Looks

    @classmethod
    def draw(cls, plan: PersonasPlan, rng: Generator) -> People:
        """The customers of a plan."""
        lives = live(plan, rng)
        traits = Traits.draw(plan.customers, len(plan.cast.categories), rng)
        return cls(plan.cast, lives, traits, Looks.of(plan.cast, plan.days))

    def row(self, customer: IntArray, day: IntArray) -> IntArray:
        """Which look these customers have on these days; meaningless for those who are gone."""
        return np.asarray(self.looks.row[self.lives[customer, day], day])


def share(mean: FloatArray, offset: FloatArray) -> FloatArray:
    """A share moved by ``offset`` on the scale of log odds.

    >>> share(np.array([0.5, 0.2]), np.array([0.0, 1.0])).round(2).tolist()
    [0.5, 0.4]
    """
    odds = mean / (1 - mean) * np.exp(offset)
    return np.asarray(odds / (1 + odds))
