from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.orders import encode_order, encode_profile, encode_view, epoch_ms, local_rfc3339, zone_of
from stream.errors import SettingsError
from tests.producers.reading import decoded

LATEST_MS = 4_102_444_800_000
ZONES = ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham"]


@given(at_ms=st.integers(631_152_000_000, LATEST_MS), zone=st.sampled_from(ZONES))
def test_a_local_time_is_its_instant(at_ms: int, zone: str) -> None:
    assert epoch_ms(datetime.fromisoformat(local_rfc3339(at_ms, ZoneInfo(zone)))) == at_ms


def test_milliseconds_are_written_only_when_there_are_some() -> None:
    assert local_rfc3339(1000, UTC) == "1970-01-01T00:00:01+00:00"
    assert local_rfc3339(1001, UTC) == "1970-01-01T00:00:01.001+00:00"


def test_a_fraction_is_rounded_down() -> None:
    assert epoch_ms(datetime(2024, 1, 1, 0, 0, 0, 1999, tzinfo=timezone(timedelta(hours=1)))) % 1000 == 1


@given(
    event_id=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40),
    customer_id=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40),
    amount=st.floats(-1e6, 1e6),
    lines=st.lists(st.tuples(st.text(max_size=20), st.floats(-1e6, 1e6), st.booleans()), max_size=5),
)
def test_an_order_reads_back_as_it_was(
    event_id: str, customer_id: str, amount: float, lines: list[tuple[str, float, bool]]
) -> None:
    sent = encode_order(event_id, customer_id, 1_700_000_000_123, UTC, amount, items=2, discount=0.5, lines=lines)
    (event,) = decoded([sent])
    assert (event.event_id, event.customer_id, event.amount) == (event_id, customer_id, amount)
    assert (event.items, event.discount, event.lines) == (2, 0.5, tuple(lines))


def test_what_is_not_known_is_not_said() -> None:
    payload = json.loads(encode_order("e", "c", 1_700_000_000_000, UTC, 1.0).payload)
    assert sorted(payload) == ["amount", "customer_id", "event_id", "occurred_at", "type"]


def test_views_and_profiles_are_accepted() -> None:
    at_ms = 1_700_000_000_000
    view, profile = decoded(
        [encode_view("e1", "c", at_ms, UTC), encode_profile("e2", "c", at_ms, UTC, {"age": "45-54"})]
    )
    assert (view.type, profile.type, profile.attributes) == ("view", "profile", {"age": "45-54"})


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_a_settings_error(name: str) -> None:
    with pytest.raises(SettingsError, match="is not a time zone"):
        zone_of(name)
