"""The processes of a stage: workers and an owner, restarted when they die, and everything they said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chaos.tripwire import Wire
from stream.settings import Tree
from stream.settings.loading import PREFIX

ROOT = Path(__file__).parents[2]
PAUSE_SECONDS = 0.2
"""Between a death and the next start: the supervisor's first pause is longer, which would only cost time here."""
USER_ERROR = 2
OWNS = "chaos owns:"
"""So a process begins the line in which it names its partitions."""


@dataclass
class Actor:
    """One process under supervision."""

    name: str
    command: Sequence[str]
    log: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that it gets when it starts."""
    deaths: list[int] = field(default_factory=list)
    """Exit codes so far; negative: the signal that ended it."""
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = True
    """Whether it is started again when it ends."""
    away_seconds: float = 0.0
    """How long it stays dead, beyond the pause."""
    died_at: float = 0.0
    """When its last death was noticed."""

    def start(self) -> None:
        """Start it."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=ROOT, env={**environ, **self.secrets}
            )

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or stands still."""
        return self.process is not None and self.process.poll() is None

    def tend(self) -> None:
        """Notice a death, and start it again after a pause."""
        if self.process is not None and self.process.poll() is not None:
            self._bury(self.process)
        due = time.monotonic() - self.died_at >= PAUSE_SECONDS + self.away_seconds
        if self.wanted and self.process is None and due and USER_ERROR not in self.deaths:
            self.start()

    def send(self, number: int) -> None:
        """A signal, if it lives."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def set(self, wire: Wire) -> None:
        """Stretch a tripwire in it."""
        if self.is_alive and self.process is not None and self.process.stdin is not None:
            with suppress(BrokenPipeError):  # it has just died of something else: whoever waits will see
                self.process.stdin.write(f"{wire}\n".encode())
                self.process.stdin.flush()

    def sprung(self) -> list[str]:
        """The wires that were passed so far, as it said itself in its last breath."""
        return [line.removeprefix("chaos: ") for line in self.lines() if line.startswith("chaos: ")]

    def owned(self) -> list[int]:
        """The input partitions that it owns, as it said last."""
        told = [line for line in self.lines() if line.startswith(OWNS)]
        return [int(word) for word in told[-1].removeprefix(OWNS).split()] if told else []

    def saying(self, words: str) -> int:
        """How many lines of its log have these words."""
        return sum(words in line for line in self.lines())

    def lines(self) -> list[str]:
        """What it said."""
        return self.log.read_text(errors="replace").splitlines() if self.log.exists() else []

    def end(self, within_seconds: float) -> int | None:
        """SIGTERM, and SIGKILL when that does not help in time; its exit code, ``None`` if it was not running."""
        self.wanted = False
        process = self.process
        if process is None:
            return None
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        self._bury(process)
        return code

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        self.deaths.append(process.returncode)
        self.process, self.died_at = None, time.monotonic()
        if process.stdin is not None:
            with suppress(OSError):  # a wire that it did not live to read
                process.stdin.close()


class Cast:
    """All processes of a stage."""

    def __init__(
        self,
        settings: dict[str, Any],
        folder: Path,
        workers: int,
        options: Sequence[str] = (),
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self._settings, self._folder, self._options, self._secrets = settings, folder, options, secrets or {}
        self.owner = self._actor("owner", "owner")
        self.workers = {slot: self.worker(slot) for slot in range(workers)}

    def worker(self, slot: int, name: str | None = None) -> Actor:
        """Another worker; not yet started, and nobody's to tend unless it is put into ``workers``."""
        return self._actor(name or f"worker-{slot}", "worker", "--slot", str(slot))

    def second_owner(self) -> Actor:
        """Another owner, as ``worker``."""
        return self._actor("owner-too", "owner")

    def service(self) -> Actor:
        """``segstream run`` under the same settings, as an operator starts it, at DEBUG."""
        said = [
            (f"{section}.{name}", v)
            for section, s in self._settings.items()
            if section != "profile"
            for name, v in s.items()
        ]
        flags = [
            word
            for name, value in [("profile", self._settings["profile"]), *said]
            for word in ("--set", f"{name}={value}")
        ]
        command = [sys.executable, "-m", "consumers.cli", *flags, "--log-level", "debug", "run"]
        return Actor("service", command, self._folder / "service.log", self._secrets)

    def __iter__(self) -> Iterator[Actor]:
        yield from self.workers.values()
        yield self.owner

    def tend(self) -> None:
        """Start who is dead."""
        for actor in self:
            actor.tend()

    def end(self, within_seconds: float, good: Sequence[int] = (0,)) -> list[str]:
        """SIGTERM to all; sentences about who did not leave in good order.

        One that has just been started has no handler yet and ends with the signal itself.
        """
        actors = list(self)
        for actor in actors:
            actor.wanted = False
            actor.send(signal.SIGCONT)
            actor.send(signal.SIGTERM)
        deadline = time.monotonic() + within_seconds
        codes = {actor.name: actor.end(max(0.1, deadline - time.monotonic())) for actor in actors}
        return [f"{name} left with {code}" for name, code in codes.items() if code is not None and code not in good]

    def _actor(self, name: str, *role: str) -> Actor:
        told = json.dumps(self._settings)
        command = [sys.executable, "-m", "benchmarks.chaos.process", *role, "--settings", told, *self._options]
        return Actor(name, command, self._folder / f"{name}.log", self._secrets)


def drain_seconds(settings: Tree) -> float:
    """What a process may take to leave: its own limit and the end of Python."""
    return settings.worker.drain_seconds + 5
