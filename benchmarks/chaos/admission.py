"""Row 38: the broker's certificate has run out or is another host's, the password is changed, a right is taken away."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from http.client import HTTPConnection

from benchmarks.chaos.brokers import PATIENCE_SECONDS
from benchmarks.chaos.busy import cpu_seconds
from benchmarks.chaos.cast import USER_ERROR, Actor, drain_seconds
from benchmarks.chaos.locks import FAULTS, NAME_IN, OTHER, PASSWORD, PASSWORD_IN, USER, Fault, Trial
from benchmarks.chaos.scene import Scene, Tally, disturbed
from benchmarks.chaos.stage import Stage
from benchmarks.guarded_kafka import GuardedKafka
from consumers.embedded import HOST
from producers.watchdog import EXIT_CODE
from stream.errors import BrokerUnavailable

NOTICED_SECONDS = 60.0
WATCHED_SECONDS = 10.0
MOST_BUSY = 0.5
"""The share of a core above which a process that waits is said to spin."""
MOST_START_BUSY = 0.8
"""The same of ``segstream run`` and all it starts, while it starts them again and again: imports are its work."""


def kept_out(scene: Scene, tally: Tally) -> None:
    """Row 38: each fault meets a service that runs, and one that starts."""
    secrets = {NAME_IN: USER, PASSWORD_IN: PASSWORD}
    with GuardedKafka(USER, PASSWORD) as broker:
        door = {
            "bootstrap_servers": f"{HOST}:{broker.guarded_port}",
            "security": "sasl_tls",
            "ca_file": str(broker.authority.file),
        }
        disturbed(
            replace(scene, broker=broker),
            tally,
            len(FAULTS),
            lambda stage, run: keep_out(FAULTS[run], Trial(broker, stage, secrets, tally)),
            PATIENCE_SECONDS,
            told_to_cast={"kafka": door, "metrics": {"enabled": True, "port": 0}},
            secrets=secrets,
            options=("--log-level", "debug"),
        )


def keep_out(fault: Fault, trial: Trial) -> None:
    """One fault, from its beginning until the service commits again."""
    stage, tally = trial.stage, trial.tally
    stage.expected.add(EXIT_CODE)
    stage.excused.add(BrokerUnavailable.__name__)
    said = {actor.name: len(actor.lines()) for actor in stage.cast}
    fault.begin(trial)
    seconds = _until_said(fault, trial, said)
    busy = _busy(stage)
    pages = _metrics(stage)
    ended = _who_ended(fault, trial)
    start_busy = _try_to_start(fault, trial)
    _look_for_secrets(fault, trial, pages)
    fault.mend(trial)
    stage.commits(2, PATIENCE_SECONDS)
    tally.remarks.append(
        f"{fault.name}: said within {seconds:.0f} s, busy {max(busy.values(), default=0.0):.2f}, "
        f"ended: {', '.join(ended) or 'nobody'}, at the start busy {start_busy:.2f}"
    )
    spinning = [f"{fault.name}: {name} spins ({share:.2f})" for name, share in busy.items() if share > MOST_BUSY]
    tally.complaints += spinning


def _until_said(fault: Fault, trial: Trial, before: dict[str, int]) -> float:
    """Until everybody has said what is wrong, and if it is for a person somebody has ended; returns the seconds."""

    def is_silent(actor: Actor) -> bool:
        return not _is_named(fault, actor.lines()[before[actor.name] :])

    started = time.monotonic()
    while time.monotonic() - started < NOTICED_SECONDS:
        if not any(map(is_silent, trial.stage.cast)) and fault.ends <= bool(_ended(trial.stage)):
            break
        _tend(trial.stage)
    silent = [actor.name for actor in trial.stage.cast if is_silent(actor)]
    trial.tally.complaints += [f"{fault.name}: {name} does not say what is wrong" for name in silent]
    return time.monotonic() - started


def _tend(stage: Stage) -> None:
    """As the stage does, but who refuses to start may."""
    for actor in stage.cast:
        actor.tend()
    time.sleep(0.1)


def _busy(stage: Stage) -> dict[str, float]:
    """What share of a core everybody takes who is still there."""
    pids = {actor.name: actor.process.pid for actor in stage.cast if actor.process is not None}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    ends = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < ends:
        _tend(stage)
    after = {name: cpu_seconds(pid) for name, pid in pids.items()}
    return {name: (after[name] - before[name]) / WATCHED_SECONDS for name in pids if after[name]}


def _who_ended(fault: Fault, trial: Trial) -> list[str]:
    """Who gave up by itself. With one that does ``segstream run`` ends the rest."""
    ended = _ended(trial.stage)
    if fault.ends != bool(ended):
        trial.tally.complaints.append(f"{fault.name}: ended with {USER_ERROR}: {ended}")
    for actor in trial.stage.cast if ended else ():
        actor.end(drain_seconds(trial.stage.settings))
        actor.wanted, actor.deaths[:] = True, [code for code in actor.deaths if code != USER_ERROR]
    return ended


def _ended(stage: Stage) -> list[str]:
    return [actor.name for actor in stage.cast if USER_ERROR in actor.deaths]


def _try_to_start(fault: Fault, trial: Trial) -> float:
    """``segstream run`` while it lasts; returns how busy it was with all it started, once it had said what is wrong.

    0 if it ends: what it did before was to load itself.
    """
    service = trial.stage.cast.service()
    before, busy = len(service.lines()), 0.0
    service.start()
    assert service.process is not None
    ends = time.monotonic() + NOTICED_SECONDS
    while service.is_alive and time.monotonic() < ends:
        if not fault.ends and _is_named(fault, service.lines()[before:]):
            busy = _share_of_core(service, WATCHED_SECONDS)
            break
        time.sleep(0.1)
    ended = not service.is_alive
    code, complaints = service.end(drain_seconds(trial.stage.settings)), trial.tally.complaints
    if (ended, code) != ((True, USER_ERROR) if fault.ends else (False, 0)):
        complaints.append(f"{fault.name}: segstream run ended by itself: {ended}, with {code}")
    if not _is_named(fault, service.lines()[before:]):
        complaints.append(f"{fault.name}: segstream run does not say what is wrong: {service.lines()[-1:]}")
    if busy > MOST_START_BUSY:
        complaints.append(f"{fault.name}: segstream run spins ({busy:.2f})")
    return busy


def _share_of_core(service: Actor, seconds: float) -> float:
    """What it and all it started take of one core meanwhile."""
    assert service.process is not None
    before, last = cpu_seconds(service.process.pid), 0.0
    ends = time.monotonic() + seconds
    while service.is_alive and time.monotonic() < ends:
        last = cpu_seconds(service.process.pid) or last
        time.sleep(0.1)
    return max(0.0, last - before) / seconds


def _metrics(stage: Stage) -> bytes:
    """The pages of all who are still there."""
    pages = b""
    for actor in stage.cast:
        ports = re.findall(rf"metrics at http://{HOST}:(\d+)/", actor.log.read_text(errors="replace"))
        with suppress(OSError), closing(HTTPConnection(HOST, int(ports[-1]), timeout=10.0)) as served:
            served.request("GET", "/metrics")
            pages += served.getresponse().read()
    return pages


def _look_for_secrets(fault: Fault, trial: Trial, pages: bytes) -> None:
    """In all that anybody gets to see."""
    seen = {path.name: path.read_bytes() for path in trial.stage.folder.glob("*.log")} | {"/metrics": pages}
    for name, text in seen.items():
        found = [word for word in (USER, PASSWORD, OTHER) if word.encode() in text]
        trial.tally.complaints += [f"{fault.name}: {word} in {name}" for word in found]


def _is_named(fault: Fault, lines: Sequence[str]) -> bool:
    """Whether a line has all that must be said."""
    return any(all(word in line for word in fault.says) for line in lines)
