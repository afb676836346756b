"""Supervising real child processes: restarts with growing pauses, an end in good order, and one that is forced."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from consumers.supervising import USER_ERROR, Child, Supervisor
from consumers.twins import Wall
from tests.brokers import eventually

DRAIN_SECONDS = 5.0
FAILS = "raise SystemExit(1)"
STAYS = "import signal; signal.pause()"


def python(code: str) -> Sequence[str]:
    """A child that starts as fast as one can."""
    return [sys.executable, "-S", "-E", "-c", code]


class Watched:
    """A supervisor whose time is ours: in each of its waits the children ``obedient`` get real time to react."""

    def __init__(self, obedient: Sequence[str] = (), **codes: str) -> None:
        self.wall = Wall(0.0)
        commands = {name: python(code) for name, code in codes.items()}
        self.supervisor = Supervisor(commands, DRAIN_SECONDS, self.wall.now, self._moment)
        self.children: dict[str, Child] = {child.name: child for child in self.supervisor.children}
        self.each_moment: Callable[[], object] = lambda: None
        self._obedient = obedient

    def process(self, name: str) -> subprocess.Popen[bytes]:
        process = self.children[name].process
        assert process is not None
        return process

    def _moment(self, seconds: float) -> None:
        self.wall.wait(seconds)
        self.each_moment()
        for name in self._obedient:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process(name).wait(0.2)


def until_ready(watched: Watched, ready: Path) -> None:
    """Stop the supervisor as soon as a child says that it is there."""

    def moment() -> None:
        eventually(lambda: ready.exists() or None, "the child")
        watched.supervisor.stop()

    watched.each_moment = moment


def test_a_child_that_ends_is_started_again_after_growing_pauses() -> None:
    watched = Watched(worker=FAILS)
    child = watched.children["worker"]
    started: list[float] = []

    def moment() -> None:
        if child.process is not None:
            started.append(child.started_at)
            child.process.wait(30)
        if len(started) == 9:
            watched.supervisor.stop()

    watched.each_moment = moment
    assert watched.supervisor.run() == 0
    pauses = [after - before for before, after in pairwise(started)]
    assert pauses == pytest.approx([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0], abs=0.25)


def test_a_child_that_lived_long_starts_again_at_once() -> None:
    watched = Watched(worker=FAILS)
    child = watched.children["worker"]
    started: list[float] = []

    def moment() -> None:
        if child.process is not None:
            started.append(child.started_at)
            child.process.wait(30)
            watched.wall.wait(100.0)
        if len(started) == 5:
            watched.supervisor.stop()

    watched.each_moment = moment
    watched.supervisor.run()
    assert [after - before for before, after in pairwise(started)] == pytest.approx([100.6] * 4, abs=0.25)


def test_a_mistake_that_no_restart_mends_ends_all() -> None:
    watched = Watched(obedient=["owner"], owner=STAYS, worker=f"raise SystemExit({USER_ERROR})")
    worker = watched.children["worker"]
    watched.each_moment = lambda: worker.process is not None and worker.process.wait(30)
    assert watched.supervisor.run() == USER_ERROR
    assert worker.process is None, "it is not started again"
    assert watched.process("owner").returncode == -signal.SIGTERM


def test_told_to_stop_it_lets_the_children_finish(tmp_path: Path) -> None:
    ready, finished = tmp_path / "ready", tmp_path / "finished"
    finish = f"lambda *_: (open({str(finished)!r}, 'w').close(), sys.exit(0))"
    listens = f"import signal, sys; signal.signal(signal.SIGTERM, {finish})"
    code = f"{listens}; open({str(ready)!r}, 'w').close(); signal.pause()"
    watched = Watched(obedient=["worker"], worker=code)
    until_ready(watched, ready)
    assert watched.supervisor.run() == 0
    assert watched.process("worker").returncode == 0
    assert finished.exists()
    assert watched.wall.now() < DRAIN_SECONDS


def test_who_does_not_finish_in_time_is_killed_and_only_who_does_not(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ignores = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    deaf = f"import signal; {ignores}; open({str(ready)!r}, 'w').close(); signal.pause()"
    watched = Watched(obedient=["worker"], deaf=deaf, worker=STAYS)
    until_ready(watched, ready)
    assert watched.supervisor.run() == 0
    assert watched.process("deaf").returncode == -signal.SIGKILL
    assert watched.process("worker").returncode == -signal.SIGTERM
    assert DRAIN_SECONDS <= watched.wall.now() < DRAIN_SECONDS + 1.0


def test_it_leaves_no_children_behind_when_it_fails_itself() -> None:
    watched = Watched(obedient=["owner"], owner=STAYS, worker="")
    watched.children["worker"].command = ["/no/such/program"]
    with pytest.raises(FileNotFoundError):
        watched.supervisor.run()
    assert watched.process("owner").returncode == -signal.SIGTERM
