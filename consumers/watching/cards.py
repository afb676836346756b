"""Segment cards: what a segment is called, what sets it apart in natural units, its rule, its value, its group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consumers.showing.segments import by_number, farthest, value_words
from consumers.showing.words import amount, quantity, unit_words

Profile = Mapping[str, Any]


def cards(profiles: Mapping[str, Profile], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """A card a segment, by number. ``counts``: who is in it now, where that is known."""
    everybody = sum(counts.get(id_, 0) for id_ in profiles) or 1
    return [
        card(profiles[id_], counts.get(id_, 0), counts.get(id_, 0) / everybody)
        for id_ in sorted(profiles, key=by_number)
    ]


def card(profile: Profile, customers: int, share: float) -> dict[str, Any]:
    """One of them, in words ready to be shown."""
    rule, group = profile.get("rule"), profile.get("group")
    return {
        "id": profile["id"],
        "name": profile["name"],
        "customers": customers,
        "share": round(share, 4),
        "retiring": profile["retiring"],
        "group": f"{group['id']} {group['name']}" if group else "",
        "apart": [apart(name, profile["profile"][name]) for name in farthest(profile)],
        "rule": f"{rule['text']} ({100 * rule['right']:.0f} % right)" if rule else "",
        "value": value_words(profile.get("value") or {}),
    }


def apart(name: str, feature: Profile) -> str:
    """One feature beside the average.

    >>> apart("orders", {"value": 8.4, "unit": "orders per 30 days", "population": 2.0, "times": 4.2})
    'orders 8.4 per 30 days: 4.2x the average of 2.0'
    >>> apart("fresh_share", {"value": 0.1, "unit": "share of spend", "population": 0.25, "times": 0.4})
    'fresh share 10 % of spend: 0.4x the average of 25 %'
    """
    said = quantity(name, feature["unit"], feature["value"])
    return f"{said}: {feature['times']:.1f}x the average of {amount(feature['population'], feature['unit'])}"


def features(profile: Profile) -> list[list[str]]:
    """Every feature of a segment: name, value, average, unit."""
    return [
        [
            name.replace("_", " "),
            amount(feature["value"], feature["unit"]),
            amount(feature["population"], feature["unit"]),
            unit_words(feature["unit"]),
        ]
        for name, feature in profile["profile"].items()
    ]
