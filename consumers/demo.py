"""The demo: broker, store, a year of real baskets, and the service, on one machine and with one command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import Any

from prometheus_client import CollectorRegistry
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from consumers.build import Service, kafka_backend
from consumers.embedded import EmbeddedBroker, EmbeddedStore
from consumers.following import read_between, read_changes
from consumers.kafka_tail import KafkaTail
from consumers.lockstep import Lockstep
from consumers.page.serving import beside
from consumers.showing.changes import changes_table
from consumers.showing.segments import segments_table
from consumers.tally import Tally
from consumers.topics import create_topics
from stream.contracts.changes import Cause, SegmentChange
from stream.errors import SegstreamError
from stream.settings import Tree
from stream.view.redis_reader import RedisReader

_IDLE_SECONDS = 3.0
"""Nothing more to do for this long after everything sent was processed: the replay is over."""


def demo(settings: Tree, *, headless: bool, as_json: bool, limit: int | None) -> int:
    """Replay Complete Journey through the embedded pair; returns the exit code."""
    console = Console(stderr=as_json)
    with EmbeddedBroker() as broker, EmbeddedStore() as store:
        settings = _embedded(settings, broker, store)
        create_topics(settings)
        with nullcontext() if headless else beside(settings) as page:
            if page is not None:
                console.print(f"watch it live: {page}", highlight=False, soft_wrap=True)
            service = Service(settings, kafka_backend(settings), CollectorRegistry())
            lockstep = Lockstep(service.worker(), service.owner())
            try:
                _run(lockstep, settings, limit, console, as_json=as_json)
                if not headless:
                    _stay_up(console, lockstep, broker, store, page)
            finally:
                lockstep.close()
    return 0


def _run(lockstep: Lockstep, settings: Tree, limit: int | None, console: Console, *, as_json: bool) -> None:
    """The replay, and what came of it."""
    started, tally = time.monotonic(), Tally()
    sent = _replay(lockstep, tally, settings, limit, console)
    seconds = time.monotonic() - started
    last = _last_changes(settings)
    summary = _summary(settings, tally, sent, seconds, last)
    if as_json:
        print(json.dumps(summary))
    else:
        _show(console, settings, summary, last)


def _embedded(settings: Tree, broker: EmbeddedBroker, store: EmbeddedStore) -> Tree:
    """The embedded pair's addresses, and short waits: its broker does not wake a reader when something arrives.

    One partition: of several, a year that is read at once is read months apart, and such a population cannot be judged.
    """
    kafka = settings.kafka.model_copy(
        update={
            "bootstrap_servers": broker.bootstrap_servers,
            "session_timeout_seconds": 6.0,
            "poll_timeout_seconds": 0.01,
        }
    )
    redis = settings.redis.model_validate({**settings.redis.model_dump(), "url": store.url})
    model = settings.model.model_copy(update={"interval_seconds": 0.0})
    topics = settings.topics.model_copy(update={"partitions": 1})
    return settings.model_copy(update={"kafka": kafka, "redis": redis, "model": model, "topics": topics})


def _replay(lockstep: Lockstep, tally: Tally, settings: Tree, limit: int | None, console: Console) -> int:
    """Feed and process; returns how many events the producer says it sent."""
    with _producer(settings, limit) as producer, Live(console=console, refresh_per_second=4, transient=True) as live:
        bar = Progress(
            TextColumn("replaying a year of baskets"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
        )
        task = bar.add_task("replay", total=None, said="")
        sent: int | None = None
        quiet_since = time.monotonic()
        while sent is None or tally.records < sent or time.monotonic() - quiet_since < _IDLE_SECONDS:
            began = time.perf_counter()
            done = lockstep.run_once()
            tally.count(done, time.perf_counter() - began)
            if done.step is not None:
                quiet_since = time.monotonic()
                bar.update(task, completed=tally.records, said=tally.said())
                live.update(Group(bar, changes_table(tally.recent)))
            if sent is None and producer.poll() is not None:
                sent = _sent(producer)
                bar.update(task, total=sent)
    return sent


@contextmanager
def _producer(settings: Tree, limit: int | None) -> Iterator[subprocess.Popen[str]]:
    """``segstream produce replay journey`` in a process of its own, as anybody would run it."""
    command = [
        sys.executable,
        "-m",
        "consumers.cli",
        "--set",
        f"kafka.bootstrap_servers={settings.kafka.bootstrap_servers}",
        "--set",
        f"topics.events={settings.topics.events}",
    ]
    command += ["produce", "replay", "journey", "--json", *(["--limit", str(limit)] if limit else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()


def _sent(producer: subprocess.Popen[str]) -> int:
    out, err = producer.communicate()
    if producer.returncode:
        raise SegstreamError(f"the producer failed: {err.strip().splitlines()[-1] if err.strip() else 'no word'}")
    return int(json.loads(out.strip().splitlines()[-1])["events"])


def _summary(
    settings: Tree, tally: Tally, sent: int, seconds: float, last: Mapping[str, SegmentChange]
) -> dict[str, Any]:
    """The JSON of ``--json``. ``hash_matches_last_change``: share of customers whose hash says what was last told."""
    reader = RedisReader(settings.redis)
    hashes = {customer.decode(): fields for customer, fields in reader.customers()}
    matching = sum(_says_the_same(hashes.get(customer), change) for customer, change in last.items())
    segments = [
        {"id": id_, "name": profile["name"], "customers": sum(h["id"] == id_ for h in hashes.values())}
        for id_, profile in sorted(reader.segments().items())
    ]
    held = sum(s["customers"] for s in segments) or 1
    documents = sum(reader.features(customer.encode()) is not None for customer in hashes)
    reader.close()
    return {
        "events": sent,
        **tally.counts(),
        "customers": len(hashes),
        "documents": documents,
        "cold": sum(h["status"] == "cold" for h in hashes.values()),
        "dormant": sum(h["status"] == "dormant" for h in hashes.values()),
        "segments": [{**s, "share": s["customers"] / held} for s in segments],
        "hash_matches_last_change": matching / max(len(last), 1) if len(last) == len(hashes) else 0.0,
        "events_per_second": tally.records / seconds,
        "model": {"kind": settings.model.kind, "version": tally.model_version},
        "broker": "embedded (tansu)",
        "store": "embedded (valkey)",
        "seconds": seconds,
    }


def _last_changes(settings: Tree) -> dict[str, SegmentChange]:
    """The last change of every customer, read from the topic as a subscriber would."""
    topic = settings.topics.changes
    with closing(KafkaTail(settings.kafka)) as tail:
        return {
            change.customer_id: change
            for partition in range(settings.topics.partitions)
            for change in read_changes(read_between(tail, topic, partition, *tail.bounds(topic, partition)))
        }


def _says_the_same(fields: dict[str, str] | None, change: SegmentChange) -> bool:
    if change.current is None or fields is None:
        return change.current is None and fields is None
    told = (change.current.id, change.current.status, str(change.version), change.cause.value)
    return (fields["id"], fields["status"], fields["version"], fields["cause"]) == told


def _show(console: Console, settings: Tree, summary: dict[str, Any], last: Mapping[str, SegmentChange]) -> None:
    reader = RedisReader(settings.redis)
    console.print(segments_table(reader.segments(), {s["id"]: s["customers"] for s in summary["segments"]}))
    console.print(changes_table(_telling(last.values())))
    reader.close()
    said = {k: summary[k] for k in ("events", "accepted", "duplicates", "rejected", "customers", "changes")}
    console.print("  ".join(f"{name} {n:,}" for name, n in said.items()))
    console.print(f"{summary['events_per_second']:,.0f} events/s over {summary['seconds']:.1f} s, start-up included")


def _telling(changes: Iterable[SegmentChange]) -> list[SegmentChange]:
    """Some of the newest explained changes of each kind, in time order."""
    newest = sorted((c for c in changes if c.reasons and c.previous and c.current), key=lambda c: c.occurred_at)
    shown = [
        change
        for cause, most in ((Cause.BEHAVIOUR, 4), (Cause.TIME, 3), (Cause.MODEL, 1))
        for change in [c for c in newest if c.cause == cause][-most:]
    ]
    return sorted(shown, key=lambda c: c.occurred_at)


def _stay_up(
    console: Console, lockstep: Lockstep, broker: EmbeddedBroker, store: EmbeddedStore, page: str | None
) -> None:
    lines: Sequence[str] = (
        "The service stays up until Ctrl-C. Look at it from outside:",
        f"  in a browser: {page}" if page else "  (the live page did not come up)",
        f"  kcat -b {broker.bootstrap_servers} -t segment.changes -o -5 -e",
        f"  redis-cli -p {store.port} HGETALL segment:1",
        # What commands must know of ``_embedded``; whatever else the demo was told, they are to be told too.
        f"  segstream --set kafka.bootstrap_servers={broker.bootstrap_servers} --set redis.url={store.url} "
        "--set topics.partitions=1 segments",
    )
    console.print("\n".join(lines), highlight=False, soft_wrap=True)
    try:
        while True:
            lockstep.run_once()
    except KeyboardInterrupt:
        console.print("bye")
