"""Plain words: numbers, times and quantities as people can read them in a terminal."""

from __future__ import annotations

from consumers.printable import safe
from stream.contracts.changes import Cause
from stream.contracts.timestamps import rfc3339

_OLDEST_MS, _NEWEST_MS = -62_135_596_800_000, 253_402_300_799_999
"""0001-01-01 to 9999-12-31, what a calendar can say."""


_CAUSES = {
    Cause.FIRST: "for the first time",
    Cause.BEHAVIOUR: "by what they did",
    Cause.TIME: "as time went by",
    Cause.MODEL: "the segments moved",
    Cause.SETTINGS: "other settings",
    Cause.OVERRIDE: "a person said so",
    Cause.MERGE: "two customers were one",
    Cause.ERASE: "erased",
    Cause.EXPIRED: "silent for too long",
}


def number(value: float) -> str:
    """About three digits, thousands separated.

    >>> [number(value) for value in (0, 0.004, 0.314, 5.26, 52.6, 131.4, 12345.6, -2)]
    ['0', '0.004', '0.31', '5.3', '52.6', '131', '12,346', '-2.0']
    """
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 1:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.01 else f"{value:.1g}"


def amount(value: float | None, unit: str) -> str:
    """A value without its unit; shares in percent.

    >>> amount(0.314, "share of orders"), amount(5.26, "orders per 30 days"), amount(None, "days")
    ('31 %', '5.3', '-')
    """
    if value is None:
        return "-"
    return f"{100 * value:.0f} %" if _is_share(unit) else number(value)


def unit_words(unit: str) -> str:
    """The unit beside an ``amount``.

    >>> unit_words("share of orders"), unit_words("orders per 30 days")
    ('of orders', 'orders per 30 days')
    """
    return safe(unit.removeprefix("share ") if _is_share(unit) else unit)


def feature_words(feature: str) -> str:
    """The name of a feature.

    >>> feature_words("basket_value")
    'basket value'
    """
    return safe(feature.replace("_", " "))


def quantity(feature: str, unit: str, *values: float | None) -> str:
    """A feature and how it moved, with the unit said once.

    >>> quantity("orders", "orders per 30 days", 2.1, 5.3)
    'orders 2.1 -> 5.3 per 30 days'
    >>> quantity("evening_share", "share of orders", 0.35, 0.61)
    'evening share 35 % -> 61 % of orders'
    >>> quantity("department_entropy", "0 one department, 1 all alike", 0.81)
    'department entropy 0.81 (0 one department, 1 all alike)'
    """
    moved = " -> ".join(amount(value, unit) for value in values)
    said = unit_words(unit).removeprefix(f"{feature_words(feature)} ")
    return f"{feature_words(feature)} {moved} {f'({said})' if ',' in said else said}"


def minute(time: str | int | None) -> str:
    """A time to the minute, in UTC, of RFC 3339 as published or of epoch ms; empty for one that never was.

    >>> minute("2017-06-03T18:12:59.999Z"), minute(1_496_513_579_999), minute(-(2**63))
    ('2017-06-03 18:12', '2017-06-03 18:12', '')
    """
    if time is None or (isinstance(time, int) and not _OLDEST_MS <= time <= _NEWEST_MS):
        return ""
    text = rfc3339(time) if isinstance(time, int) else time
    return text[:16].replace("T", " ")


def duration(seconds: float) -> str:
    """A duration in its largest sensible unit.

    >>> [duration(s) for s in (0.4, 90, 7_300, 260_000)]
    ['0 s', '90 s', '2.0 h', '3.0 d']
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"


def cause_words(cause: Cause) -> str:
    """Why somebody changed, for who has not read the contract.

    >>> cause_words(Cause.TIME), cause_words(Cause.OVERRIDE)
    ('as time went by', 'a person said so')
    """
    return _CAUSES[cause]


def _is_share(unit: str) -> bool:
    return unit.startswith("share of ")
