"""The time that a report is about: a day, or the last hours, of event time in UTC."""

from __future__ import annotations

from dataclasses import dataclass

from consumers.showing.words import minute
from stream.contracts.timestamps import ms_of, rfc3339
from stream.customer.features import DAY_MS
from stream.errors import SettingsError

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Period:
    """From ``begin_ms`` up to, and without, ``end_ms``."""

    begin_ms: int
    end_ms: int
    title: str

    def to_json(self) -> dict[str, str]:
        """Plain data."""
        return {"begins": rfc3339(self.begin_ms), "ends": rfc3339(self.end_ms), "title": self.title}


def period(day: str | None, hours: int | None, newest_ms: int) -> Period:
    """What was asked for; if nothing, the day of the newest event. Raises ``SettingsError``.

    >>> period(None, None, 1_496_513_579_999).title
    '2017-06-03'
    >>> period(None, 6, 1_496_513_579_999).title
    '6 hours up to 2017-06-03 18:12'
    """
    if day is not None and hours is not None:
        raise SettingsError("say --day or --hours, not both")
    if hours is not None:
        end_ms = newest_ms + 1  # the newest event is in it
        return Period(end_ms - hours * HOUR_MS, end_ms, f"{hours:,} hours up to {minute(newest_ms)}")
    begin_ms = newest_ms // DAY_MS * DAY_MS if day is None else _begin(day)
    return Period(begin_ms, begin_ms + DAY_MS, rfc3339(begin_ms)[:10])


def _begin(day: str) -> int:
    try:
        return ms_of(f"{day}T00:00:00Z")
    except ValueError as error:
        raise SettingsError(f"--day {day}: write a day as YYYY-MM-DD") from error
