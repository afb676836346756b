"""Rows 27, 28, 32, 33 and 35: what people, producers and forgers do to it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC

import psutil
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewPartitions
from redis import Redis

from benchmarks.chaos.cast import Actor, drain_seconds
from benchmarks.chaos.checker import read_all
from benchmarks.chaos.load import plan
from benchmarks.chaos.scene import Scene, Tally, disturbed
from benchmarks.chaos.stage import Stage
from consumers.control import tell
from consumers.topics import create_topics
from producers.kafka_writer import KafkaWriter
from producers.orders import Encoded, encode_order
from producers.personas import Personas

POISON = 600
BACKLOG = 10_000
REFUSAL_SECONDS = 40.0


def misconfigured(scene: Scene, tally: Tally) -> None:
    """Row 27: each time the service must refuse to go on, and say what to mend."""
    for misuse, code, words in MISUSES:
        with scene.stage("row27") as stage:
            stage.warm_up()
            verdict = stage.finish()
            misuse(stage)
            actor = stage.cast.worker(0, "worker-refusing")
            ended = refusal(actor)
            said = actor.lines()[-1] if actor.lines() else ""
            tally.runs += 1
            if ended != code or words not in said:
                tally.complaints.append(f"{misuse.__name__.strip('_')}: ended with {ended}, saying {said!r}")
            else:
                tally.remarks.append(f"{misuse.__name__.strip('_')}: {said.partition(': ')[2][:150]}")
            tally.judged(verdict, stage.folder)


def refusal(actor: Actor) -> int | None:
    """Start it, and wait until it gives up; its exit code."""
    actor.wanted = False
    actor.start()
    ends = time.monotonic() + REFUSAL_SECONDS
    while actor.is_alive and time.monotonic() < ends:
        time.sleep(0.1)
    if actor.is_alive:
        actor.end(1.0)
        return None
    actor.tend()
    return actor.deaths[-1]


def _evicting(stage: Stage) -> None:
    with Redis(port=stage.redis.port) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")


def _recreated(stage: Stage) -> None:
    with admin_of(stage) as admin:
        admin.delete_topics([stage.settings.topics.events])
    time.sleep(1.0)
    create_topics(stage.settings)


def _more_partitions(stage: Stage) -> None:
    topics = stage.settings.topics
    with admin_of(stage) as admin:
        admin.create_partitions({topics.events: NewPartitions(topics.partitions + 1)})


def _overrun(stage: Stage) -> None:
    """More comes, and retention takes it before anybody has read it."""
    topics = stage.settings.topics
    stage.load.send(2000)
    with stage.looking() as (tail, _), admin_of(stage) as admin:
        ends = {TopicPartition(topics.events, p): tail.bounds(topics.events, p)[1] for p in range(topics.partitions)}
        admin.delete_records({at: end - 1 for at, end in ends.items()})


MISUSES: tuple[tuple[Callable[[Stage], None], int, str], ...] = (
    (_evicting, 2, "noeviction"),
    (_recreated, 2, "recreated"),
    (_more_partitions, 2, "partitions"),
    (_overrun, 1, "does not have the offset"),
)


def admin_of(stage: Stage) -> closing[KafkaAdminClient]:
    """For meddling with topics."""
    return closing(KafkaAdminClient(bootstrap_servers=stage.settings.kafka.bootstrap_servers))


def duplicates(scene: Scene, tally: Tally) -> None:
    """Row 28: one in a hundred comes again, sometimes the last hundred do, and workers are killed in between."""

    def kill(stage: Stage, run: int) -> None:
        stage.cast.workers[run % 2].send(9)
        stage.go_on(3.0)

    disturbed(scene, tally, 4, kill, events=again(iter(Personas(plan(seed=28)))))


def again(events: Iterator[Encoded]) -> Iterator[Encoded]:
    """Repeats, all within the window of sixteen events of a customer."""
    recent: deque[Encoded] = deque(maxlen=100)
    for number, event in enumerate(events):
        yield event
        recent.append(event)
        if number % 100 == 50:
            yield event
        if number % 1000 == 500:
            yield from recent


def poisoned(scene: Scene, tally: Tally) -> None:
    """Row 32: nothing but poison. The circuit opens, offsets hold; resumed, every bad record is rejected once."""
    settings = {"worker": {"poison_least_records": 100}}
    with scene.stage("row32", settings=settings) as stage:
        stage.warm_up()
        stage.load.is_on = False
        stage.until(lambda: stage.progress.left == 0, "a quiet stream")
        topics = stage.settings.topics
        stage.load.send(POISON, lambda event: event._replace(payload=event.payload[:40]))
        stage.until(lambda: all(held(stage, p) for p in range(topics.partitions)), "an open circuit")
        stage.go_on(2.0)  # what was committed before is seen by then
        left, tally.runs = stage.progress.left, 1
        stage.go_on(5.0)
        tally.remarks.append(f"held with {left} of {POISON} bad records not committed")
        if stage.progress.left != left or not left:
            tally.complaints.append(f"offsets went on: {left} records left, then {stage.progress.left}")
        with closing(KafkaWriter(stage.settings.kafka)) as writer:
            tell(writer, topics.control, paused=False, reason="chaos", wall_ms=time.time_ns() // 1_000_000)
        stage.until(lambda: stage.progress.left == 0, "the poison on the rejected topic")
        stage.load.is_on = True
        stage.commits(4)
        tally.judged(stage.finish(), stage.folder)


def held(stage: Stage, partition: int) -> bool:
    """Whether a partition says that it is held."""
    with stage.looking() as (_, reader):
        return "circuit" in (reader.status(partition) or "")


def hot_key(scene: Scene, tally: Tally) -> None:
    """Row 33: half of all traffic is one customer, and then there is a backlog."""
    with scene.stage("row33", events=half_hot(iter(Personas(plan(seed=33)))), per_second=500.0) as stage:
        stage.warm_up()
        stage.go_on(10.0)
        stage.load.is_on = False
        stage.cast.end(drain_seconds(stage.settings))
        backlog = stage.load.send(BACKLOG)
        for actor in stage.cast:
            actor.wanted = True
        stage.tick()
        took = stage.until(lambda: stage.progress.left == 0, "the backlog", 180.0)
        largest = max(psutil.Process(a.process.pid).memory_info().rss for a in stage.cast if a.process)
        tally.runs = 1
        backlog_in = f"{backlog} records of backlog in {took:.0f} s from cold, batches of 50"
        tally.remarks.append(f"{backlog_in}; largest process {largest >> 20} MiB")
        tally.judged(stage.finish(), stage.folder)


def half_hot(events: Iterator[Encoded]) -> Iterator[Encoded]:
    """After every event one of the hot customer."""
    for number, event in enumerate(events):
        yield event
        lines = [("GROCERY", 1.0 + number % 7, number % 2 == 0)]
        at_ms = event.occurred_at_ms
        yield encode_order(f"h{number}", "hot", at_ms, UTC, 1.0 + number % 7, items=1, discount=0.5, lines=lines)


def forged_models(scene: Scene, tally: Tally) -> None:
    """Row 35: snapshots nobody can believe, as the newest one, before worker and owner start again."""

    def forge(stage: Stage, run: int) -> None:
        name, make = FORGERIES[run % len(FORGERIES)]
        with stage.looking() as (tail, _):
            topic = stage.settings.topics.model
            known = [r for r in read_all(tail, topic, 0) if r.offset not in stage.forged]
        producer = KafkaProducer(
            bootstrap_servers=stage.settings.kafka.bootstrap_servers, max_request_size=8 << 20, acks="all"
        )
        values = [record.value for record in known]
        sent = producer.send(topic, make(values), known[-1].key, partition=0).get(10.0)
        stage.forged.add(sent.offset)
        producer.close()
        stage.commits(2)
        stage.cast.owner.send(9)
        stage.cast.workers[run % 2].send(9)
        models = stage.progress.models
        try:
            stage.until(lambda: stage.progress.models > models, f"a model after: {name}", 60.0)
        finally:
            tally.remarks.append(name)

    disturbed(scene, tally, len(FORGERIES), forge)


def _damaged(known: list[bytes]) -> bytes:
    newest = bytearray(known[-1])
    newest[len(newest) // 2] ^= 1
    return bytes(newest)


FORGERIES: tuple[tuple[str, Callable[[list[bytes]], bytes | None]], ...] = (
    ("garbage", lambda _: b"garbage"),
    ("a flipped bit", _damaged),
    ("half a snapshot", lambda known: known[-1][: len(known[-1]) // 2]),
    ("a pickle", lambda _: b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94."),
    ("two megabytes", lambda _: bytes(2 << 20)),
    ("a tombstone", lambda _: None),
    ("an older version", lambda known: known[0]),
)
