"""The live events of ``benchmarks.deadlines``: one after the other at a steady rate, from a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC

from producers.memory_broker import MemoryBroker
from producers.orders import encode_order
from producers.sink import Outgoing
from stream.contracts.partitioning import partition_of
from stream.settings import TopicSettings

_LINES = (("GROCERY", 14.0, True), ("PRODUCE", 6.0, False), ("DELI", 5.0, False))


class Feeder:
    """Hands in orders and remembers when each was to be handed in: a late one has waited."""

    def __init__(self, broker: MemoryBroker, topics: TopicSettings, customers: Sequence[str], rate: float) -> None:
        self.rate = rate
        self._broker, self._topics, self._customers = broker, topics, customers
        self._pending: list[deque[tuple[int, float]]] = [deque() for _ in range(topics.partitions)]
        """Offset, and seconds since 1970 when the event was due."""
        self._stop = threading.Event()

    @contextmanager
    def running(self, start_seconds: float) -> Iterator[None]:
        """Hand in events from this time on, until the block ends."""
        thread = threading.Thread(target=self._feed, args=(start_seconds,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def done(self, next_offset: Mapping[int, int]) -> Iterator[float]:
        """When each event that is now behind its partition's offset was due."""
        for partition, offset in next_offset.items():
            pending = self._pending[partition]
            while pending and pending[0][0] < offset:
                yield pending.popleft()[1]

    def _feed(self, start_seconds: float) -> None:
        number = 0
        while not self._stop.is_set():
            due = start_seconds + number / self.rate
            early = due - time.time()
            if early > 0:
                time.sleep(early)
            self._hand_in(number, due)
            number += 1

    def _hand_in(self, number: int, due: float) -> None:
        customer = self._customers[number % len(self._customers)]
        order = encode_order(f"e{number}", customer, round(due * 1000), UTC, 25.0, items=9, discount=2.5, lines=_LINES)
        partition = partition_of(order.key, self._topics.partitions)
        with self._broker.changed:  # nobody reads it before it is noted
            offset = self._broker.append(Outgoing(self._topics.events, partition, order.key, order.payload))
            self._pending[partition].append((offset, due))
