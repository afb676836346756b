from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.contracts.timestamps import RFC_3339, RFC_3339_UTC, ms_of, rfc3339

YEAR_1, YEAR_9999 = -62_135_596_800_000, 253_402_300_799_999


@given(st.integers(YEAR_1, YEAR_9999))
def test_a_published_time_is_read_back_exactly(ms: int) -> None:
    text = rfc3339(ms)
    assert ms_of(text) == ms
    assert re.search(RFC_3339_UTC, text)
    assert re.search(RFC_3339, text)


@given(st.datetimes(timezones=st.timezones()))
def test_every_form_of_an_instant_is_the_same_instant(moment: datetime) -> None:
    text = moment.isoformat()
    if re.search(RFC_3339, text):  # zones of old had offsets of seconds, which RFC 3339 cannot say
        utc = moment.astimezone(UTC) if 1 < moment.year < 9999 else moment
        assert ms_of(text) == ms_of(utc.isoformat())


@pytest.mark.parametrize("text", ["2023-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2023-13-01T00:00:00Z"])
def test_no_such_day(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|month|year"):
        ms_of(text)
