"""Orders from files: CSV, JSON Lines or Parquet, a row being a basket or one line of a basket.

A file is read twice. The first pass checks every row, so nothing is sent of a file that has a bad one, and
finds out whether the rows are in order of time. If they are, the second pass streams and holds the orders of
one instant only; else it holds all orders and sorts them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import groupby
from math import fsum
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from producers.orders import UNKNOWN_CATEGORY, Encoded, Line, encode_order, zone_of
from producers.rows import columns_of, flag, moment_ms, number, rows_of, text
from stream.errors import SettingsError

Value = TypeVar("Value")

REQUIRED = ("customer", "time", "amount")
OPTIONAL = ("order", "items", "discount", "category", "private_label")
_DECIMALS = 4
"""No currency has more (ISO 4217); sums are rounded to them."""


class BasketLine(NamedTuple):
    """One row, understood. What its file does not tell is ``None``."""

    customer: str
    order: str
    at_ms: int
    amount: float
    items: float | None
    discount: float | None
    category: str | None
    private_label: bool | None

    @property
    def basket(self) -> tuple[str, str]:
        """What it is a line of: order ids need to be unique for a customer only."""
        return self.customer, self.order


@dataclass(frozen=True)
class FileOrders:
    """The orders of a file that was found good. Iterating yields them in time order, as often as asked."""

    path: Path
    columns: Mapping[str, str]
    """Column of the file by what it means, one of ``REQUIRED`` or ``OPTIONAL``."""
    zone: tzinfo | None
    orders: int
    is_in_time_order: bool

    def __len__(self) -> int:
        return self.orders

    def __iter__(self) -> Iterator[Encoded]:
        lines = _lines(self.path, self.columns, self.zone)
        if self.is_in_time_order:
            for _, at_once in groupby(lines, key=attrgetter("at_ms")):
                yield from self._encoded(at_once)
        else:
            yield from sorted(self._encoded(lines), key=attrgetter("occurred_at_ms"))

    def _encoded(self, lines: Iterable[BasketLine]) -> Iterator[Encoded]:
        baskets = defaultdict(list)
        for line in lines:
            baskets[line.basket].append(line)
        return (_encode(basket, self.zone or UTC) for basket in baskets.values())


def parse_columns(said: str) -> dict[str, str]:
    """The mapping of ``--columns``.

    >>> parse_columns("customer=household, time=sold at")
    {'customer': 'household', 'time': 'sold at'}

    Raises ``SettingsError``.
    """
    columns: dict[str, str] = {}
    for part in filter(None, map(str.strip, said.split(","))):
        meaning, equals, name = (word.strip() for word in part.partition("="))
        if not (equals and name) or meaning not in REQUIRED + OPTIONAL:
            known = ", ".join(REQUIRED + OPTIONAL)
            raise SettingsError(f"--columns: '{part}' is not MEANING=COLUMN with a meaning of {known}")
        columns[meaning] = name
    return columns


def read_orders(path: Path, columns: Mapping[str, str], timezone: str | None = None) -> FileOrders:
    """Check a file whole. A meaning that ``columns`` does not mention is looked for under its own name.

    ``timezone`` is where times without an offset were taken. Raises ``SettingsError``, naming column or line.
    """
    zone = None if timezone is None else zone_of(timezone)
    found = _resolve(path, columns)
    seen: set[tuple[str, str]] = set()
    now: set[tuple[str, str]] = set()
    latest_ms, in_order = None, True
    for line in _lines(path, found, zone):
        if latest_ms is not None and line.at_ms != latest_ms:
            in_order = in_order and line.at_ms > latest_ms
            now.clear()
        in_order = in_order and (line.basket in now or line.basket not in seen)
        latest_ms = line.at_ms
        seen.add(line.basket)
        now.add(line.basket)
    return FileOrders(path, found, zone, len(seen), in_order)


def _resolve(path: Path, columns: Mapping[str, str]) -> dict[str, str]:
    there = columns_of(path)
    if not there:
        raise SettingsError(f"{path} has no rows")
    found = {}
    for meaning in REQUIRED + OPTIONAL:
        name = columns.get(meaning, meaning)
        if name in there:
            found[meaning] = name
        elif meaning in columns or meaning in REQUIRED:
            raise SettingsError(
                f"{path}: no column '{name}' for '{meaning}'; there are {', '.join(there)}. "
                f"Say which with --columns {meaning}=COLUMN"
            )
    return found


def _lines(path: Path, columns: Mapping[str, str], zone: tzinfo | None) -> Iterator[BasketLine]:
    for at, cells in rows_of(path):
        row = _Row(f"{path} line {at}", columns, cells)
        customer = row.need("customer", text)
        order = row.need("order", text) if "order" in columns else None
        at_ms = row.need("time", lambda value: moment_ms(value, zone))
        yield BasketLine(
            customer=customer,
            # With the time, for the file of another day may have the same name.
            order=order or f"{path.stem}-{at}-{at_ms}",
            at_ms=at_ms,
            amount=row.need("amount", number),
            items=row.find("items", number),
            discount=row.find("discount", _taken_off),
            category=row.find("category", text),
            private_label=row.find("private_label", flag),
        )


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    columns: Mapping[str, str]
    cells: Mapping[str, Any]

    def need(self, meaning: str, parse: Callable[[Any], Value]) -> Value:
        column = self.columns[meaning]
        value = self.cells.get(column)
        try:
            return parse(value)
        except ValueError as error:
            raise SettingsError(f"{self.where}: column '{column}' is {str(value)[:40]!r}: {error}") from None

    def find(self, meaning: str, parse: Callable[[Any], Value]) -> Value | None:
        column = self.columns.get(meaning)
        return None if column is None or self.cells.get(column) in (None, "") else self.need(meaning, parse)


def _taken_off(value: Any) -> float:
    discount = number(value)
    if discount < 0:
        raise ValueError("below 0, but it should be money taken off")
    return discount


def _encode(lines: Sequence[BasketLine], zone: tzinfo) -> Encoded:
    first = min(lines, key=attrgetter("at_ms"))
    return encode_order(
        first.order,
        first.customer,
        first.at_ms,
        zone,
        _sum(line.amount for line in lines),
        items=_sum_of_known(line.items for line in lines),
        discount=_sum_of_known(line.discount for line in lines),
        lines=_by_category(lines),
    )


def _by_category(lines: Sequence[BasketLine]) -> list[Line]:
    amounts = defaultdict(list)
    for line in lines:
        if line.category is not None or line.private_label is not None:
            amounts[line.category or UNKNOWN_CATEGORY, bool(line.private_label)].append(line.amount)
    return [(category, _sum(parts), private) for (category, private), parts in amounts.items()]


def _sum(values: Iterable[float]) -> float:
    return round(fsum(values), _DECIMALS)


def _sum_of_known(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _sum(known) if known else None
