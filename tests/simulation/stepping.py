"""Steps: every call that leaves a process passes points, and at any of them the process may be stopped.

A stop is a crash, an error of the seam, or a pause: then others go on, and the paused process later finds a changed
world. Which one runs is decided by the simulation alone, so what happens is a function of what was asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from stream.errors import SegstreamError

_STUCK_SECONDS = 60.0

How = Literal["crash", "fail", "pause"]

POINTS = (
    "poll",
    "committed",
    "load",
    "apply",
    "applied",
    "commit",
    "prepared",
    "decided",
    "bounds",
    "read",
    "status",
    "segments",
)
"""Each is passed before its call, ``applied`` after; ``prepared`` and ``decided`` are in the middle of ``commit``."""


class Crash(BaseException):
    """The process is gone. Not an ``Exception``: nothing in the service may catch it."""


class Stop(NamedTuple):
    """What to do at the ``nth`` passing of a point, counted from 1; point ``""`` is any."""

    how: How
    point: str = ""
    nth: int = 1


@dataclass
class Steps:
    """The points one process passes."""

    stop: Stop | None = None
    passed: int = 0
    """Points passed since the process began."""
    round: Round | None = None
    """The round that runs, if it is one that can pause."""
    seen: int = field(default=0, init=False)

    def plan(self, stop: Stop | None) -> None:
        """Stop there from now on."""
        self.stop, self.seen = stop, 0

    def at(self, point: str, error: type[SegstreamError]) -> None:
        """Pass a point. ``error``: how the seam fails there."""
        self.passed += 1
        if self.stop is None or self.stop.point not in ("", point):
            return
        self.seen += 1
        if self.seen < self.stop.nth:
            return
        how, self.stop = self.stop.how, None
        if how == "crash":
            raise Crash
        if how == "fail":
            raise error(f"stopped at '{point}'")
        assert self.round is not None
        self.round.pause()


class Round:
    """A call that can be paused in the middle. It has a thread of its own, of which only one ever runs."""

    def __init__(self, steps: Steps, call: Callable[[], object]) -> None:
        self._call = call
        self._its_turn, self._our_turn = threading.Semaphore(0), threading.Semaphore(0)
        self._crashes = False
        self._error: BaseException | None = None
        self._result: object = None
        self.is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        steps.round = self
        self._thread.start()

    def go_on(self, *, crash: bool = False) -> object:
        """Run to the end or the next pause; returns or raises what the call did. ``crash``: where it was paused."""
        assert not self.is_over
        self._crashes = crash
        self._its_turn.release()
        assert self._our_turn.acquire(timeout=_STUCK_SECONDS), "the round waits for somebody who is paused"
        if self.is_over:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result

    def pause(self) -> None:
        """Called in the middle of the call: let others run."""
        self._our_turn.release()
        self._its_turn.acquire()
        if self._crashes:
            raise Crash

    def _run(self) -> None:
        self._its_turn.acquire()
        try:
            self._result = self._call()
        except BaseException as error:
            self._error = error
        self.is_over = True
        self._our_turn.release()
