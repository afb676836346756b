"""The segments side by side: names, sizes, shares, what sets each apart, its rule, and its value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from consumers.showing import styles
from consumers.showing.words import feature_words, minute, number

Profile = Mapping[str, Any]
"""One value of the public ``segments`` hash, as ``contracts.segments.SegmentProfile`` has it."""

_MOST = 3
_NOTABLE = math.log(1.25)
"""Within a quarter of the average nothing stands out."""
BAR_WIDTH = 12
WIDEST = 104
"""Farther from its name no figure is found."""
_FIGURE_WIDTHS = (9, 7)
_INDENT = (0, 0, 0, 3)
_ONE_LINE = 60
"""Characters for what stands out, so that it stays on its line in a terminal of 80 columns."""


def segments_table(profiles: Mapping[str, Profile], customers: Mapping[str, int] | None = None) -> RenderableType:
    """A line with the figures for each segment, by parent group and number, and below it what sets it apart.

    ``customers``: holders by segment id; default what the profiles say.
    """
    counts = {id_: customers.get(id_, 0) if customers else int(p["customers"]) for id_, p in profiles.items()}
    everybody, largest = sum(counts.values()) or 1, max(counts.values(), default=0) or 1
    heading, parts = "", [_grid("", "customers", "share", "")] if profiles else []
    for id_ in sorted(profiles, key=lambda id_: (by_number(_group(profiles[id_])[0]), by_number(id_))):
        group, group_name = _group(profiles[id_])
        if group != heading:
            parts.append(_grid(styles.quiet(f"group {group} {group_name}")))
            heading = group
        share, bar = Text(f"{100 * counts[id_] / everybody:.1f} %"), share_bar(id_, counts[id_], largest)
        parts.append(_grid(_name(id_, profiles[id_]), Text(f"{counts[id_]:,}"), share, bar))
        parts += [Padding(line, _INDENT) for line in _about(profiles[id_])]
    return Constrain(Group(*parts), WIDEST)


def segments_words(profiles: Mapping[str, Profile]) -> Text:
    """The segments in one sentence: of whom, how many, and as of when."""
    customers = sum(int(profile["customers"]) for profile in profiles.values())
    n = sum(not profile["retiring"] for profile in profiles.values())
    version, at = max((int(profile["model_version"]), profile["updated_at"]) for profile in profiles.values())
    said = f"{customers:,} active customers in {n} segment{'s' if n != 1 else ''}"
    return Text.assemble((said, "bold"), styles.quiet(f"  as of model {version}, {minute(at)} UTC"))


def share_bar(id_: str, count: int, largest: int) -> Bar:
    """A bar in the colour of a segment; the largest one is full."""
    return Bar(max(1, largest), 0, count, width=BAR_WIDTH, color=styles.colour(id_))


def _grid(name: RenderableType, *figures: RenderableType) -> RenderableType:
    """A line of its own, with columns at the same places as all others: so what follows has the whole width."""
    if not figures:
        return name
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(ratio=1, overflow="fold")
    for width in _FIGURE_WIDTHS:
        table.add_column(width=width, justify="right")
    table.add_column(width=BAR_WIDTH)
    table.add_row(name, *(styles.quiet(f) if isinstance(f, str) else f for f in figures))
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
