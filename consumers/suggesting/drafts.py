"""The accumulators and features that make sense of orders, as far as a file has what they need. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from consumers.suggesting.measuring import rounded
from stream.contracts.events import Event
from stream.settings import Accumulator, Feature

_MONTH_GAP_DAYS, _DAY_GAP_DAYS = 60.0, 0.5
"""Who comes every other month at best is counted by the year, who comes twice a day by the day, else by 30 days."""
_LONGEST_WORD = 30
_LONGEST_NAME = 25
"""Of 40 that a name may have."""
_SHARE = (0.0, 1.0)


@dataclass(frozen=True)
class Pace:
    """How long a typical customer waits, and what a typical order comes to."""

    typical_gap_days: float
    basket: float

    @property
    def per_days(self) -> float:
        """Days that people count orders by, at this pace."""
        gap = self.typical_gap_days
        return 1.0 if gap <= _DAY_GAP_DAYS else 30.0 if gap <= _MONTH_GAP_DAYS else 365.0

    @property
    def period(self) -> str:
        """``per_days`` in words."""
        return {1.0: "day", 30.0: "30 days", 365.0: "year"}[self.per_days]


def accumulators_for(events: Sequence[Event], mix: Sequence[str], *, has_hours: bool) -> tuple[Accumulator, ...]:
    """What can be added up: of amounts always, of the rest what is there at all."""
    is_there = {
        "items": any(event.items for event in events),
        "discount": any(event.discount for event in events),
        "private_label": any(line[2] for event in events for line in event.lines),
        "evening": has_hours,
        "categories": bool(mix),
    }
    declared = [
        Accumulator(name="orders", kind="count"),
        Accumulator(name="spend", kind="sum", field="amount"),
        Accumulator(name="items", kind="sum", field="items"),
        Accumulator(name="discount", kind="sum", field="discount"),
        Accumulator(name="private_label", kind="sum", field="lines.amount", when="private_label"),
        Accumulator(name="weekend", kind="count", when="weekend"),
        Accumulator(name="evening", kind="count", when="evening"),
    ]
    if mix:
        declared.append(Accumulator(name="categories", kind="mix", field="lines.amount", values=tuple(mix)))
    return tuple(accumulator for accumulator in declared if is_there.get(accumulator.name, True))


def drafts_for(accumulators: Sequence[Accumulator], pace: Pace) -> list[Feature]:
    """The features of what is added up, value before behaviour, but for their priors and ranges."""
    names = {accumulator.name for accumulator in accumulators}
    return [draft for draft in _drafts(pace) if {draft.of, draft.per or draft.of} <= names]


def category_drafts(mix: Sequence[str], pace: Pace) -> list[Feature]:
    """The share of each category."""
    taken = {draft.name for draft in _drafts(pace)}
    drafts = []
    for number, category in enumerate(mix, start=1):
        name = f"{_identifier(category) or f'category_{number}'}_share"
        while name in taken:
            name += "_"
        taken.add(name)
        word = _word(category) or f"category {number}"
        said = {"unit": "share of spend", "low": f"little {word}", "high": f"much {word}"}
        drafts.append(_share(name, "categories", "categories", _basket(pace), values=(category,), **said))
    return drafts


def _drafts(pace: Pace) -> list[Feature]:
    return [*_value(pace), *_shares(pace), _entropy(pace)]


def _value(pace: Pace) -> list[Feature]:
    """How often and how much: logarithms, at full weight."""
    per, orders = pace.period, pace.per_days / pace.typical_gap_days
    value: dict[str, Any] = {"transform": "log1p", "range": _SHARE, "group": "value"}
    rate = {"kind": "rate", "per_days": pace.per_days, "prior_weight": pace.typical_gap_days, **value}
    ratio = {"kind": "ratio", "per": "orders", **value}
    often = {"prior": orders, "unit": f"orders per {per}", "low": "rare", "high": "frequent"}
    much = {"prior": orders * pace.basket, "unit": f"money per {per}", "low": "low spend", "high": "high spend"}
    worth = {"unit": "money per order", "low": "small baskets", "high": "large baskets"}
    many = {"unit": "items per order", "low": "few items", "high": "many items"}
    return [
        Feature(name="orders", of="orders", **rate, **often),
        Feature(name="spend", of="spend", **rate, **much),
        Feature(name="basket_value", of="spend", **ratio, **worth),
        Feature(name="basket_items", of="items", **ratio, **many),
    ]


def _shares(pace: Pace) -> list[Feature]:
    money = _basket(pace)
    discount = {"unit": "discount per money spent", "low": "few discounts", "high": "many discounts"}
    private = {"unit": "share of spend", "low": "brands", "high": "private label"}
    weekend = {"unit": "share of orders", "low": "on weekdays", "high": "at weekends"}
    evening = {"unit": "share of orders", "low": "by day", "high": "in the evening"}
    return [
        _share("discount_share", "discount", "spend", money, **discount),
        _share("private_label_share", "private_label", "spend", money, **private),
        _share("weekend_share", "weekend", "orders", 1.0, **weekend),
        _share("evening_share", "evening", "orders", 1.0, **evening),
    ]


def _share(name: str, of: str, per: str, prior_weight: float, **said: Any) -> Feature:
    return Feature(name=name, kind="share", of=of, per=per, prior_weight=prior_weight, range=_SHARE, weight=0.5, **said)


def _entropy(pace: Pace) -> Feature:
    return Feature(
        name="category_entropy",
        kind="entropy",
        of="categories",
        prior_weight=rounded(_basket(pace) / 10),
        range=_SHARE,
        weight=0.5,
        unit="0 one category, 1 all alike",
        low="one category",
        high="all categories",
    )


def _basket(pace: Pace) -> float:
    """Prior weight of shares of money: one typical order. All amounts may be 0."""
    return rounded(pace.basket) or 1.0


def _word(category: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in category)
    return " ".join(printable.lower().split())[:_LONGEST_WORD].rstrip()


def _identifier(category: str) -> str:
    """A name of the settings' kind, or nothing.

    >>> _identifier("Obst & Gemüse"), _identifier("3D"), _identifier("寿司")
    ('obst_gemuse', '', '')
    """
    ascii_only = unicodedata.normalize("NFKD", category).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")[:_LONGEST_NAME].rstrip("_")
    return name if re.match("[a-z]", name) else ""
