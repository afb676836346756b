"""A watchdog: ends the process when a call that waits for ever has waited too long."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: the supervisor starts a new process, Kafka gives the partitions to somebody else."""


class Watchdog:
    """Guards calls that have no timeout of their own, one at a time.

    A thread cannot be cancelled in Python, and a worker that hangs in a commit keeps its heartbeat, so nobody
    takes over from it. Ending the process is safe at any moment (DESIGN 6) and is the only way out.

    Its thread is there from the beginning: when memory runs out a new one may die before it runs, and
    ``Thread.start`` then waits for it for ever.
    """

    def __init__(self, seconds: float, end: Callable[[int], object] = os._exit) -> None:
        """``end`` is called with ``EXIT_CODE`` from another thread, ``seconds`` after a watched call began."""
        self._seconds = seconds
        self._end = end
        self._changed = threading.Condition()
        self._watched: tuple[str, float] | None = None
        """What, and until when on the monotonic clock."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    @contextmanager
    def watching(self, what: str) -> Iterator[None]:
        """End the process if the block takes longer."""
        self._change((what, time.monotonic() + self._seconds))
        try:
            yield
        finally:
            self._change(None)

    def _change(self, watched: tuple[str, float] | None) -> None:
        with self._changed:
            self._watched = watched
            self._changed.notify()

    def _watch(self) -> None:
        try:
            with self._changed:
                while self._watched is None or time.monotonic() < self._watched[1]:
                    self._changed.wait(None if self._watched is None else self._watched[1] - time.monotonic())
                what, _ = self._watched
            _say(f"'{what}' did not return in {self._seconds:g} s; ending the process")
        finally:  # also when it fails itself: nobody would be watching
            self._end(EXIT_CODE)


def _say(sentence: str) -> None:
    print(f"segstream: {sentence}", file=sys.stderr, flush=True)
