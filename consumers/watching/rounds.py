"""Rounds: a watch that is repeated in a thread of its own, and made anew after an error."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol

from stream.errors import SegstreamError

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


class Watch(Protocol):
    """What is repeated."""

    pause_seconds: float
    """Until the next round."""

    def round(self) -> None:
        """One round. Raises ``SegstreamError``."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class Rounds:
    """Runs one watch until ``stop``."""

    def __init__(self, name: str, make: Callable[[], Watch], failed: Callable[[str], None]) -> None:
        self._make, self._failed = make, failed
        self._told = Event()
        self._said = ""
        self._thread = Thread(target=self._run, name=f"page-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the running round, without waiting for it."""
        self._told.set()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._told.is_set():
            try:
                watch = self._make()
            except SegstreamError as error:
                self._say(error)
                continue
            try:
                while not self._told.is_set():
                    watch.round()
                    self._said = ""
                    self._told.wait(watch.pause_seconds)
            except SegstreamError as error:
                self._say(error)
            finally:
                with contextlib.suppress(SegstreamError):
                    watch.close()

    def _say(self, error: SegstreamError) -> None:
        if str(error) != self._said:  # once, not once a second
            log.warning("%s", error)
        self._said = str(error)
        self._failed(str(error))
        self._told.wait(RETRY_SECONDS)
