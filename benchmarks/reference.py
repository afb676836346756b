"""The accumulators and features again: slow, one event after the other, in plain Python floats; to compare with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from stream.contracts.events import Event
from stream.settings import Accumulator, CustomerSettings, Feature

DAY_MS = 86_400_000


def sums(
    settings: CustomerSettings,
    events: Sequence[Event],
    at_ms: int,
    measure: Callable[[float], float] = lambda value: value,
) -> dict[tuple[str, str], float]:
    """Decayed sums of one customer at a time, by (accumulator, category); category "" is the whole.

    ``measure=abs`` adds up sizes instead: what rounding errors are relative to.
    """
    found = {}
    for accumulator in settings.accumulators:
        for category in ("", *accumulator.values, *(["other"] if accumulator.values else [])):
            terms = [
                measure(value) * 2.0 ** ((event.occurred_at_ms - at_ms) / settings.half_life_ms)
                for event in events
                for value in _values(settings, accumulator, category, event)
            ]
            found[accumulator.name, category] = math.fsum(terms)
    return found


def activity(settings: CustomerSettings, events: Sequence[Event], at_ms: int) -> float:
    """Decayed number of orders and views."""
    return math.fsum(2.0 ** ((e.occurred_at_ms - at_ms) / settings.half_life_ms) for e in events if e.type != "profile")


def exposure_days(settings: CustomerSettings, events: Sequence[Event], at_ms: int) -> float:
    """Decayed days since the first order or view: the integral of the decay."""
    active = [e.occurred_at_ms for e in events if e.type != "profile"]
    if not active:
        return 0.0
    half_life_days = settings.half_life_ms / DAY_MS
    age_days = (at_ms - min(active)) / DAY_MS
    return half_life_days / math.log(2) * (1.0 - 2.0 ** (-age_days / half_life_days))


def natural(settings: CustomerSettings, events: Sequence[Event], at_ms: int) -> dict[str, float]:
    """Features in natural units within their ranges, by the formulas in ``declarations.Feature``."""
    decayed = sums(settings, events, at_ms)
    exposure = exposure_days(settings, events, at_ms)
    found = {}
    for feature in settings.features:
        value = _feature(settings, feature, decayed, exposure)
        found[feature.name] = min(max(value, feature.range[0]), feature.range[1])
    return found


def _feature(
    settings: CustomerSettings, feature: Feature, decayed: dict[tuple[str, str], float], exposure: float
) -> float:
    above = sum(decayed[feature.of, category] for category in feature.values or ("",))
    weight, prior = feature.prior_weight, feature.prior
    if feature.kind == "rate":
        below = exposure + weight
        return (above + weight * prior / feature.per_days) / below * feature.per_days if below > 0 else 0.0
    if feature.kind == "entropy":
        mix = next(a for a in settings.accumulators if a.name == feature.of)
        parts = [max(decayed[feature.of, category], 0.0) + weight for category in (*mix.values, "other")]
        shares = [part / sum(parts) for part in parts] if sum(parts) > 0 else []
        return -sum(share * math.log(share) for share in shares if share > 0) / math.log(len(parts))
    below = decayed[feature.per or "", ""] + weight
    return (above + weight * prior) / below if below > 0 else 0.0


def _values(settings: CustomerSettings, accumulator: Accumulator, category: str, event: Event) -> list[float]:
    """What an event adds to one category of an accumulator, term by term."""
    if event.type != accumulator.of or not _when(settings, accumulator, event):
        return []
    if accumulator.field == "lines.amount":
        return [
            amount
            for name, amount, own in event.lines
            if (own or accumulator.when != "private_label") and _falls_into(name, category, accumulator)
        ]
    return [1.0 if accumulator.field is None else float(getattr(event, accumulator.field))]


def _falls_into(name: str, category: str, accumulator: Accumulator) -> bool:
    return category in ("", name if name in accumulator.values else "other")


def _when(settings: CustomerSettings, accumulator: Accumulator, event: Event) -> bool:
    moment = datetime.fromtimestamp(event.occurred_at_ms // 1000, UTC).astimezone(ZoneInfo(settings.timezone))
    match accumulator.when:
        case "weekend":
            return moment.weekday() >= 5
        case "evening":
            return moment.hour >= 17
        case _:
            return True
