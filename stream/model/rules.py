"""Surrogate rules: what it takes to be in a segment, in a sentence that a person can apply.

    "orders > 4 per 30 days and discount share < 0.1", right for 88 % of the customers

A rule is a conjunction of at most three thresholds in natural units. It is not what decides (that is the nearest
centroid in all features) but an approximation, grown greedily as one path of a decision tree, condition by condition
(as PRISM, Cendrowska 1987, and CN2, Clark and Niblett 1989), by the harmonic mean F1 of precision and recall: plain
accuracy would say "nobody" of a small segment.

It is learnt from the population by cells: a cell's customers count as in the segment nearest to it. Where the best
threshold lies is asked of the cells' means. What a rule is worth is asked of their spread as well, for a threshold cuts
through cells: within one, features count as normal and independent, with the mean and variance of its customers.
(Measured on Complete Journey: "right" is .88 to .94 by this, .91 to .96 customer by customer, and would be .98 to 1 if
cells were points.) Thresholds are rounded before anything is measured; all sums are exact, so the order of cells does
not matter to a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import fsum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from stream.model.naming import Described
from stream.model.snapshot import Condition, FloatArray, IntArray, Rule
from stream.model.sums import Sums
from stream.settings import Feature

CONDITIONS_AT_MOST = 3
DIGITS_AT_MOST = 2
"""Significant digits of a threshold: "orders > 4.2"."""
DIGIT_COST = 0.005
"""... and by how much F1 must be better to be worth the second one."""
LEAST_GAIN = 0.01
"""By how much a further condition must raise F1, and another rule that of the rule people know."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Ground:
    """What rules are learnt from: q cells with customers, d features."""

    features: Described
    cells: Sums
    eligible: IntArray
    """Columns of the features that rules may speak of, (e,): those that the distances speak of."""

    @cached_property
    def natural(self) -> FloatArray:
        """Means of the cells in natural units, (q, d)."""
        return self.features.natural(self.cells.mean)

    @cached_property
    def sd(self) -> FloatArray:
        """Standard deviations within the cells, in steps, (q, d)."""
        return np.sqrt(self.cells.variance)

    def holds(self, condition: Condition) -> Mask:
        """Which cells meet it with their mean, (q,)."""
        value = self.natural[:, self.features.names.index(condition.feature)]
        return np.asarray(value > condition.value if condition.is_above else value < condition.value)

    def share(self, condition: Condition) -> FloatArray:
        """Which share of each cell's customers meets it, (q,)."""
        column = self.features.names.index(condition.feature)
        at = np.zeros(len(self.features.names))
        at[column] = condition.value
        off, sd = self.cells.mean[:, column] - self.features.steps(at)[column], self.sd[:, column]
        off = off if condition.is_above else -off
        return np.where(sd > 0, ndtr(np.divide(off, sd, out=np.zeros_like(off), where=sd > 0)), off > 0)

    @cached_property
    def order(self) -> IntArray:
        """Cells by rising value of each eligible feature, (q, e)."""
        return np.argsort(self.natural[:, self.eligible], axis=0, kind="stable")

    @cached_property
    def thresholds(self) -> FloatArray:
        """A number that divides the first i + 1 cells of ``order`` from the others, by digits less 1; else nan.

        Shape (digits, q - 1, e).
        """
        values = np.take_along_axis(self.natural[:, self.eligible], self.order, axis=0)
        low, high = values[:-1], values[1:]
        found = np.stack([rounded((low + high) / 2, digits) for digits in range(1, DIGITS_AT_MOST + 1)])
        return np.where((low < found) & (found < high), found, np.nan)

    @cached_property
    def cost(self) -> FloatArray:
        """What each of the ``thresholds`` costs for its digits; infinite where there is none."""
        digits = DIGIT_COST * np.arange(DIGITS_AT_MOST)[:, None, None]
        return np.where(np.isnan(self.thresholds), np.inf, digits)


def rounded(values: FloatArray, digits: int) -> FloatArray:
    """Values at so many significant digits: the very numbers that their decimals are read as.

    >>> rounded(np.array([0.0834, 4.26, 1347.0, -0.5]), 2).tolist()
    [0.083, 4.3, 1300.0, -0.5]
    """
    size = np.abs(values)
    exponent = np.floor(np.log10(size, out=np.zeros_like(size), where=size > 0)).astype(np.int64) - digits + 1
    # A quotient or a product of whole numbers is rounded once, as the decimal is when it is read.
    up, down = 10.0 ** np.maximum(-exponent, 0), 10.0 ** np.maximum(exponent, 0)
    return np.asarray(np.rint(values * up / down) * down / up)


def rule_of(ground: Ground, inside: Mask, before: Rule | None = None) -> Rule:
    """The rule of the segment that the cells ``inside`` (q,) are in.

    ``before`` is the rule that people know: it stays, measured anew, until another is clearly better.
    """
    grown = _grown(ground, inside)
    if before is not None:
        known = _measured(ground, before.conditions, inside)
        if _f1(known) >= _f1(grown) - LEAST_GAIN:
            return known
    return grown


def in_words(rule: Rule, features: tuple[Feature, ...]) -> str:
    """The rule as people read it; "everybody" if it has no conditions."""
    by_name = {f.name: f for f in features}
    return " and ".join(_condition_in_words(c, by_name[c.feature]) for c in rule.conditions) or "everybody"


def _condition_in_words(condition: Condition, feature: Feature) -> str:
    said = f"{feature.name.replace('_', ' ')} {condition.operator} {condition.value:,.10g}"
    per = feature.unit.find("per ") if feature.kind in ("rate", "ratio") else -1
    return f"{said} {feature.unit[per:]}" if per >= 0 else said


def _grown(ground: Ground, inside: Mask) -> Rule:
    rule, held = _measured(ground, (), inside), np.ones_like(inside)
    while condition := _best(ground, held, inside):
        longer = _measured(ground, _with(rule.conditions, condition), inside)
        if len(longer.conditions) > CONDITIONS_AT_MOST or _f1(longer) < _f1(rule) + LEAST_GAIN:
            break
        rule, held = longer, held & ground.holds(condition)
    return rule


def _with(conditions: tuple[Condition, ...], new: Condition) -> tuple[Condition, ...]:
    """The conditions and one more; a looser one of the same kind is said by it already."""
    kept = (c for c in conditions if (c.feature, c.is_above) != (new.feature, new.is_above))
    return (*kept, new)


def _best(ground: Ground, held: Mask, inside: Mask) -> Condition | None:
    """The threshold that makes the best rule together with what is ``held`` (q,) already. Ties: the plainest."""
    n, right = ground.cells.n, held & inside
    below, right_below = (np.cumsum(np.where(cells, n, 0)[ground.order], axis=0)[:-1] for cells in (held, right))
    met = np.stack([below, n[held].sum() - below])
    f1 = 2 * np.stack([right_below, n[right].sum() - right_below]) / (met + n[inside].sum())
    score = f1[:, None] - ground.cost
    if not np.isfinite(score).any():
        return None
    above, digits, place, column = np.unravel_index(int(score.argmax()), score.shape)
    value = float(ground.thresholds[digits, place, column])
    return Condition(ground.features.names[ground.eligible[column]], bool(above), value)


def _measured(ground: Ground, conditions: tuple[Condition, ...], inside: Mask) -> Rule:
    met = ground.cells.n.astype(np.float64)
    for condition in conditions:
        met *= ground.share(condition)
    everybody, wanted = int(ground.cells.n.sum()), int(ground.cells.n[inside].sum())
    ruled, both = fsum(met), fsum(met[inside])
    return Rule(
        conditions,
        right=min(max((everybody - ruled - wanted + 2 * both) / everybody, 0.0), 1.0),
        precision=both / ruled if ruled > 0 else 0.0,
        recall=both / wanted,
    )


def _f1(rule: Rule) -> float:
    total = rule.precision + rule.recall
    return 2 * rule.precision * rule.recall / total if total else 0.0
