"""A sample of a file of orders: whole customers, for gaps and shares are theirs, and what the service would accept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappop, heappush
from pathlib import Path

from producers.files import read_orders
from producers.orders import Encoded
from stream.contracts.events import DecodeRules, Event, decode
from stream.errors import RejectedEvent, SettingsError

MOST_ORDERS = 100_000
"""Quantiles of what a thousand customers do are good to a few percent; a hundred orders of each are plenty."""
_ONE_PARTITION = DecodeRules(partitions=1)


@dataclass(frozen=True)
class Sample:
    """Orders of some customers of a file, in time order, and what is known of the whole file."""

    name: str
    events: Sequence[Event]
    """At least one."""
    customers: int
    """Of the whole file, as ``orders``."""
    orders: int
    refused: Mapping[str, int] = field(default_factory=dict)
    """How many of the sampled orders the service would reject, by why."""
    timezone: str | None = None
    """Where the file's times without an offset were taken, if that was said."""


def read_sample(path: Path, columns: Mapping[str, str], timezone: str | None, most: int = MOST_ORDERS) -> Sample:
    """Check the file whole and keep about ``most`` orders of it; the same file gives the same sample.

    Raises ``SettingsError``, naming column or line, or why no order would be accepted.
    """
    orders = read_orders(path, columns, timezone)
    drawn, customers = draw(orders, most)
    events, refused = list[Event](), dict[str, int]()
    for key, payload, at_ms in drawn:
        try:
            events.append(decode(key, payload, at_ms, 0, _ONE_PARTITION))
        except RejectedEvent as error:
            refused[str(error)] = refused.get(str(error), 0) + 1
    if not events:
        why = max(refused, key=lambda reason: refused[reason])
        raise SettingsError(f"{path}: none of its orders would be accepted: {why}")
    return Sample(path.name, events, customers, len(orders), refused, timezone)


def draw(orders: Iterable[Encoded], most: int = MOST_ORDERS) -> tuple[list[Encoded], int]:
    """About ``most`` orders of whole customers in time order, and how many customers there are in all."""
    drawn = _Drawn(most)
    for order in orders:
        drawn.add(order)
    return sorted(drawn.orders(), key=lambda order: order.occurred_at_ms), len(drawn.customers)


class _Drawn:
    """Customers in the order of a hash of their ids, as many as have ``most`` orders, but at least one."""

    def __init__(self, most: int) -> None:
        self.customers = set[bytes]()
        self._most = most
        self._kept = defaultdict[bytes, list[Encoded]](list)
        self._count = 0
        self._last = list[tuple[int, bytes]]()
        """The kept ones, last first."""
        self._before = 0
        """Hashes of the kept ones are above; they are negative, for a heap has its least on top."""
        self._is_full = False

    def add(self, order: Encoded) -> None:
        """Take an order, or leave it, and let go of customers if that makes too many."""
        place = -int.from_bytes(blake2b(order.key, digest_size=8).digest())
        self.customers.add(order.key)
        if self._is_full and place <= self._before:
            return
        if order.key not in self._kept:
            heappush(self._last, (place, order.key))
        self._kept[order.key].append(order)
        self._count += 1
        while self._count > self._most and len(self._kept) > 1:
            self._before, dropped = heappop(self._last)
            self._count -= len(self._kept.pop(dropped))
            self._is_full = True

    def orders(self) -> list[Encoded]:
        """All orders of the customers that were kept, customer by customer."""
        return [order for mine in self._kept.values() for order in mine]
