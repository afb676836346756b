"""What the signals of drift are called, in names and in words."""

from __future__ import annotations

SHARE = "share"
FEATURE, RAW = "feature.", "event."
"""What signals begin with that are a feature of the population, or a raw value."""


def signal_words(signal: str) -> str:
    """A signal of drift.

    >>> signal_words("share"), signal_words("feature.own_gap"), signal_words("event.spend")
    ('how customers spread over the segments', 'own gap of the customers', 'spend of the orders')
    """
    if signal == SHARE:
        return "how customers spread over the segments"
    whose = "customers" if signal.startswith(FEATURE) else "orders"
    return f"{signal.removeprefix(FEATURE).removeprefix(RAW).replace('_', ' ')} of the {whose}"
