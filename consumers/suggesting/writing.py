"""A suggestion as the text of a settings file, with the reason beside each number. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from consumers.printable import safe
from consumers.suggesting.declaring import Suggestion
from consumers.suggesting.measuring import rounded
from stream.contracts.timestamps import rfc3339
from stream.settings import Accumulator, CustomerSettings, Feature, ModelSettings

_GAPS_TO_FORGET = 16.0
"""Four times the dormancy floor."""
_FEW_CUSTOMERS = 2 * ModelSettings().warmup_customers
_LEAST_WARMUP = 10
_LEAST_CELLS = 40
_OPTIONAL = {"items": "items", "discount": "discounts", "private_label": "private-label lines"}
_SHOWN_REFUSALS = 3
_GROUPS = {
    "value": [
        "# Value: how often and how much. Weight 1. Priors are what a median customer does; the top of a range is four",
        "# times what 99.5 % of the customers stay below.",
    ],
    "behaviour": ["# Style: shares of the money or of the orders. Weight .5, for there are more of them."],
}


def written(suggestion: Suggestion) -> str:
    """The file. It loads, and the service runs with it.

    The names of file and categories are other people's text: they are quoted wherever they stand.
    """
    parts = [_head(suggestion), _customers(suggestion), _model(suggestion)]
    parts += [_accumulator(accumulator) for accumulator in suggestion.accumulators]
    for group, said in _GROUPS.items():
        parts.append(said)
        parts += [_feature(suggestion, feature) for feature in suggestion.features if feature.group == group]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def period(days: float) -> str:
    """Days, or hours if that is easier to picture.

    >>> period(7.0), period(0.26)
    ('7 days', '6.2 hours')
    """
    return f"{days:.3g} days" if days >= 1 else f"{days * 24:.2g} hours"


def _head(suggestion: Suggestion) -> list[str]:
    sample = suggestion.sample
    first, last = (rfc3339(sample.events[i].occurred_at_ms)[:10] for i in (0, -1))
    of = "" if len(sample.events) == sample.orders else f"; measured on {len(sample.events):,} of them"
    lines = [
        f"# Suggested from '{safe(sample.name)}': {sample.orders:,} orders of {sample.customers:,} customers{of},",
        f"# {first} to {last}. A start, not an answer. Units, low and high are words for people and may be changed",
        "# at any time; what changes a number's meaning makes existing states useless, so settle it before going live.",
    ]
    refused = sorted(sample.refused.items(), key=lambda reason: (-reason[1], reason[0]))
    lines += [f"# {count:,} orders would be rejected: {safe(why)}" for why, count in refused[:_SHOWN_REFUSALS]]
    missing = ", ".join(_left_out(suggestion))
    lines += [f"# Not declared, for the file has none: {missing}."] if missing else []
    return [*lines, "", _pair("profile", "none") + "  # nothing stands under this file"]


def _left_out(suggestion: Suggestion) -> Iterator[str]:
    names = {accumulator.name for accumulator in suggestion.accumulators}
    yield from (said for name, said in _OPTIONAL.items() if name not in names)
    if suggestion.categories < 2:
        yield "second category" if suggestion.categories else "categories"
    if not suggestion.has_hours:
        yield "times of day"


def _customers(suggestion: Suggestion) -> list[str]:
    gap = suggestion.pace.typical_gap_days
    measured = "a guess: nobody came twice" if suggestion.is_gap_guessed else "the median of customers' own median gaps"
    lines = [
        "[customers]",
        f"{_pair('typical_gap_days', gap)}  # {period(gap)}: {measured}. From it follow",
        f"#   half_life_days = {rounded(4 * gap):g}       4 gaps: after so long an order counts half",
        f"#   dormancy_floor_days = {rounded(4 * gap):g}  4 gaps: nobody is called dormant before",
    ]
    if _GAPS_TO_FORGET * gap > CustomerSettings().forget_after_days:
        lines.append(f"{_pair('forget_after_days', rounded(_GAPS_TO_FORGET * gap))}  # 16 gaps: they come back late")
    zone = suggestion.sample.timezone
    if zone is not None:
        return [*lines, f"{_pair('timezone', zone)}  # as was said: weekends and evenings are local"]
    return [*lines, '# timezone = "Europe/Berlin"  # yours: weekends and evenings are local, and UTC unless you say']


def _model(suggestion: Suggestion) -> list[str]:
    few = suggestion.sample.customers
    lines = ["[model]", "segments = 5", "margin = 0.25  # calm on continuous data; 0.15 where groups are far apart"]
    if few < _FEW_CUSTOMERS:
        warmup = max(few // 2, _LEAST_WARMUP)
        if warmup < ModelSettings().cells:
            lines.append(f"cells = {max(warmup, _LEAST_CELLS)}  # no more than the first customers, but 8 a segment")
        lines.append(f"warmup_customers = {warmup}  # of the {few:,} that there are; with more, leave this out")
    else:
        lines.append("cells = 400  # as retail.toml: on continuous data fewer make segments that hang on model.seed")
    if few < 2 * _LEAST_WARMUP:
        lines.append("# So few customers make no segments that mean anything.")
    return lines


def _accumulator(accumulator: Accumulator) -> list[str]:
    return ["[[customers.accumulators]]", *_said(accumulator)]


def _feature(suggestion: Suggestion, feature: Feature) -> list[str]:
    lines = ["[[customers.features]]"]
    for line in _said(feature):
        lines.append(f"{line}  # {_unit_of_prior_weight(feature)}" if line.startswith("prior_weight ") else line)
    if feature.name in suggestion.near_constant:
        lines.insert(0, "# Near-constant in the sample: as long as it hardly varies, the model gives it weight 0.")
    return lines


def _unit_of_prior_weight(feature: Feature) -> str:
    if feature.kind == "entropy":
        return "of spend: a tenth of a typical order, added to every category"
    return "days: one typical gap" if feature.kind == "rate" else "of spend: one typical order"


def _said(declaration: Accumulator | Feature) -> list[str]:
    """Its keys in order of declaration, without those that are as by default."""
    return [_pair(key, value) for key, value in declaration.model_dump(exclude_defaults=True).items()]


def _pair(key: str, value: Any) -> str:
    return f"{key} = {_toml(value)}"


def _toml(value: Any) -> str:
    match value:
        case str():
            return _quoted(value)
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)


def _quoted(text: str) -> str:
    """A basic string of TOML: as JSON has it, but for one character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
