"""What customers buy: amounts with heavy tails, items, discounts, and lines by category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from producers.personas.people import FloatArray, IntArray, People, share

_AMOUNT_SD = 0.35
"""Standard deviation of the logarithm of an order's amount around its customer's own median."""
_SPIKE_SHARE = 0.02
_SPIKE_TAIL = 1.2
"""Exponent of the Pareto tail: finite mean, infinite variance, until cut off."""
_SPIKE_MOST = 100.0
_ORDER_SD = 0.5
"""Standard deviation between a customer's orders, in log odds of shares."""
_LEAST_PART = 0.04
"""Parts of a basket below this are left out: nobody buys of everything every time."""


@dataclass(frozen=True)
class Baskets:
    """One entry an order. ``lines_cents``, by (order, category), sums to ``cents``."""

    cents: IntArray
    items: IntArray
    discount_cents: IntArray
    lines_cents: IntArray
    private_label: NDArray[np.bool_]
    """By (order, category)."""


def fill(people: People, customer: IntArray, day: IntArray, dearer: FloatArray, rng: Generator) -> Baskets:
    """Draw the orders that these customers make on these days, ``dearer`` by a factor than on others."""
    looks, traits, row = people.looks, people.traits, people.row(customer, day)
    n = len(customer)
    median = looks.column(lambda p: p.basket)[row] * np.exp(traits.basket[customer])
    spike = np.where(rng.random(n) < _SPIKE_SHARE, np.minimum(1 + rng.pareto(_SPIKE_TAIL, n), _SPIKE_MOST), 1.0)
    amount = median * np.exp(rng.normal(0, _AMOUNT_SD, n)) * spike * dearer
    price = looks.column(lambda p: p.item_price)[row] * np.exp(traits.price[customer])
    noise = rng.normal(0, _ORDER_SD, n)
    discount = share(looks.column(lambda p: p.discount_share)[row], traits.discount[customer] + noise)
    mean = looks.column(lambda p: p.mix)[row] * np.exp(traits.mix[customer])
    lines = _lines(amount, _parts(mean, people.cast.concentration, rng))
    cents = lines.sum(axis=1)
    private = share(looks.column(lambda p: p.private_label_share)[row], traits.private_label[customer])
    return Baskets(
        cents=cents,
        items=1 + rng.poisson(amount / price),
        discount_cents=np.rint(cents * discount).astype(np.int64),
        lines_cents=lines,
        private_label=rng.random(lines.shape) < private[:, None],
    )


def _parts(mean: FloatArray, concentration: float, rng: Generator) -> FloatArray:
    """Parts of each basket by category, around its customer's ``mean``, summing to 1. Shape (orders, categories)."""
    drawn = rng.gamma(concentration * mean / mean.sum(axis=1, keepdims=True))
    drawn[drawn < _LEAST_PART * drawn.sum(axis=1, keepdims=True)] = 0.0
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def _lines(amount: FloatArray, parts: FloatArray) -> IntArray:
    """Cents by category that sum to the amount: differences of rounded running sums."""
    cents = np.maximum(np.rint(amount * 100), 1.0)[:, None]
    upto = np.rint(np.cumsum(parts, axis=1) * cents)
    upto[:, -1] = cents[:, 0]
    return np.asarray(np.diff(upto, axis=1, prepend=0.0), dtype=np.int64)
