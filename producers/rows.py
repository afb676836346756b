"""Rows of a file, whatever its format, and the values in their cells."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any

from producers.orders import epoch_ms
from stream.errors import SettingsError

Row = tuple[int, Mapping[str, Any]]
"""Number (the line of a text file, from 1) and cells by column."""

_LOOK_AHEAD = 1000
"""Rows of a JSON Lines file in which a column should appear that exists at all."""
_YES = frozenset({"1", "true", "t", "yes", "y"})
_NO = frozenset({"", "0", "false", "f", "no", "n"})


def columns_of(path: Path) -> list[str]:
    """Names of the columns, none if there are no rows. Raises ``SettingsError`` as ``rows_of``."""
    return list(dict.fromkeys(name for _, cells in islice(rows_of(path), _LOOK_AHEAD) for name in cells))


def rows_of(path: Path) -> Iterator[Row]:
    """The rows one by one, never the whole file.

    Raises ``SettingsError``, naming file and line: not there, not of a known format, not well-formed.
    """
    read = _FORMATS.get(path.suffix.lower())
    if read is None:
        raise SettingsError(f"{path}: the format is told by the ending, one of {', '.join(_FORMATS)}")
    try:
        yield from read(path)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error.reason}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from error


def _csv(path: Path) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, restkey="", restval=None)
        try:
            for cells in reader:
                if "" in cells and "" not in (reader.fieldnames or ()):
                    raise SettingsError(f"{path} line {reader.line_num}: more cells than columns")
                yield reader.line_num, cells
        except csv.Error as error:
            raise SettingsError(f"{path} line {reader.line_num}: {error}") from error


def _json_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, start=1):
            if text.isspace():
                continue
            try:
                cells = json.loads(text)
            except (json.JSONDecodeError, RecursionError) as error:
                raise SettingsError(f"{path} line {number}: not JSON: {error}") from error
            if not isinstance(cells, dict):
                raise SettingsError(f"{path} line {number}: not a JSON object")
            yield number, cells


def _parquet(path: Path) -> Iterator[Row]:
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise SettingsError("Parquet files need 'pyarrow': pip install 'segstream[files]'") from error
    try:
        with parquet.ParquetFile(path) as file:
            schema = pyarrow.schema([_without_nanoseconds(pyarrow, column) for column in file.schema_arrow])
            batches = (batch.cast(schema, safe=False).to_pylist() for batch in file.iter_batches())
            yield from enumerate(chain.from_iterable(batches), start=1)
    except pyarrow.ArrowException as error:
        raise SettingsError(f"{path} is not a Parquet file that can be read: {error}") from error


def _without_nanoseconds(pyarrow: Any, column: Any) -> Any:
    """Python's times have microseconds."""
    if pyarrow.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.with_type(pyarrow.timestamp("us", column.type.tz))
    return column


_FORMATS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}


def text(value: Any) -> str:
    """A name, not empty. Like all that follow: raises ``ValueError`` saying what it should have been.

    >>> text(" c1 "), text(17)
    ('c1', '17')
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a name")
    name = str(value).strip()
    if not name:
        raise ValueError("empty")
    name.encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    return name


def number(value: Any) -> float:
    """A finite number.

    >>> number("12.50")
    12.5
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("not a number")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise ValueError("not a number") from None
    if not math.isfinite(found):
        raise ValueError("not a finite number")
    return found


def flag(value: Any) -> bool:
    """Yes or no; nothing is no.

    >>> flag("Yes"), flag(0), flag(None)
    (True, False, False)
    """
    word = "" if value is None else str(value).strip().lower()
    if word not in _YES | _NO:
        raise ValueError("neither yes nor no")
    return word in _YES


def moment_ms(value: Any, zone: tzinfo | None) -> int:
    """A time in ms: ISO 8601, or a number since 1970, of seconds or (from 10^11 on) milliseconds.

    ``zone`` is for times without an offset. Of an hour that its clocks show twice it is the first; in an hour
    that they skip, the offset before the skip counts.

    >>> moment_ms("2024-03-01T12:00:00+01:00", None), moment_ms("1709290800", None)
    (1709290800000, 1709290800000)
    """
    since_1970 = _since_1970(value)
    if since_1970 is not None:
        return int(since_1970 if since_1970 >= 1e11 else since_1970 * 1000)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("not a time: ISO 8601 or seconds since 1970") from None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise ValueError("not a time")
    if value.tzinfo is None:
        if zone is None:
            raise ValueError("a time without an offset: say where it was with --timezone, like Europe/Berlin")
        value = value.replace(tzinfo=zone)
    return epoch_ms(value)


def _since_1970(value: Any) -> float | None:
    """The number, if it is one. Text of fewer digits than ten is left to be a date like 20240301."""
    if isinstance(value, str):
        whole, _, part = value.strip().partition(".")
        if len(whole) < 10 or not (whole + part).isdigit():
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return number(value)
