"""The segments side by side: names, sizes, shares, what sets each apart, its rule, and its value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from consumers.showing import styles
from consumers.showing.words import feature_words, number

Profile = Mapping[str, Any]
"""One value of the public ``segments`` hash, as ``contracts.segments.SegmentProfile`` has it."""

_MOST = 3
_NOTABLE = math.log(1.25)
"""Within a quarter of the average nothing stands out."""
_BAR_WIDTH = 16
_ONE_LINE = 50
"""Characters for what stands out, so that it stays on its line in a terminal of 100 columns."""


def segments_table(profiles: Mapping[str, Profile], customers: Mapping[str, int] | None = None) -> Table:
    """Some lines a segment, by parent group and number.

    ``customers``: holders by segment id; default what the profiles say.
    """
    counts = {id_: customers.get(id_, 0) if customers else int(p["customers"]) for id_, p in profiles.items()}
    everybody = sum(counts.values()) or 1
    largest = max(counts.values(), default=0) or 1
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    table.add_column("segment", ratio=1, overflow="fold")
    table.add_column("customers", justify="right")
    table.add_column("share", justify="right")
    table.add_column("", width=_BAR_WIDTH)
    heading = ""
    for id_ in sorted(profiles, key=lambda id_: (by_number(_group(profiles[id_])[0]), by_number(id_))):
        group, group_name = _group(profiles[id_])
        if group != heading:
            table.add_row(styles.quiet(f"{group} {group_name}"))
            heading = group
        count = counts[id_]
        said = Text("\n").join((_name(id_, profiles[id_]), *_about(profiles[id_])))
        share = Text(f"{100 * count / everybody:.1f} %")
        table.add_row(said, Text(f"{count:,}"), share, Bar(largest, 0, count, width=_BAR_WIDTH, color="cyan"))
    return table


def by_number(id_: str) -> tuple[int, str]:
    """Sorts ``s2`` before ``s10``, and groups alike.

    >>> sorted(["s10", "s2", ""], key=by_number)
    ['', 's2', 's10']
    """
    digits = id_[1:]
    return int(digits) if digits.isdecimal() else -1, id_


def standing_out(profile: Profile) -> Text:
    """The features farthest from the average, as multiples of it.

    >>> means = {"orders": {"times": 4.2}, "spend": {"times": 1.1}, "fresh_share": {"times": 0.4}}
    >>> standing_out({"profile": means}).plain
    'orders 4.2x, fresh share 0.4x the average'
    """
    times = {name: f["times"] for name, f in profile["profile"].items()}
    named = farthest(profile)
    words = [f"{feature_words(n)} {times[n]:.1f}x" for n in named]
    said = next((text for k in range(_MOST, 0, -1) if len(text := ", ".join(words[:k])) <= _ONE_LINE), "")
    return styles.quiet(f"{said} the average" if said else "close to the average")


def farthest(profile: Profile) -> list[str]:
    """The features that set a segment apart, the farthest from the average first."""
    times = {name: f["times"] for name, f in profile["profile"].items() if f["times"]}
    distance = {name: abs(math.log(factor)) for name, factor in times.items() if factor > 0}
    return sorted((n for n in distance if distance[n] > _NOTABLE), key=lambda n: -distance[n])[:_MOST]


def _group(profile: Profile) -> tuple[str, str]:
    group = profile.get("group")
    return (str(group["id"]), str(group["name"])) if group else ("", "")


def _about(profile: Profile) -> Iterator[Text]:
    yield standing_out(profile)
    if rule := profile.get("rule"):
        yield styles.quiet(f"{rule['text']}: {100 * rule['right']:.0f} % right")
    if said := value_words(profile.get("value") or {}):
        yield styles.quiet(said)


def value_words(value: Profile) -> str:
    """What is known of a segment's value.

    >>> value_words({"retention": 0.968, "conversion": None, "order_value": 34.04, "clv": 1472.8})
    'keeps 96.8 % a month, 34.0 an order, lifetime value 1,473'
    >>> value_words({"conversion": 0.08})
    '8 % of views order'
    """
    words: dict[str, Callable[[float], str]] = {
        "retention": lambda share: f"keeps {100 * share:.1f} % a month",
        "conversion": lambda share: f"{100 * share:.0f} % of views order",
        "order_value": lambda money: f"{number(money)} an order",
        "clv": lambda money: f"lifetime value {number(money)}",
    }
    return ", ".join(say(value[name]) for name, say in words.items() if value.get(name) is not None)


def _name(id_: str, profile: Profile) -> Text:
    name = styles.segment(id_, str(profile["name"]))
    return name.append("  retiring", "yellow") if profile["retiring"] else name
