"""The simulation as a stream of customer events, with the truth beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

import numpy as np

from producers.orders import Encoded, Line, encode_order, encode_view
from producers.personas.baskets import Baskets, fill
from producers.personas.cast import GONE
from producers.personas.lives import Lives
from producers.personas.people import IntArray, People
from producers.personas.plan import DAY_MS, PersonasPlan
from producers.personas.visits import season, visit

_CHUNK = 16_384
"""Baskets are drawn this many events at a time: a long simulation starts at once and stays small."""


class TruthRow(NamedTuple):
    """From this event time on, the customer is of this persona; ``GONE`` (-1) when it has stopped."""

    customer_id: str
    from_ms: int
    persona: int


class Personas:
    """Simulated customers. Iterating yields their events in time order, the same every time."""

    def __init__(self, plan: PersonasPlan) -> None:
        rng = np.random.default_rng(plan.seed)
        self.plan = plan
        self._people = People.draw(plan, rng)
        self._visits = visit(plan, self._people, rng)
        _, self._dearer = season(plan)

    def __len__(self) -> int:
        return len(self._visits.at_ms)

    def __iter__(self) -> Iterator[Encoded]:
        for first in range(0, len(self), _CHUNK):
            yield from self._chunk(first)

    @property
    def lives(self) -> Lives:
        """The truth: persona by (customer number, day)."""
        return self._people.lives

    def truth(self) -> list[TruthRow]:
        """The truth as one row a change of persona, by customer and time."""
        before = np.concatenate([np.full((len(self.lives), 1), GONE), self.lives[:, :-1]], axis=1)
        customers, days = np.nonzero(self.lives != before)
        columns = (customers, self.plan.start_ms + days * DAY_MS, self.lives[customers, days])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [TruthRow(customer_id(customer), at_ms, persona) for customer, at_ms, persona in rows]

    def write_truth(self, path: Path) -> None:
        """Write the truth as CSV with a header."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(TruthRow._fields)
            writer.writerows(self.truth())

    def _chunk(self, first: int) -> Iterator[Encoded]:
        part = slice(first, first + _CHUNK)
        customers, at_ms = self._visits.customer[part], self._visits.at_ms[part]
        is_view = self._visits.is_view[part]
        baskets = self._baskets(first, customers[~is_view], at_ms[~is_view] // DAY_MS)
        columns = (customers, self.plan.start_ms + at_ms, is_view)
        visits = zip(*(column.tolist() for column in columns), strict=True)
        for number, (customer, at, view) in enumerate(visits, start=first):
            event_id, name = f"e{number}", customer_id(customer)
            if view:
                yield encode_view(event_id, name, at, UTC)
            else:
                amount, items, discount, lines = next(baskets)
                yield encode_order(event_id, name, at, UTC, amount, items=items, discount=discount, lines=lines)

    def _baskets(self, first: int, customer: IntArray, day: IntArray) -> Iterator[_Basket]:
        rng = np.random.default_rng([self.plan.seed, first])
        return _rows(fill(self._people, customer, day, self._dearer[day], rng), self.plan.cast.categories)


def customer_id(number: int) -> str:
    """Public id of a simulated customer.

    >>> customer_id(7)
    'c00007'
    """
    return f"c{number:05d}"


_Basket = tuple[float, int, float, list[Line]]
"""Amount, items, discount, lines."""


def _rows(baskets: Baskets, categories: Sequence[str]) -> Iterator[_Basket]:
    money = (baskets.cents, baskets.discount_cents, baskets.lines_cents)
    amount, discount, parts = ((cents / 100).tolist() for cents in money)
    labels = baskets.private_label.tolist()
    for row in zip(amount, baskets.items.tolist(), discount, parts, labels, strict=True):
        lines = zip(categories, row[3], row[4], strict=True)
        yield row[0], row[1], row[2], [line for line in lines if line[1]]
