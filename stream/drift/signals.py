"""What the signals of drift are called, in names and in words."""

from __future__ import annotations

SHARE = "share"
"""Customers by segment."""
FEATURE, RAW, DECISION = "feature.", "event.", "decision."
"""What signals begin with that are a feature of the population, a raw value, or how sure decisions are."""
_DECISIONS = {
    "low_margin": "the share of customers who stand between two segments",
    "atypical": "the share of customers who fit no segment",
    "flap": "the share of changes that are undone",
}


def signal_words(signal: str) -> str:
    """A signal of drift.

    >>> signal_words("share"), signal_words("feature.own_gap"), signal_words("event.spend")
    ('how customers spread over the segments', 'own gap of the customers', 'spend of the orders')
    >>> signal_words("decision.flap")
    'the share of changes that are undone'
    """
    if signal == SHARE:
        return "how customers spread over the segments"
    if signal.startswith(DECISION):
        return _DECISIONS[signal.removeprefix(DECISION)]
    whose = "customers" if signal.startswith(FEATURE) else "orders"
    return f"{signal.removeprefix(FEATURE).removeprefix(RAW).replace('_', ' ')} of the {whose}"
