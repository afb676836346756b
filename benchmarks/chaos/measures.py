"""What is measured besides: takeover, restore, and a service that grows and shrinks under load."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC
from functools import partial
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from redis import Redis

from benchmarks.chaos.cast import Actor, drain_seconds
from benchmarks.chaos.crashes import died_of
from benchmarks.chaos.scene import Scene, Tally
from benchmarks.chaos.stage import Stage
from benchmarks.chaos.tripwire import Wire
from benchmarks.chaos.world import read_world
from producers.orders import Encoded, encode_order
from stream.settings import KafkaSettings
from stream.view.keys import states_key

SHIPPED = KafkaSettings()
RESTORE_SECONDS = 600.0
FIRST_DAY_MS = 1_640_995_200_000
CATEGORIES = ("GROCERY", "FRESH", "DRINKS", "HOUSEHOLD")


def takeover(scene: Scene, runs: int = 10) -> dict[str, Any]:
    """SIGKILL inside of an open transaction: how long until its partitions have new changes, read_committed.

    With the timeouts that ship. ``p50`` and ``max``: the supervisor starts it again, as ``segstream run`` does.
    ``alone``: it stays away, and the others wait for its session to expire. ``static``: a static member, started again.
    """
    names = ("session_timeout_seconds", "transaction_timeout_seconds", "request_timeout_seconds")
    kafka = {name: getattr(SHIPPED, name) for name in names}
    restarted, holds = takeovers(scene, kafka, runs, away=False)
    alone, holds_alone = takeovers(scene, kafka, max(2, runs // 3), away=True)
    static, holds_static = takeovers(scene, {**kafka, "static_membership": True}, runs // 2, away=False)
    return {
        **spread(restarted),
        "alone": spread(alone),
        "static": spread(static),
        "settings": kafka,
        "invariants_hold": holds and holds_alone and holds_static,
    }


def takeovers(scene: Scene, kafka: dict[str, Any], runs: int, *, away: bool) -> tuple[list[float], bool]:
    """The seconds of each, and whether all invariants held."""
    with scene.stage("takeover", settings={"kafka": kafka}) as stage:
        stage.warm_up()
        seconds = [taken_over(stage, stage.cast.workers[run % 2], run, away=away) for run in range(runs)]
        return seconds, stage.finish().passed


def spread(seconds: list[float]) -> dict[str, Any]:
    """What is reported of several times."""
    return {"p50": round(statistics.median(seconds), 2), "max": round(max(seconds), 2), "runs": len(seconds)}


def taken_over(stage: Stage, actor: Actor, seed: int, *, away: bool) -> float:
    """Seconds from the death to the first change in a partition that was the dead one's."""
    stage.until(lambda: actor.is_alive and actor.owned(), f"{actor.name} owning partitions")
    stage.commits(3)
    wire = Wire("D", random.Random(seed).randint(1, 5))
    actor.away_seconds = 1e9 if away else 0.3  # together with the pause: what the supervisor waits
    before = len(actor.deaths)
    actor.set(wire)
    while len(actor.deaths) == before:
        stage.tick()
    died_at = actor.died_at
    assert died_of(actor, wire), actor.lines()[-1:]
    with Watching(stage, actor.owned()) as watching:
        stage.until(watching.saw, "changes of the dead one's partitions")
    actor.away_seconds = 0.0
    return time.monotonic() - died_at


class Watching:
    """Sees new changes in some partitions, from now on."""

    def __init__(self, stage: Stage, partitions: list[int]) -> None:
        topic = stage.settings.topics.changes
        self._consumer = KafkaConsumer(
            bootstrap_servers=stage.settings.kafka.bootstrap_servers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="latest",
        )
        self._partitions = [TopicPartition(topic, partition) for partition in partitions]

    def __enter__(self) -> Watching:
        self._consumer.assign(self._partitions)
        for at in self._partitions:
            self._consumer.position(at)
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def saw(self) -> bool:
        """Whether there is something new."""
        return bool(self._consumer.poll(timeout_ms=10))


def restore(scene: Scene, customers: int) -> dict[str, Any]:
    """The store is lost entirely: how long until everybody is there again, and is it the same view?"""
    events = iter(newcomers(customers))
    settings = {"kafka": {"max_poll_records": 2000}, "model": {"warmup_customers": 500, "macro_rows": 2000}}
    with scene.stage("restore", settings=settings, events=events) as stage, stage.looking() as (tail, reader):
        stage.load.is_on = False
        stage.load.send(customers)
        stage.until(
            lambda: stage.progress.left == 0 and stage.progress.is_shown(reader), "the customers", RESTORE_SECONDS
        )
        with Redis(port=stage.redis.port) as redis:
            redis.flushall()
            started = time.monotonic()
            stage.until(lambda: is_whole(stage, redis, customers), "the view", RESTORE_SECONDS)
            seconds = time.monotonic() - started
        stage.until(lambda: stage.progress.is_shown(reader), "the watermarks")
        stage.cast.end(drain_seconds(stage.settings))
        world = read_world(stage.settings, tail, reader)
        world.check_view()
        world.check_hashes()
    return {
        "customers": customers,
        "seconds": round(seconds, 1),
        "customers_per_second": round(customers / seconds),
        "workers": scene.workers,
        "view_equal": True,
    }


def is_whole(stage: Stage, redis: Redis, customers: int) -> bool:
    """Whether every state is there and no partition says that it is being restored."""
    partitions = range(stage.settings.topics.partitions)
    if sum(redis.hlen(states_key(p)) for p in partitions) < customers:
        return False
    with stage.looking() as (_, reader):
        marks = stage.progress.marks
        return all(reader.watermark(p) == marks[p].to_bytes() and reader.status(p) is None for p in partitions)


def newcomers(customers: int) -> Iterator[Encoded]:
    """One order of each, a second apart."""
    chance = random.Random(5)
    for number in range(customers):
        amount = round(chance.lognormvariate(3.5, 0.8), 2)
        lines = [(chance.choice(CATEGORIES), amount, chance.random() < 0.3)]
        at_ms, items = FIRST_DAY_MS + 1000 * number, chance.randint(1, 20)
        yield encode_order(f"n{number}", f"n{number:07d}", at_ms, UTC, amount, items=items, discount=0.0, lines=lines)


def growing(scene: Scene, tally: Tally) -> None:
    """From one worker to four, and back to two, under load."""
    with scene.stage("scale", workers=1) as stage:
        stage.warm_up()
        for turn, slots in enumerate((range(4), range(2), range(4), range(1, 3))):
            for slot in [s for s in stage.cast.workers if s not in slots]:
                leaving = stage.cast.workers.pop(slot)
                if (code := leaving.end(drain_seconds(stage.settings))) not in (0, -15):
                    tally.complaints.append(f"worker {slot} left with {code}")
            for slot in slots:
                stage.cast.workers.setdefault(slot, stage.cast.worker(slot, f"worker-{slot}-{turn}"))
            stage.go_on(6.0)
            tally.runs += 1
            took = stage.until(partial(all_own, stage), "partitions for everybody")
            tally.remarks.append(f"{len(slots)} workers after {6 + took:.0f} s at most")
            stage.commits(4)
        tally.judged(stage.finish(), stage.folder)


def all_own(stage: Stage) -> bool:
    """Whether every worker has partitions."""
    return all(worker.owned() for worker in stage.cast.workers.values())
