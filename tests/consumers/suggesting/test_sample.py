"""A sample is of whole customers, and the same every time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from consumers.suggesting.sample import read_sample
from tests.consumers.suggesting.files import rows, three_columns

START = 1_700_000_000


def test_a_small_file_is_its_own_sample(tmp_path: Path) -> None:
    path = three_columns(tmp_path / "orders.csv")
    sample = read_sample(path, {}, None)
    assert len(sample.events) == sample.orders
    times = [event.occurred_at_ms for event in sample.events]
    assert times == sorted(times)


def test_of_a_large_file_whole_customers_are_kept_heavy_and_light_alike(tmp_path: Path) -> None:
    said = [(f"c{n}", START + i * 3600, 5) for i in range(40) for n in range(200) if i < 2 or n % 2]
    path = rows(tmp_path / "orders.csv", *said)
    sample = read_sample(path, {}, None, most=1000)
    kept = Counter(event.customer_id for event in sample.events)
    assert 900 < len(sample.events) <= 1000
    assert (sample.orders, sample.customers) == (len(said), 200)
    assert set(kept.values()) == {2, 40}
    assert 0.3 < sum(count == 2 for count in kept.values()) / len(kept) < 0.7
    assert read_sample(path, {}, None, most=1000) == sample


def test_there_is_always_somebody(tmp_path: Path) -> None:
    path = rows(tmp_path / "orders.csv", *[("c", START + i, 1) for i in range(50)])
    assert len(read_sample(path, {}, None, most=10).events) == 50


def test_orders_that_would_be_rejected_are_counted_by_why(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "orders.csv",
        ("a", START, 1),
        ("a", "1980-01-01T00:00Z", 1),
        ("b", "1985-01-01T00:00Z", 1),
        ("b", START, 2e9),
    )
    sample = read_sample(path, {}, None)
    assert len(sample.events) == 1
    assert sorted(sample.refused.values()) == [1, 2]
