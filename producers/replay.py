"""Replay: events into Kafka, as fast as possible or at a chosen multiple of their own pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from producers.orders import Encoded
from producers.writer import Writer
from stream.errors import SettingsError

PROGRESS_EVERY = 500
"""Events between two calls of ``progress``."""
_SHORTEST_SLEEP_SECONDS = 0.01
"""Being early by less is on time: a sleep of microseconds costs more than it waits."""

Progress = Callable[[int, int], None]
"""Called with events sent and event time reached (ms): every so often, before a wait, and at the end."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent. Event times in ms, ``None`` when there was nothing; ``seconds`` by the clock given."""

    events: int
    customers: int
    first_ms: int | None
    last_ms: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Event-time seconds per wall second, ``None`` for as fast as possible, and by whose clock.

    Raises ``SettingsError`` for a speed that is not above 0.
    """

    speed: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.speed is not None and not self.speed > 0:
            raise SettingsError("speed: must be above 0 (event-time seconds per second)")

    def early_seconds(self, started: float, into_ms: int) -> float:
        """How long to wait for what happened ``into_ms`` of event time after the first; 0 or less: not."""
        return 0.0 if self.speed is None else started + into_ms / 1000 / self.speed - self.clock()


def replay(
    events: Iterable[Encoded],
    writer: Writer,
    topic: str,
    pace: Pace = Pace(),
    *,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Sent:
    """Send the first ``limit`` events, in their order, and return when all are written.

    Raises ``BrokerUnavailable``.
    """
    started = pace.clock()
    report = progress or _silent
    customers: set[bytes] = set()
    count, first_ms, last_ms = 0, None, None
    for key, payload, at_ms in islice(events, limit):
        if first_ms is None or last_ms is None:
            first_ms = last_ms = at_ms
        early_seconds = pace.early_seconds(started, at_ms - first_ms)
        if early_seconds >= _SHORTEST_SLEEP_SECONDS:
            report(count, last_ms)
            pace.sleep(early_seconds)
        writer.send(topic, key, payload)
        customers.add(key)
        count, last_ms = count + 1, at_ms
        if count % PROGRESS_EVERY == 0:
            report(count, last_ms)
    writer.flush()
    if last_ms is not None:
        report(count, last_ms)
    return Sent(count, len(customers), first_ms, last_ms, pace.clock() - started)


def _silent(_events: int, _at_ms: int) -> None:
    pass
