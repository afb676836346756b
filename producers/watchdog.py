"""A watchdog: ends the process when a call that waits for ever has waited too long."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: the supervisor starts a new process, Kafka gives the partitions to somebody else."""


class Watchdog:
    """Guards calls that have no timeout of their own.

    A thread cannot be cancelled in Python, and a worker that hangs in a commit keeps its heartbeat, so nobody
    takes over from it. Ending the process is safe at any moment (DESIGN 6) and is the only way out.
    """

    def __init__(self, seconds: float, end: Callable[[int], object] = os._exit) -> None:
        """``end`` is called with ``EXIT_CODE`` from another thread, ``seconds`` after a watched call began."""
        self._seconds = seconds
        self._end = end

    @contextmanager
    def watching(self, what: str) -> Iterator[None]:
        """End the process if the block takes longer."""
        timer = threading.Timer(self._seconds, self._bite, (what,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _bite(self, what: str) -> None:
        print(
            f"segstream: '{what}' did not return in {self._seconds:g} s; ending the process",
            file=sys.stderr,
            flush=True,
        )
        self._end(EXIT_CODE)
