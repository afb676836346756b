"""Supervising: keep child processes alive, and end them in good order."""

from __future__ import annotations

import logging
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

USER_ERROR = 2
"""Exit code of a mistake that a restart cannot mend."""
_FIRST_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 30.0
_HEALTHY_SECONDS = 60.0
"""A child that lived this long starts again at once."""


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    backoff_seconds: float = field(default=_FIRST_BACKOFF_SECONDS)


class Supervisor:
    """Starts, restarts with growing pauses, and drains. The clock and the wait are passed in."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        drain_seconds: float,
        now: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        self._children = [Child(name, command) for name, command in commands.items()]
        self._drain_seconds, self._now, self._wait = drain_seconds, now, wait
        self._stopping = False

    @property
    def children(self) -> Sequence[Child]:
        """The supervised processes."""
        return self._children

    def stop(self, *_: object) -> None:
        """Ask for the end; usable as a signal handler."""
        self._stopping = True

    def run(self) -> int:
        """Supervise until ``stop``; the exit code: 0, or ``USER_ERROR`` when a child says a restart cannot help."""
        code = 0
        try:
            while not self._stopping and not code:
                for child in self._children:
                    code = code or self._tend(child)
                self._wait(0.1)
        finally:
            self._drain()
        return code

    def _tend(self, child: Child) -> int:
        now = self._now()
        if child.process is None:
            if now >= child.start_at:
                child.process, child.started_at = subprocess.Popen(child.command), now
            return 0
        code = child.process.poll()
        if code is None:
            return 0
        child.process = None
        if code == USER_ERROR:
            return USER_ERROR
        if now - child.started_at > _HEALTHY_SECONDS:
            child.backoff_seconds = _FIRST_BACKOFF_SECONDS
        log.warning("%s ended with code %d, starting again in %.1f s", child.name, code, child.backoff_seconds)
        child.start_at = now + child.backoff_seconds
        child.backoff_seconds = min(2 * child.backoff_seconds, _LONGEST_BACKOFF_SECONDS)
        return 0

    def _drain(self) -> None:
        """SIGTERM to all, then SIGKILL to who is still there after the deadline: killing is safe, only slower."""
        alive = [child.process for child in self._children if child.process is not None]
        for process in alive:
            process.send_signal(signal.SIGTERM)
        deadline = self._now() + self._drain_seconds
        while any(process.poll() is None for process in alive) and self._now() < deadline:
            self._wait(0.05)
        for process in alive:
            if process.poll() is None:
                log.warning("process %d did not drain in %g s, killing it", process.pid, self._drain_seconds)
                process.kill()
                process.wait()
