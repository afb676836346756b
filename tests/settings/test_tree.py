"""Every setting has bounds, and what breaks them is named."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from stream.errors import SettingsError
from stream.settings import CustomerSettings, KafkaSettings, load

ORDERS = {"name": "orders", "kind": "count"}
SPEND = {"name": "spend", "kind": "sum", "field": "amount"}
MIX = {"name": "departments", "kind": "mix", "field": "lines.amount", "values": ["A", "B"]}
RATE = {"name": "pace", "kind": "rate", "of": "orders", "range": [0, 9], "unit": "u", "low": "l", "high": "h"}


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"kafka": {"session_timeout_seconds": 0}}, "kafka.session_timeout_seconds"),
        ({"kafka": {"max_poll_records": 0}}, "kafka.max_poll_records"),
        ({"kafka": {"security": "ssl"}}, "kafka.security"),
        ({"kafka": {"request_timeout_seconds": 10, "transaction_timeout_seconds": 10}}, "kafka"),
        ({"topics": {"partitions": 0}}, "topics.partitions"),
        ({"topics": {"replication": "many"}}, "topics.replication"),
        ({"redis": {"timeout_seconds": float("nan")}}, "redis.timeout_seconds"),
        ({"customers": {"half_life_days": float("inf")}}, "customers.half_life_days"),
        ({"customers": {"typical_gap_days": -7}}, "customers.typical_gap_days"),
        ({"customers": {"cold_looks": 0}}, "customers.cold_looks"),
        ({"customers": {"max_event_bytes": 0}}, "customers.max_event_bytes"),
        ({"model": {"kind": "hdbscan"}}, "model.kind"),
        ({"model": {"segments": 1}}, "model.segments"),
        ({"model": {"segments": 17}}, "model.segments"),
        ({"model": {"margin": 1.5}}, "model.margin"),
        ({"model": {"clip_sd": 0}}, "model.clip_sd"),
        ({"worker": {"clock": "wall"}}, "worker.clock"),
        ({"worker": {"timer_share": 2}}, "worker.timer_share"),
        ({"metrics": {"port": 65_535}}, "metrics.port"),
    ],
)
def test_what_is_out_of_bounds_is_named(flags: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{named}: "):
        load(flags=flags)


@pytest.mark.parametrize("name", ["Mars/Olympus", "CET+1", "../etc/passwd", "/etc/localtime", "", "\0"])
def test_an_unknown_time_zone_is_named_with_the_mend(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^customers\.timezone: .* is not a time zone; write one like"):
        load(flags={"customers": {"timezone": name}})


@pytest.mark.parametrize(
    ("accumulators", "features", "message"),
    [
        ([ORDERS, ORDERS], [], "two accumulators have the same name"),
        ([ORDERS], [RATE, RATE], "two features have the same name"),
        ([SPEND], [RATE], "feature 'pace' names an accumulator 'orders' that is not declared"),
        (
            [ORDERS],
            [RATE | {"kind": "ratio", "per": "visits"}],
            "feature 'pace' names an accumulator 'visits'",
        ),
        ([ORDERS], [RATE | {"kind": "entropy"}], "feature 'pace': entropy is of a mix, 'orders' is a count"),
        ([ORDERS], [RATE | {"values": ["A"]}], "feature 'pace': values that 'orders' does not declare"),
        (
            [ORDERS, MIX],
            [RATE | {"of": "departments", "values": ["C"]}],
            "feature 'pace': values that 'departments'",
        ),
    ],
)
def test_declarations_that_disagree_are_named(accumulators: list[Any], features: list[Any], message: str) -> None:
    with pytest.raises(SettingsError, match=f"^customers: {message}"):
        load(flags={"profile": "none", "customers": {"accumulators": accumulators, "features": features}})


def test_times_derive_from_the_typical_gap_unless_said() -> None:
    day_ms = 86_400_000
    derived = CustomerSettings(typical_gap_days=2)
    assert (derived.half_life_ms, derived.dormancy_floor_ms) == (8 * day_ms, 8 * day_ms)
    said = CustomerSettings(typical_gap_days=2, half_life_days=0.5, dormancy_floor_days=3)
    assert (said.half_life_ms, said.dormancy_floor_ms) == (day_ms // 2, 3 * day_ms)


def test_the_defaults_keep_the_order_that_the_timeouts_need() -> None:
    tree = load()
    assert 3 * tree.redis.timeout_seconds < tree.kafka.session_timeout_seconds
    assert tree.kafka.request_timeout_seconds < tree.kafka.session_timeout_seconds
    assert tree.kafka.transaction_timeout_seconds < tree.worker.watchdog_seconds


def test_settings_do_not_change_under_anybody() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        KafkaSettings().group = "other"  # type: ignore[misc]
