from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from producers.rows import columns_of, flag, moment_ms, number, rows_of, text
from stream.errors import SettingsError

NEW_YORK = ZoneInfo("America/New_York")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_rows_are_numbered_by_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '\ufeffa,b\r\n1,"x, y"\r\n2,\r\n')
    assert list(rows_of(path)) == [(2, {"a": "1", "b": "x, y"}), (3, {"a": "2", "b": ""})]
    assert columns_of(path) == ["a", "b"]


def test_json_lines_may_leave_out_what_they_do_not_know(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"a": 1}\n\n{"a": 2, "b": "x"}\n')
    assert list(rows_of(path)) == [(1, {"a": 1}), (3, {"a": 2, "b": "x"})]
    assert columns_of(path) == ["a", "b"]


def test_parquet_has_types(tmp_path: Path, pyarrow: Any) -> None:
    at = datetime(2024, 1, 1, 12, tzinfo=UTC)
    table = pyarrow.table(
        {
            "id": [7, 8],
            "at": pyarrow.array([at, at], pyarrow.timestamp("ns", "UTC")),
            "sum": pyarrow.array([Decimal("1.50"), None], pyarrow.decimal128(8, 2)),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    rows = list(rows_of(tmp_path / "a.parquet"))
    assert rows == [(1, {"id": 7, "at": at, "sum": Decimal("1.50")}), (2, {"id": 8, "at": at, "sum": None})]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", "", r"one of \.csv, \.jsonl, \.ndjson, \.parquet"),
        ("a.csv", b"a,b\n\xff,2\n", "not UTF-8"),
        ("a.csv", "a,b\n1,2,3\n", "line 2: more cells than columns"),
        ("a.jsonl", '{"a": 1}\n{"a":\n', "line 2: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: not a JSON object"),
        ("a.jsonl", "[" * 100_000, "line 1: not JSON"),
        ("a.parquet", "nothing of the kind", "not a Parquet file"),
    ],
)
def test_what_is_not_well_formed_is_named(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(SettingsError, match=said):
        list(rows_of(path))


def test_a_file_that_is_not_there_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        columns_of(tmp_path / "a.csv")


@pytest.mark.parametrize("value", [None, "", "  ", True, [1], "\ud800"])
def test_no_name(value: object) -> None:
    with pytest.raises(ValueError, match=r"not a name|empty|surrogates"):
        text(value)


@pytest.mark.parametrize("value", [None, "", "1,5", "nan", "inf", True, "1e999", 10**400])
def test_no_number(value: object) -> None:
    with pytest.raises(ValueError, match="number"):
        number(value)


def test_numbers() -> None:
    assert [number(value) for value in (" 1.5 ", 2, Decimal("0.25"), "-3e2")] == [1.5, 2.0, 0.25, -300.0]


def test_flags() -> None:
    assert [flag(value) for value in ("TRUE", "y", 1, True)] == [True] * 4
    assert [flag(value) for value in ("no", "", None, 0, False)] == [False] * 5
    with pytest.raises(ValueError, match="neither yes nor no"):
        flag("Private")


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-01T12:00:00Z",
        "2024-03-01 07:00:00-05:00",
        "2024-03-01T07:00:00",
        datetime(2024, 3, 1, 7),
        datetime(2024, 3, 1, 12, tzinfo=UTC),
        1_709_294_400,
        1_709_294_400_000,
        "1709294400",
        "1709294400000",
        "1709294400.0",
        Decimal("1709294400"),
    ],
)
def test_one_moment_in_many_words(value: object) -> None:
    assert moment_ms(value, NEW_YORK) == 1_709_294_400_000


def test_a_day_begins_at_its_local_midnight() -> None:
    midnight = moment_ms("2024-03-01T00:00:00-05:00", None)
    assert [moment_ms(v, NEW_YORK) for v in ("2024-03-01", "20240301", date(2024, 3, 1))] == [midnight] * 3


def test_an_hour_that_comes_twice_is_the_first() -> None:
    assert moment_ms("2017-11-05T01:30:00", NEW_YORK) == moment_ms("2017-11-05T01:30:00-04:00", None)


def test_an_hour_that_is_skipped_has_the_offset_before() -> None:
    assert moment_ms("2017-03-12T02:30:00", NEW_YORK) == moment_ms("2017-03-12T02:30:00-05:00", None)


@pytest.mark.parametrize("value", ["yesterday", None, True, "", "01/02/2024", [1], "2024-02-30"])
def test_no_time(value: object) -> None:
    with pytest.raises(ValueError, match="not a time"):
        moment_ms(value, UTC)


def test_a_naive_time_needs_a_timezone() -> None:
    with pytest.raises(ValueError, match="--timezone"):
        moment_ms("2024-03-01 12:00", None)
