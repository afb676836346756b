"""The value of a segment: what its customers do and are worth, estimated from exact sums over them (``Holding``).

*Retention* r: the share of active customers who are active still 30 days on. Lives are taken as exponential, so the
hazard is endings over time lived (maximum likelihood under censoring; Lawless 2003, "Statistical models and methods for
lifetime data", 4.1), with half an ending added (Jeffreys' prior), for nobody keeps all. An ending is a customer who is
dormant; time lived is from first to last activity, also of those who are active: when they are found dormant, it will
have been then. It counts for the segment that is held, also what was lived in another; and as decay carries the silent
into rarer segments before they are dormant, frequent segments look as if they kept more than they do.

*CLV*: what an active customer is worth from now on (Gupta and Lehmann 2003, "Customers as assets"): m r / (1 + i - r),
with margin m, retention r and discount i of 30 days each, margin and retention being what they are for ever.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from stream.customer.holdings import MILLI, Holding
from stream.settings import ValueSettings

PERIOD_DAYS = 30
_DAY_SECONDS = 86_400
_YEAR_DAYS = 365
_PRIOR_ENDINGS = 0.5


@dataclass(frozen=True)
class Value:
    """Estimates of one segment; ``None`` where nothing can be said, or the accumulator for it is not declared."""

    retention: float | None
    """Share of its active customers who are so 30 days later."""
    orders: float | None
    """Orders of an active customer in 30 days."""
    spend: float | None
    """... and what they come to."""
    conversion: float | None
    """Orders per view."""
    order_value: float | None
    """Money per order."""
    clv: float | None
    """Margin to come of an active customer, discounted."""


def value_of(
    holding: Holding, settings: ValueSettings, *, knows_orders: bool, knows_spend: bool, knows_views: bool
) -> Value:
    """The value of a segment from the sums over those who hold it."""
    periods = holding.exposure / MILLI / PERIOD_DAYS
    orders, spend, views = (
        amount / MILLI if is_known else None
        for amount, is_known in (
            (holding.orders, knows_orders),
            (holding.spend, knows_spend),
            (holding.views, knows_views),
        )
    )
    a_period, kept = _ratio(spend, periods), retention(holding)
    return Value(
        retention=kept,
        orders=_ratio(orders, periods),
        spend=a_period,
        conversion=_ratio(orders, views),
        order_value=_ratio(spend, orders),
        clv=None if a_period is None or kept is None else clv(a_period * settings.margin, kept, settings.discount_rate),
    )


def retention(holding: Holding) -> float | None:
    """Share of the active that are so after 30 days; ``None`` as long as nobody has lived.

    >>> month = 30 * 86_400
    >>> round(retention(Holding(active=90, dormant=9, lifetime_seconds=190 * month)), 3)
    0.951
    """
    if holding.lifetime_seconds <= 0:
        return None
    lived_days = holding.lifetime_seconds / _DAY_SECONDS
    return math.exp(-PERIOD_DAYS * (holding.dormant + _PRIOR_ENDINGS) / lived_days)


def retention_error(holding: Holding) -> float | None:
    """Standard error of ``retention``, that of a hazard of d endings being hazard / sqrt(d) (Lawless 2003, 4.1).

    >>> month = 30 * 86_400
    >>> round(retention_error(Holding(active=90, dormant=9, lifetime_seconds=190 * month)), 3)
    0.015
    """
    kept = retention(holding)
    if kept is None:
        return None
    lived_days = holding.lifetime_seconds / _DAY_SECONDS
    return PERIOD_DAYS * kept * math.sqrt(holding.dormant + _PRIOR_ENDINGS) / lived_days


def clv(margin: float, kept: float, discount_rate: float) -> float:
    """Value of ``margin`` a period, of which the share ``kept`` is left each period, at ``discount_rate`` a year.

    >>> round(clv(10.0, 0.9, 0.12), 1)
    82.3
    """
    discount = (1 + discount_rate) ** (PERIOD_DAYS / _YEAR_DAYS) - 1
    return margin * kept / (1 + discount - kept)


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or below is None or below <= 0 else above / below
