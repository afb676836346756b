"""The service as processes of the command line, and its progress as seen from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.chaos.progress import Progress
from stream.settings import Tree
from stream.settings.loading import PREFIX
from tests.brokers import eventually
from tests.service.pair import SECONDS, Flags

ROOT = Path(__file__).parents[2]
WORKER = ("worker", "--slot", "0")
OWNER = ("owner",)


class Process:
    """One process of the service; running when it is built. What it says goes to ``log``."""

    def __init__(self, flags: Flags, command: tuple[str, ...], log: Path) -> None:
        self._start = [sys.executable, "-m", "consumers.cli", *assignments(flags), *command]
        self._log = log
        self._process = self._started()

    def restart(self) -> None:
        """Start another one, as a supervisor does, when the last one has ended."""
        assert self._process.poll() is not None
        self._process = self._started()

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is closed."""
        self._process.kill()
        self._process.wait(SECONDS)

    def terminate(self, within_seconds: float) -> int:
        """SIGTERM; the exit code, which must come in time."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(within_seconds)

    def check(self) -> None:
        """Fail with the end of the log if the process has ended by itself."""
        code = self._process.poll()
        assert code is None, f"ended with code {code}: {self.said()}"

    def said(self) -> str:
        """The end of the log."""
        return self._log.read_text()[-2000:]

    def _started(self) -> subprocess.Popen[bytes]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        with self._log.open("ab") as log:
            return subprocess.Popen(self._start, stdout=log, stderr=log, cwd=ROOT, env=environ)


def assignments(flags: Mapping[str, object], path: str = "") -> Iterator[str]:
    """The same settings as words of the command line.

    >>> list(assignments({"profile": "personas", "model": {"seed": 3}}))
    ['--set', 'profile=personas', '--set', 'model.seed=3']
    """
    for name, value in flags.items():
        if isinstance(value, Mapping):
            yield from assignments(value, f"{path}{name}.")
        else:
            yield from ("--set", f"{path}{name}={value}")


class Running:
    """A worker and an owner. ``sent``: how many events there are in all, now or later."""

    def __init__(self, flags: Flags, settings: Tree, sent: int, folder: Path) -> None:
        self.settings = settings
        self.progress = Progress(settings, lambda: sent)
        self.worker = Process(flags, WORKER, folder / "worker.log")
        self.owner = Process(flags, OWNER, folder / "owner.log")

    def until(self, reached: Callable[[Progress], bool], what: str) -> None:
        """Watch until it is so. Nobody may end meanwhile."""

        def probe() -> bool | None:
            for process in (self.worker, self.owner):
                process.check()
            return True if reached(self.progress.look()) else None

        try:
            eventually(probe, what, SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.progress}\n{self.worker.said()}\n{self.owner.said()}") from error


@contextmanager
def running(flags: Flags, settings: Tree, sent: int, folder: Path) -> Iterator[Running]:
    """Both processes; killed at the end, if they are still there."""
    both = Running(flags, settings, sent, folder)
    try:
        yield both
    finally:
        both.worker.kill()
        both.owner.kill()
        both.progress.close()
