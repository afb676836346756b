"""Row 39: no file descriptors and no memory left, in a process that runs and in one that starts."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from benchmarks.chaos.cast import Actor
from benchmarks.chaos.scene import Scene, Tally, disturbed
from benchmarks.chaos.stage import Stage
from benchmarks.chaos.tripwire import Wire
from consumers.embedded import HOST
from producers.watchdog import EXIT_CODE

FAILED = 1
ABORTED = -6
"""librdkafka asserts that it gets the memory it asks for."""
FEWER_FILES = 8
"""Fewer than a process has: the next that it opens is one too many."""
ULIMITS = {"files": "-n 16", "memory": f"-v {192 * 1024}"}
"""Of a process that starts: not enough to reach the broker with; not enough for the libraries."""
BITTEN_SECONDS = 60.0
STARTS = 2


def starved(scene: Scene, tally: Tally) -> None:
    """Row 39: it ends, or says that it waits; with enough of everything it, or the next one, goes on."""
    tries: Sequence[tuple[str, Callable[[Stage, Actor], str]]] = (
        ("files, running", partial(_without_files, scene)),
        ("memory, running", _without_memory),
        *((f"{what}, starting", partial(_starting, ulimit)) for what, ulimit in ULIMITS.items()),
    )

    def starve(stage: Stage, run: int) -> None:
        (name, attempt), actor = tries[run % len(tries)], stage.cast.workers[run % 2]
        stage.expected.update({FAILED, ABORTED, EXIT_CODE})
        _at_work(stage, actor)
        tally.remarks.append(f"{name}: {attempt(stage, actor)}")
        _at_work(stage, actor)

    disturbed(scene, tally, len(tries), starve, seen_by_cast=f"{HOST}:{scene.detour.port}")


def _without_files(scene: Scene, stage: Stage, actor: Actor) -> str:
    """It loses its connections, and cannot make new ones."""
    assert actor.process is not None
    pid = actor.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (FEWER_FILES, hard))
    came_of_it = _bitten(stage, actor, scene.detour.cut)
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    return came_of_it


def _without_memory(stage: Stage, actor: Actor) -> str:
    """In the middle of a batch there is none left."""
    return _bitten(stage, actor, lambda: actor.set(Wire("B", 1, "hoard")))


def _bitten(stage: Stage, actor: Actor, bite: Callable[[], object]) -> str:
    """Until it has ended, or said that it waits; returns which."""
    deaths, said = len(actor.deaths), len(actor.lines())
    bite()

    def waits() -> list[str]:
        return [line for line in actor.lines()[said:] if "waiting: " in line]

    what = f"{actor.name} ending, or saying that it waits"
    seconds = stage.until(lambda: len(actor.deaths) > deaths or waits(), what, BITTEN_SECONDS)
    if len(actor.deaths) > deaths:
        return f"ended with {actor.deaths[-1]} after {seconds:.0f} s, saying {_last(actor.lines()[said:])}"
    return f"waited, saying {_last(waits())}"


def _starting(ulimit: str, stage: Stage, actor: Actor) -> str:
    """It is killed, and whoever comes after it has too little from the beginning."""
    enough: Sequence[str] = actor.command
    deaths, said = len(actor.deaths), len(actor.lines())
    actor.command = ["sh", "-c", f'ulimit {ulimit}; exec "$@"', "sh", *enough]
    actor.send(9)
    try:
        stage.until(lambda: len(actor.deaths) > deaths + STARTS, f"{actor.name} failing under ulimit {ulimit}")
    finally:
        actor.command = enough
    codes = actor.deaths[deaths + 1 :]
    return f"ended with {codes}: {_last(actor.lines()[said:])}"


def _at_work(stage: Stage, actor: Actor) -> None:
    """Until it decides a batch: after what was cut before, a commit may still be under way."""
    passed = len(actor.sprung())

    def has_passed() -> bool:
        actor.set(Wire("B", 1, "sleep=0"))
        return len(actor.sprung()) > passed

    stage.until(has_passed, f"{actor.name} at work")


def _last(lines: Sequence[str]) -> str:
    return repr(lines[-1][-160:]) if lines else "nothing"
