"""What is segmented: simulated personas with known truth, a year of real baskets, or a file of orders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from producers.files import parse_columns, read_orders
from producers.journey import Journey
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from stream.customer.features import DAY_MS

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

PERSONAS_DAYS = (60, 115, 150, 179, 210, 250, 300, 364)
"""Around the drift of the personas: before and after one shifts (120), one is born (180) and one dies (260)."""
MONTH_DAYS = 30


@dataclass(frozen=True)
class Data:
    """A stream of events in time order, and what is known besides."""

    name: str
    events: Sequence[Encoded]
    start_ms: int
    checkpoint_days: tuple[int, ...]
    lives: NDArray[np.int8] | None = None
    """Truth: persona by (customer number, day), -1 for nobody; rows as in ``names``."""
    truth_names: tuple[str, ...] = ()
    """Customers of ``lives``."""

    @cached_property
    def names(self) -> list[str]:
        """Customers in order of appearance."""
        return [name.decode() for name in dict.fromkeys(event.key for event in self.events)]

    @cached_property
    def number(self) -> dict[str, int]:
        """Position in ``names``."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def customer(self) -> IntArray:
        """Customer number of each event."""
        return np.array([self.number[event.key.decode()] for event in self.events], dtype=np.int64)

    @cached_property
    def at_ms(self) -> IntArray:
        """Time of each event."""
        return np.array([event.occurred_at_ms for event in self.events], dtype=np.int64)

    @cached_property
    def amount(self) -> FloatArray:
        """Money of each event, 0 where it is no order."""
        return np.array([json.loads(event.payload).get("amount", 0.0) for event in self.events])

    @cached_property
    def nth(self) -> IntArray:
        """How many events its customer has had with this one, from 1."""
        order = np.argsort(self.customer, kind="stable")
        first = np.searchsorted(self.customer[order], self.customer[order])
        nth = np.empty(len(order), np.int64)
        nth[order] = np.arange(len(order)) - first + 1
        return nth

    @property
    def days(self) -> int:
        """Days from the first event's day to the last's, both included."""
        return int((self.at_ms[-1] - self.start_ms) // DAY_MS) + 1

    def end_of_day_ms(self, day: int) -> int:
        """The first moment after a day."""
        return self.start_ms + (day + 1) * DAY_MS

    def before(self, ms: int) -> int:
        """How many events lie before a moment; of a stream in time order."""
        return int(np.searchsorted(self.at_ms, ms))

    @cached_property
    def truth(self) -> NDArray[np.int8] | None:
        """Persona by (customer as in ``names``, day)."""
        if self.lives is None:
            return None
        row = {name: i for i, name in enumerate(self.truth_names)}
        return self.lives[[row[name] for name in self.names]]

    def only(self, keep: NDArray[np.bool_]) -> Data:
        """The same data with some of the events, by position."""
        kept = [event for event, stays in zip(self.events, keep.tolist(), strict=True) if stays]
        return replace(self, events=kept)


def personas(plan: PersonasPlan) -> Data:
    """The simulator's year."""
    simulated = Personas(plan)
    names = tuple(f"c{number:05d}" for number in range(plan.customers))
    days = tuple(day for day in PERSONAS_DAYS if day < plan.days)
    return Data(f"personas {plan.seed}", list(simulated), plan.start_ms, days, simulated.lives, names)


def journey() -> Data:
    """A year of a grocer."""
    return _monthly("journey", list(Journey()))


def orders(path: Path, columns: str, timezone: str | None) -> Data:
    """Any file of orders. Raises ``SettingsError``."""
    return _monthly(path.name, list(read_orders(path, parse_columns(columns), timezone)))


def _monthly(name: str, events: list[Encoded]) -> Data:
    start_ms = events[0].occurred_at_ms // DAY_MS * DAY_MS
    days = (events[-1].occurred_at_ms - start_ms) // DAY_MS + 1
    return Data(name, events, start_ms, tuple(range(MONTH_DAYS - 1, days, MONTH_DAYS)))
