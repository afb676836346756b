"""A stopwatch with laps: where the time of a batch went."""

from __future__ import annotations

from collections.abc import Callable


class Stopwatch:
    """Running when it is built.

    >>> times = iter([10.0, 10.5, 12.0])
    >>> watch = Stopwatch(lambda: next(times))
    >>> watch.lap("decode"), watch.lap("load")
    (None, None)
    >>> watch.began, watch.at, watch.laps
    (10.0, 12.0, {'decode': 0.5, 'load': 1.5})
    """

    def __init__(self, now_seconds: Callable[[], float]) -> None:
        self._now_seconds = now_seconds
        self.began = self.at = now_seconds()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """What began with the last lap has ended. A clock that was set back in between took no time."""
        now = self._now_seconds()
        self.laps[name] = max(0.0, now - self.at)
        self.at = now
