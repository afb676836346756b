"""Rows 22 to 26: the store dies, forgets, falls back, refuses, or is far away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis import Redis
from redis.exceptions import RedisError

from benchmarks.chaos.proxy import Proxy, Rules
from benchmarks.chaos.scene import Scene, Tally, disturbed
from benchmarks.chaos.stage import Stage
from benchmarks.servers import RedisServer
from consumers import auditing
from consumers.source import Tail
from stream.view.keys import FEATURES, SEGMENT, states_key, watermark_key
from stream.view.reader import Reader

APPEND_ONLY = ("--appendonly", "yes", "--appendfsync", "everysec")
AWAY_SECONDS = 5.0
TORN_BYTES = 30_000
"""What is lost of the end of the append-only file."""


@contextmanager
def redis_of(stage: Stage) -> Iterator[Redis]:
    """For meddling with the store itself, past any proxy."""
    client = Redis(port=stage.redis.port)
    try:
        yield client
    finally:
        client.close()


def torn_log(scene: Scene, tally: Tally) -> None:
    """Row 22: redis-server is killed, and comes back without the end of its append-only file."""

    def tear(stage: Stage, run: int) -> None:
        stage.redis.kill()
        stage.go_on(1.0 + run)
        newest = max(stage.redis.folder.glob("appendonlydir/*.incr.aof"))
        size = newest.stat().st_size
        with newest.open("r+b") as file:
            file.truncate(max(0, size - TORN_BYTES * (run + 1)))
        torn.append(size - newest.stat().st_size)
        stage.redis.launch()

    torn: list[int] = []
    disturbed(scene, tally, 5, tear, redis=APPEND_ONLY)
    tally.remarks.append(f"bytes cut off: {torn}")


def forgotten(scene: Scene, tally: Tally) -> None:
    """Row 23: FLUSHALL, a watermark deleted; and what is deleted alone is found by the audit."""

    def forget(stage: Stage, run: int) -> None:
        with redis_of(stage) as redis:
            if run % 2:
                redis.delete(watermark_key(run % stage.settings.topics.partitions))
            else:
                redis.flushall()

    disturbed(scene, tally, 6, forget)
    with scene.stage("row23-audit") as stage:
        stage.warm_up()
        tally.judged(stage.finish(), stage.folder)
        for what in ("state", "hash", "document"):
            tally.runs += 1
            if not found_by_audit(stage, what):
                tally.complaints.append(f"the audit does not miss a deleted {what}")


def found_by_audit(stage: Stage, what: str) -> bool:
    """Delete one thing alone; does the audit say so, and did it not before?"""
    with stage.looking() as (tail, reader):
        customer, _ = next(iter(reader.states(0)))
        missing = {
            "state": (states_key(0), customer),
            "hash": (SEGMENT + customer,),
            "document": (FEATURES + customer,),
        }
        with redis_of(stage) as redis:
            key, *member = missing[what]
            before, kept = audited(stage, tail, reader), redis.dump(key)
            assert kept is not None
            redis.hdel(key, *member) if member else redis.delete(key)
            after = audited(stage, tail, reader)
            redis.restore(key, 0, kept, replace=True)
    return before and not after


def audited(stage: Stage, tail: Tail, reader: Reader) -> bool:
    """Whether the audit finds everything in order."""
    settings = stage.settings
    return all(part.holds for part in auditing.audit(settings, tail, reader, settings.topics.partitions, 0))


def stale_replica(scene: Scene, tally: Tally) -> None:
    """Row 24: replication is cut, the service goes on writing, and then the stale replica is made the primary."""
    with Proxy() as detour, Proxy() as replication:

        def fail_over(stage: Stage, _: int) -> None:
            primary = detour.upstream
            replication.upstream = primary
            with RedisServer() as replica:
                with Redis(port=replica.port) as redis:
                    redis.replicaof("127.0.0.1", str(replication.port))
                    stage.until(lambda: redis.info()["master_link_status"] == "up", "replication")
                    stage.commits(2)
                    with replication.under(Rules(refuse=True)):
                        replication.cut()
                        stage.commits(4)
                        redis.replicaof("NO", "ONE")
                detour.upstream = replica.port
                detour.cut()
                stage.commits(4)
                with Redis(port=primary) as old, Redis(port=replica.port) as new:
                    old.flushall()  # and back, as a failover in the other direction to an empty one
                    new.close()
                detour.upstream = primary
                detour.cut()
                stage.commits(2)

        disturbed(scene, tally, 3, fail_over, store_detour=detour)


def refusing(scene: Scene, tally: Tally) -> None:
    """Row 25: full, read-only, busy, loading, forbidden: each for some seconds."""

    def refuse(stage: Stage, run: int) -> None:
        kind = REFUSALS[run % len(REFUSALS)]
        before = stage.progress.batches
        kind(stage)
        still.append(f"{kind.__name__.strip('_')}: {stage.progress.batches - before} batches meanwhile")
        stage.commits(2)

    still: list[str] = []
    disturbed(scene, tally, 2 * len(REFUSALS), refuse, redis=("--busy-reply-threshold", "100", *APPEND_ONLY))
    tally.remarks += still[: len(REFUSALS)]


def _full(stage: Stage) -> None:
    with redis_of(stage) as redis:
        redis.config_set("maxmemory", 1)
        stage.go_on(AWAY_SECONDS)
        redis.config_set("maxmemory", 0)


def _read_only(stage: Stage) -> None:
    with redis_of(stage) as redis:
        redis.replicaof("127.0.0.1", "1")  # nobody is there
        stage.go_on(AWAY_SECONDS)
        redis.replicaof("NO", "ONE")


def _busy(stage: Stage) -> None:
    def loop() -> None:
        with redis_of(stage) as redis, suppress(RedisError):
            redis.eval("while true do end", 0)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    stage.go_on(AWAY_SECONDS)
    with redis_of(stage) as redis:
        redis.script_kill()
    thread.join()


def _loading(stage: Stage) -> None:
    stage.redis.kill()
    usual = stage.redis.options
    stage.redis.options = (*usual, "--key-load-delay", "10000")  # microseconds a key
    stage.redis.launch()  # returns when it has loaded
    stage.redis.options = usual
    with redis_of(stage) as redis:
        redis.config_set("key-load-delay", 0)


def _forbidden(stage: Stage) -> None:
    with redis_of(stage) as redis:
        redis.acl_setuser("default", enabled=True, nopass=True, keys=["*"], categories=["+@all", "-@write"])
        stage.go_on(AWAY_SECONDS)
        redis.acl_setuser("default", enabled=True, nopass=True, keys=["*"], categories=["+@all"])


REFUSALS = (_full, _read_only, _busy, _loading, _forbidden)


def far_away(scene: Scene, tally: Tally) -> None:
    """Row 26: replies are lost, late by more than the timeout, or nothing comes any more on open connections."""
    with Proxy() as detour:

        def trouble(stage: Stage, run: int) -> None:
            kinds = (Rules(drop_replies=True), Rules(delay_seconds=3.0), Rules(drop_replies=True, hold_requests=True))
            with detour.under(kinds[run % 3]) as rules:
                met_by = time.monotonic() + AWAY_SECONDS
                stage.until(lambda: time.monotonic() > met_by and rules.met, "traffic to the store")
            detour.cut()
            stage.commits(2)

        disturbed(scene, tally, 6, trouble, store_detour=detour)
