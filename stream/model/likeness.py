"""Likeness: whether two segments do not differ in outcome, so that they might as well be one. Advice, never more.

That no difference was found would prove nothing; so the two have to be shown to be alike, within limits that somebody
can name (equivalence: Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach"):

- *Retention*: the 90 % interval of the difference lies within ``value.alike_retention``, which are two one-sided tests
  at 5 %. Endings are counted, so there is an error (``value.retention_error``).
- *Orders and spend* of an active customer in 30 days, *order value*, *conversion*: the larger is at most
  ``value.alike_ratio`` times the smaller. That is the size of an effect and no test: squares over the customers are not
  kept, and segments are cut by these very quantities, for which no test of a difference would be valid (Gao, Bien and
  Witten 2022, "Selective inference for hierarchical clustering"). Of few customers nothing is said instead.

What nobody declared is not asked for. What is known of one of the two only, is not alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from stream.customer.features import FeatureSet
from stream.customer.holdings import Holding, traded
from stream.model.snapshot import Snapshot
from stream.model.value import Value, retention_error, value_of
from stream.settings import ValueSettings

RATIOS = ("orders", "spend", "order_value", "conversion")
"""Outcomes that are compared as a ratio, fields of ``Value``."""
Z_90 = 1.645
"""Standard errors to either side of a 90 % interval."""


@dataclass(frozen=True)
class Outcome:
    """What there is to compare of one segment."""

    holding: Holding
    value: Value


@dataclass(frozen=True)
class Likeness:
    """Two segments beside each other."""

    customers: int
    """Active ones, of the smaller."""
    ratios: dict[str, float]
    """Larger over smaller, of each outcome in ``RATIOS`` that is known of either; infinite if of one only."""
    retention: float
    """Absolute difference; infinite if one is not known."""
    retention_error: float
    """Half of the 90 % interval of it."""

    def holds(self, settings: ValueSettings) -> bool:
        """Whether the two do not differ."""
        return (
            self.customers >= settings.alike_customers
            and self.retention + self.retention_error <= settings.alike_retention
            and all(ratio <= settings.alike_ratio for ratio in self.ratios.values())
        )

    @property
    def widest(self) -> float:
        """The largest ratio; 1 if there is none."""
        return max(self.ratios.values(), default=1.0)


def outcome_of(features: FeatureSet, settings: ValueSettings, holding: Holding) -> Outcome:
    """Of the sums over a segment's holders, as far as accumulators are declared."""
    orders, spend, views = (slot is not None for slot in traded(features))
    return Outcome(holding, value_of(holding, settings, knows_orders=orders, knows_spend=spend, knows_views=views))


def outcomes_of(features: FeatureSet, settings: ValueSettings, snapshot: Snapshot) -> dict[int, Outcome]:
    """Of every segment that customers can enter, by number."""
    return {s.number: outcome_of(features, settings, s.holding) for s in snapshot.segments if not s.retiring}


def likeness(one: Outcome, other: Outcome) -> Likeness:
    """Compare two segments."""
    pairs = {name: (getattr(one.value, name), getattr(other.value, name)) for name in RATIOS}
    apart, error = _retention(one, other)
    return Likeness(
        customers=min(one.holding.active, other.holding.active),
        ratios={name: _ratio(a, b) for name, (a, b) in pairs.items() if a is not None or b is not None},
        retention=apart,
        retention_error=error,
    )


def alike(outcomes: Mapping[int, Outcome], settings: ValueSettings) -> dict[tuple[int, int], Likeness]:
    """The pairs of segment numbers that do not differ, the most alike first; of each pair the lower number first."""
    found = {pair: likeness(*(outcomes[n] for n in pair)) for pair in combinations(sorted(outcomes), 2)}
    holding = {pair: seen for pair, seen in found.items() if seen.holds(settings)}
    return dict(sorted(holding.items(), key=lambda item: (item[1].widest, item[1].retention, item[0])))


def _retention(one: Outcome, other: Outcome) -> tuple[float, float]:
    """Difference, and half of its 90 % interval."""
    kept = (one.value.retention, other.value.retention)
    errors = (retention_error(one.holding), retention_error(other.holding))
    if kept[0] is None or kept[1] is None or errors[0] is None or errors[1] is None:
        return math.inf, 0.0
    return abs(kept[0] - kept[1]), Z_90 * math.hypot(errors[0], errors[1])


def _ratio(one: float | None, other: float | None) -> float:
    """Larger over smaller; nothing is alike to what is not known, or to a loss.

    >>> _ratio(4.0, 5.0), _ratio(0.0, 0.0), _ratio(0.0, 1.0), _ratio(None, 1.0)
    (1.25, 1.0, inf, inf)
    """
    if one is None or other is None:
        return math.inf
    if one == other:
        return 1.0
    return max(one, other) / min(one, other) if min(one, other) > 0 else math.inf
