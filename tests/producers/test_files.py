from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.files import parse_columns, read_orders
from producers.orders import UNKNOWN_CATEGORY
from stream.contracts.events import Event
from stream.errors import SettingsError
from tests.producers.reading import decoded

LINES = """\
household,basket,sold at,department,own brand,pieces,paid,saved
h1,b1,2024-03-01 09:00:00,FRESH,no,2,3.10,0.40
h1,b1,2024-03-01 09:00:00,FRESH,no,1,2.20,0
h2,b2,2024-03-01 09:00:00,DRINKS,yes,1,5.00,
h1,b1,2024-03-01 09:00:00,FRESH,yes,1,1.00,0.10
h2,b3,2024-03-02 18:30:00,,no,4,8.80,0
"""
MAPPING = parse_columns(
    "customer=household,order=basket,time=sold at,category=department,private_label=own brand,"
    "items=pieces,amount=paid,discount=saved"
)


def lines_file(tmp_path: Path, content: str = LINES, name: str = "sales.csv") -> Path:
    path = tmp_path / name
    path.write_text(content)
    return path


def summary(events: list[Event]) -> list[tuple[str, str, float, float, float]]:
    return [(e.event_id, e.customer_id, e.amount, e.items, e.discount) for e in events]


def test_rows_of_one_order_are_lines_of_one_basket(tmp_path: Path) -> None:
    orders = read_orders(lines_file(tmp_path), MAPPING, "Europe/Berlin")
    first, second, third = decoded(orders)
    assert (len(orders), orders.is_in_time_order) == (3, True)
    assert summary([first, second, third]) == [
        ("b1", "h1", 6.3, 4.0, 0.5),
        ("b2", "h2", 5.0, 1.0, 0.0),
        ("b3", "h2", 8.8, 4.0, 0.0),
    ]
    assert first.lines == (("FRESH", 5.3, False), ("FRESH", 1.0, True))
    assert third.lines == ((UNKNOWN_CATEGORY, 8.8, False),)
    assert json.loads(next(iter(orders)).payload)["occurred_at"] == "2024-03-01T09:00:00+01:00"


def test_a_file_out_of_order_gives_the_same_events(tmp_path: Path) -> None:
    header, *rows = LINES.splitlines()
    path = lines_file(tmp_path, "\n".join([header, *reversed(rows)]) + "\n", "turned.csv")
    turned = read_orders(path, MAPPING, "Europe/Berlin")
    straight = read_orders(lines_file(tmp_path), MAPPING, "Europe/Berlin")
    assert not turned.is_in_time_order
    events = decoded(turned)
    assert [e.occurred_at_ms for e in events] == sorted(e.occurred_at_ms for e in events)
    assert sorted(summary(events)) == sorted(summary(decoded(straight)))


def test_an_order_that_goes_on_later_is_one_order_at_its_first_time(tmp_path: Path) -> None:
    content = "customer,order,time,amount\nc1,o1,2024-03-01T09:00:00Z,1\nc2,o2,2024-03-01T09:00:05Z,2\n"
    orders = read_orders(lines_file(tmp_path, content + "c1,o1,2024-03-01T09:00:09Z,4\n"), {})
    assert not orders.is_in_time_order
    assert [(e.event_id, e.amount) for e in decoded(orders)] == [("o1", 5.0), ("o2", 2.0)]


def test_customer_time_and_amount_are_enough(tmp_path: Path) -> None:
    path = lines_file(tmp_path, "customer,time,amount\nc1,1709294400,9.5\nc1,1709294400,9.5\n", "web.csv")
    orders = read_orders(path, {})
    assert [json.loads(event.payload) for event in orders] == [
        {
            "event_id": f"web-{line}-1709294400000",
            "customer_id": "c1",
            "type": "order",
            "occurred_at": "2024-03-01T12:00:00+00:00",
            "amount": 9.5,
        }
        for line in (2, 3)
    ]


def test_files_of_one_name_have_orders_of_their_own_and_a_file_read_again_the_same(tmp_path: Path) -> None:
    read = []
    for day in (1, 2):
        folder = tmp_path / f"day{day}"
        folder.mkdir()
        path = lines_file(folder, f"customer,time,amount\nc1,2024-03-0{day},9.5\nc1,2024-03-0{day},7\n", "orders.csv")
        assert list(read_orders(path, {}, "UTC")) == list(read_orders(path, {}, "UTC"))
        read += decoded(read_orders(path, {}, "UTC"))
    assert len({event.event_id for event in read}) == len(read) == 4


def test_an_order_without_an_id_has_the_same_one_wherever_its_file_stands_and_however_its_time_is_written(
    tmp_path: Path,
) -> None:
    ids = []
    for at in ("1709294400", "2024-03-01T12:00:00Z", "2024-03-01T13:00:00+01:00"):
        folder = tmp_path / at
        folder.mkdir()
        (order,) = decoded(read_orders(lines_file(folder, f"customer,time,amount\nc1,{at},1\n", "web.csv"), {}))
        ids.append(order.event_id)
    assert ids == ["web-2-1709294400000"] * 3


def test_the_same_order_id_of_two_customers_is_two_orders(tmp_path: Path) -> None:
    content = "customer,order,time,amount\nc1,1,1709294400,1\nc2,1,1709294400,2\n"
    assert len(read_orders(lines_file(tmp_path, content), {})) == 2


def test_all_formats_give_the_same_events(tmp_path: Path, pyarrow: Any) -> None:
    path = lines_file(tmp_path)
    with path.open() as file:
        rows = [json.dumps({k: v for k, v in row.items() if v}) for row in csv.DictReader(file)]
    lines_file(tmp_path, "\n".join(rows), "sales.jsonl")
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(path), tmp_path / "sales.parquet")
    files = [read_orders(tmp_path / f"sales{end}", MAPPING, "UTC") for end in (".csv", ".jsonl", ".parquet")]
    first, *others = [list(file) for file in files]
    assert others == [first, first]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("customer", "'customer' is not MEANING=COLUMN"),
        ("who=id", "'who=id' is not MEANING=COLUMN with a meaning of customer, time, amount, order"),
        ("customer=", "is not MEANING=COLUMN"),
    ],
)
def test_a_mapping_that_makes_no_sense(said: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_columns(said)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "no column 'customer' for 'customer'; there are household, basket, sold at, .*saved"),
        (MAPPING | {"items": "count"}, "no column 'count' for 'items'; there are household"),
    ],
)
def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path, columns: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_orders(lines_file(tmp_path), columns, "UTC")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("c1,2024-03-01,12.0,x", r"line 3: column 'time' is '2024-03-01': .*--timezone"),
        ("c1,soon,12.0,x", r"line 3: column 'time' is 'soon': not a time"),
        ("c1,1709294400,twelve,x", r"line 3: column 'amount' is 'twelve': not a number"),
        ("c1,1709294400,,x", r"line 3: column 'amount' is '': not a number"),
        (",1709294400,12.0,x", r"line 3: column 'customer' is '': empty"),
        ("c1,1709294400,12.0,", r"line 3: column 'order' is '': empty"),
        ("c1", r"line 3: column 'order' is 'None': not a name"),
    ],
)
def test_a_bad_row_is_named_before_anything_is_sent(tmp_path: Path, bad: str, message: str) -> None:
    path = lines_file(tmp_path, f"customer,time,amount,order\nc1,1709294400,1,o1\n{bad}\n")
    with pytest.raises(SettingsError, match=message):
        read_orders(path, {})


def test_a_discount_is_money_taken_off(tmp_path: Path) -> None:
    path = lines_file(tmp_path, "customer,time,amount,discount\nc1,1709294400,1,-0.5\n")
    with pytest.raises(SettingsError, match=r"column 'discount' is '-0\.5': below 0"):
        read_orders(path, {})


def test_a_file_without_rows(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no rows"):
        read_orders(lines_file(tmp_path, "customer,time,amount\n"), {})


def test_a_refund_is_negative(tmp_path: Path) -> None:
    path = lines_file(tmp_path, "customer,time,amount\nc1,1709294400,-5\n")
    assert [event.amount for event in decoded(read_orders(path, {}))] == [-5.0]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 5), st.integers(-500, 5000)),
        min_size=1,
    )
)
def test_nothing_is_lost_or_made_up_whatever_the_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int, int]]
) -> None:
    with_header = ["customer,order,time,amount"]
    with_header += [f"c{c},o{o},{1_709_294_400 + second},{cents / 100}" for c, o, second, cents in rows]
    orders = read_orders(lines_file(tmp_path_factory.getbasetemp(), "\n".join(with_header), "any.csv"), {})
    events = decoded(orders)
    assert len(orders) == len(events) == len({(e.customer_id, e.event_id) for e in events})
    assert len(events) == len({row[:2] for row in rows})
    assert sum(e.amount for e in events) == pytest.approx(sum(row[3] for row in rows) / 100, abs=1e-6)
    assert [e.occurred_at_ms for e in events] == sorted(e.occurred_at_ms for e in events)
