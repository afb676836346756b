"""A tripwire in a process of the service: at the n-th passing of a named point it dies, or stands still."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from kafka.errors import KafkaTimeoutError

from benchmarks.chaos.hoard import hoard

POINTS = {
    "A": "after a poll that brought records",
    "B": "after the fold, before the transaction",
    "C": "some records of the transaction sent and acknowledged",
    "D": "offsets sent, no EndTxn",
    "E": "EndTxn on the wire, its reply not awaited",
    "F": "committed, the store not written",
    "G": "between the store's updates of two partitions",
    "H": "all applied, before the next poll",
    "I": "between two pages of a restore",
}


@dataclass(frozen=True)
class Wire:
    """Where, at which passing, and what then: ``kill``, ``stop``, ``term``, ``hoard``, ``fail``, ``sleep=SECONDS``."""

    point: str
    nth: int
    deed: str = "kill"

    @classmethod
    def of(cls, words: str) -> Wire:
        """From its words.

        >>> Wire.of("C:3"), Wire.of("B:1:sleep=5")
        (Wire(point='C', nth=3, deed='kill'), Wire(point='B', nth=1, deed='sleep=5'))
        """
        point, nth, *deed = words.strip().split(":")
        return cls(point, int(nth), *deed)

    def __str__(self) -> str:
        return f"{self.point}:{self.nth}:{self.deed}"


class Tripwire:
    """At most one wire at a time. ``do`` is what a deed means; tests pass their own."""

    def __init__(self, do: Callable[[str], None] | None = None) -> None:
        self._do = do or carry_out
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._passings = 0

    def set(self, wire: Wire) -> None:
        """Count passings of its point from now on."""
        with self._lock:
            self._wire, self._passings = wire, 0

    def is_set(self, point: str) -> bool:
        """Whether somebody may fall over it there."""
        wire = self._wire
        return wire is not None and wire.point == point

    def passing(self, point: str, before: Callable[[], object] = lambda: None) -> None:
        """Somebody passes. ``before`` is done first, if this is the passing."""
        with self._lock:
            wire = self._wire
            if wire is None or wire.point != point:
                return
            self._passings += 1
            if self._passings < wire.nth:
                return
            self._wire = None
        before()
        os.write(2, f"chaos: {wire}\n".encode())
        self._do(wire.deed)


def carry_out(deed: str) -> None:
    """Do it, to this process."""
    name, _, argument = deed.partition("=")
    match name:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "term":
            os.kill(os.getpid(), signal.SIGTERM)
        case "sleep":
            time.sleep(float(argument))
        case "hoard":
            hoard()
        case "fail":
            raise KafkaTimeoutError("chaos")
        case _:
            raise ValueError(deed)
