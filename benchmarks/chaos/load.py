"""The load: simulated customers, sent while the service runs, just fast enough that there is always something to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice

from producers.kafka_writer import KafkaWriter
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from stream.settings import Tree

CHUNK = 50


def plan(seed: int, customers: int = 300) -> PersonasPlan:
    """Two years of a few customers, some 30,000 orders, long past so that none is from the future."""
    return PersonasPlan(customers=customers, days=730, seed=seed, start=date(2022, 1, 1))


class Load:
    """Writes to the input topic of one stage, ``per_second`` events at most."""

    def __init__(self, settings: Tree, events: Iterator[Encoded] | None = None, per_second: float = 250.0) -> None:
        self._topic = settings.topics.events
        self._events = iter(Personas(plan(seed=3))) if events is None else events
        self._writer = KafkaWriter(settings.kafka)
        self.per_second = per_second
        self._next_at = time.monotonic()
        self.sent = 0
        self.is_on = True

    def top_up(self, left: int) -> None:
        """Send a chunk if it is time and not much is ``left`` to do."""
        now = time.monotonic()
        if self.is_on and left < 8 * CHUNK and now >= self._next_at:
            self._next_at = max(self._next_at, now - 1.0) + CHUNK / self.per_second
            self.send(CHUNK)

    def send(self, count: int, spoil: Callable[[Encoded], Encoded] = lambda event: event) -> int:
        """Send so many more at once, each as ``spoil`` makes it; returns how many there were."""
        some = list(islice(self._events, count))
        for key, payload, _ in map(spoil, some):
            self._writer.send(self._topic, key, payload)
        self._writer.flush()
        self.sent += len(some)
        return len(some)

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()
