from __future__ import annotations

import pytest

from consumers.reporting.period import HOUR_MS, period
from stream.customer.features import DAY_MS
from stream.errors import SettingsError

NEWEST = 1_496_513_579_999


def test_a_day_is_a_day_of_utc_and_by_default_the_newest() -> None:
    day = period("2017-06-03", None, 0)
    assert (day.begin_ms % DAY_MS, day.end_ms - day.begin_ms, day.title) == (0, DAY_MS, "2017-06-03")
    assert period(None, None, NEWEST) == day


def test_the_last_hours_end_with_the_newest_event() -> None:
    hours = period(None, 6, NEWEST)
    assert hours.begin_ms <= NEWEST < hours.end_ms
    assert hours.end_ms - hours.begin_ms == 6 * HOUR_MS


@pytest.mark.parametrize("day", ["2017-13-01", "2017-02-29", "yesterday", "", "2017-6-3", "2017-06-03T10:00"])
def test_what_is_no_day_is_refused_with_what_to_write(day: str) -> None:
    with pytest.raises(SettingsError, match="write a day as YYYY-MM-DD"):
        period(day, None, NEWEST)


def test_a_day_and_hours_contradict_each_other() -> None:
    with pytest.raises(SettingsError, match="not both"):
        period("2017-06-03", 6, NEWEST)
