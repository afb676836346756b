"""Rows 1 to 11: processes that are killed, at points of the protocol or anywhere, and start again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from redis import Redis

from benchmarks.chaos.cast import Actor
from benchmarks.chaos.checker import Verdict
from benchmarks.chaos.scene import Scene, Tally
from benchmarks.chaos.stage import Stage, Stuck
from benchmarks.chaos.tripwire import Wire

STREAM = 10
"""Crashes of one stream before it is checked."""
PAGE = 15
"""Customers a page where restores are to be interrupted: a partition has some 70."""
RESTORED_SECONDS = 3.0
AWAY_SECONDS = 6.0
"""Sometimes the dead stay away for longer than the group waits for them, and the others take over."""
OWNER_POINTS = "ABCDE"


def crash_row(scene: Scene, tally: Tally, point: str) -> None:
    """``seeds`` crashes at one point, ``STREAM`` to a stream."""
    options = ("--page", str(PAGE)) if point == "I" else ()
    for begin in range(0, scene.seeds, STREAM):
        with scene.stage(f"row{tally.row}", options=options) as stage:
            stage.warm_up()
            for seed in range(begin, min(begin + STREAM, scene.seeds)):
                crash(stage, point, random.Random(f"{point}{seed}"), seed)
                tally.runs += 1
            tally.judged(stage.finish(), stage.folder)


def crash(stage: Stage, point: str, chance: random.Random, seed: int) -> None:
    """One crash, observed; the next may come when the service was seen to go on."""
    stage.commits(1)
    actor = stage.cast.owner if point == "J" else stage.cast.workers[seed % len(stage.cast.workers)]
    wire = wire_of(point, chance)
    stage.until(lambda: actor.is_alive, f"{actor.name} alive")
    actor.away_seconds = AWAY_SECONDS if seed % 5 == 4 else 0.0
    before = len(actor.deaths)
    actor.set(wire)
    while point == "I" and len(actor.deaths) == before:
        lose_store(stage)  # again, if there were too few customers yet
        stage.go_on(RESTORED_SECONDS)
    stage.until(lambda: len(actor.deaths) > before, f"crash at {wire}")
    if not died_of(actor, wire):
        raise Stuck(f"{actor.name} ended with {actor.deaths[-1]} and not at {wire}: {actor.lines()[-1:]}")
    stage.commits(1)


def lose_store(stage: Stage) -> None:
    """What is restored afterwards, page by page."""
    with Redis(port=stage.redis.port) as redis:
        redis.flushall()


def wire_of(point: str, chance: random.Random) -> Wire:
    """Which passing it is to be; every record of a transaction passes C."""
    if point == "J":
        return Wire(chance.choice(OWNER_POINTS), chance.randint(1, 3))
    return Wire(point, chance.randint(1, 60 if point == "C" else 6))


def died_of(actor: Actor, wire: Wire) -> bool:
    """Whether its last death was the one that was ordered."""
    return actor.deaths[-1] == -9 and actor.sprung()[-1:] == [str(wire)]


@dataclass
class Soak:
    """Random kills, and what came of them."""

    kills: int = 0
    lost: int = 0
    repeated: int = 0
    features_equal: bool = True
    seconds: float = 0.0

    def add(self, verdict: Verdict) -> None:
        """One more stream was checked."""
        self.lost += verdict.lost
        self.repeated += verdict.repeated
        self.features_equal = self.features_equal and verdict.features_equal


def soak_row(scene: Scene, tally: Tally, soak: Soak) -> None:
    """Row 11: until there were so many kills, or the time is up; each after a commit that was seen."""
    kills, minutes = scene.kills, scene.minutes
    chance, started = random.Random(11), time.monotonic()
    ends = started + minutes * 60

    def is_over() -> bool:
        return soak.kills >= kills or time.monotonic() > ends

    while not is_over():
        with scene.stage("soak") as stage:
            stage.warm_up()
            for _ in range(2 * STREAM):
                if is_over():
                    break
                kill_anyone(stage, chance)
                soak.kills += 1
            verdict = stage.finish()
            soak.add(verdict)
            tally.judged(verdict, stage.folder)
            tally.runs, soak.seconds = soak.kills, round(time.monotonic() - started, 1)


def kill_anyone(stage: Stage, chance: random.Random) -> None:
    """SIGKILL to somebody who lives, at any moment after another commit."""
    stage.commits(1)
    stage.go_on(chance.uniform(0.0, 2.0))
    actors = list(stage.cast)
    stage.until(lambda: any(actor.is_alive for actor in actors), "somebody alive")
    actor = chance.choice([actor for actor in actors if actor.is_alive])
    actor.send(9)
