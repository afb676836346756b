"""Poison: bad payloads of every kind in a stream of good events. Is each refused for its own reason, and nothing lost?

    python -m benchmarks.poison --json [--kinds N] [--broker embedded|apache|HOST:PORT]

One poison follows fifty good events and claims to be of the last one's customer. All of it goes through the running
service; then topics and store are read as any subscriber would read them. ``lost`` adds up the good events that no
features document accounts for, the customers of whom no change tells, and the poison that is not on the rejected
topic exactly once. The store is an embedded one; topics on a broker that is given are the benchmark's own.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from prometheus_client import CollectorRegistry

from benchmarks.poison_corpus import CORPUS, Poison
from benchmarks.servers import ApacheKafka
from consumers.build import Service, kafka_backend
from consumers.embedded import EmbeddedBroker, EmbeddedStore
from consumers.following import read_between, read_changes
from consumers.kafka_tail import KafkaTail
from consumers.lockstep import Lockstep
from consumers.source import Record
from consumers.topics import create_topics
from producers.kafka_sink import KafkaSink
from producers.personas import Personas, PersonasPlan
from producers.sink import Outgoing
from producers.watchdog import Watchdog
from stream.contracts.events import DecodeRules
from stream.contracts.partitioning import partition_of
from stream.contracts.rejected import Rejected, read_rejected
from stream.errors import SegstreamError
from stream.settings import TopicSettings, Tree, load
from stream.view.redis_reader import RedisReader

GOOD_EVENTS = 50
"""Before each poison."""
PLAN = PersonasPlan(customers=500, days=200, seed=45)
AHEAD_MS = 60_000
"""Poison is made for a broker's clock this far ahead: what is a millisecond too early must still be so when it is
written, and whatever else is dated by that clock is well within the five minutes that are allowed."""
_WRITTEN_AT_ONCE = 500
_SECONDS = 300.0


@dataclass(frozen=True)
class Written:
    """A record of the input topic; ``poison`` is ``None`` for a good one."""

    record: Outgoing
    offset: int
    poison: Poison | None


@dataclass(frozen=True)
class Answer:
    """A record of the rejected topic, and what its headers say."""

    said: Rejected
    record: Record


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", type=int, default=len(CORPUS), help=f"1 to {len(CORPUS)}, which is the default")
    parser.add_argument("--broker", default="embedded", help="apache: a broker of its own, from `make servers`")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not 1 <= arguments.kinds <= len(CORPUS):
        parser.error(f"there are {len(CORPUS)} kinds")
    with ExitStack() as stack:
        settings = settings_of(_broker(stack, arguments.broker), stack.enter_context(EmbeddedStore()).url)
        report = {**run(settings, chosen(arguments.kinds)), "broker": arguments.broker}
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 0


def chosen(kinds: int) -> list[Poison]:
    """So many kinds, from all over the corpus."""
    return [CORPUS[i * len(CORPUS) // kinds] for i in range(kinds)]


def settings_of(bootstrap_servers: str, redis_url: str, client: str = "kafka-python") -> Tree:
    """Settings for this broker and store, with topics that nobody else has. ``client``: of the service."""
    tag = time.time_ns()
    kafka = {
        "bootstrap_servers": bootstrap_servers,
        "client": client,
        "group": f"poison-{tag}",
        "transactional_id": f"poison-{tag}",
        "session_timeout_seconds": 3.0,
        "poll_timeout_seconds": 0.01,
    }
    topics = {name: f"{default}-{tag}" for name, default in TopicSettings() if isinstance(default, str)}
    model = {"warmup_customers": 100, "macro_rows": 500, "interval_seconds": 0}
    flags = {"profile": "personas", "kafka": kafka, "topics": topics, "redis": {"url": redis_url}, "model": model}
    return load(flags=flags)


def run(settings: Tree, poisons: Sequence[Poison]) -> dict[str, Any]:
    """Send, process, read; the report but for ``broker``."""
    create_topics(settings)
    written = _write(settings, list(_stream(settings, poisons)))
    _process(settings, len(written))
    bad = [w for w in written if w.poison]
    good = [w.record.key or b"" for w in written if not w.poison]
    with closing(KafkaTail(settings.kafka)) as tail, closing(RedisReader(settings.redis)) as reader:
        refused = _refused(settings, tail)
        told = {c.customer_id.encode() for c in read_changes(_records(settings, tail, settings.topics.changes))}
        documents = [reader.features(customer) for customer in set(good)]
    accepted = sum(document["events"] for document in documents if document)
    found = [refused.get((w.record.partition, w.offset), []) for w in bad]
    lost_poison = sum(len(answers) != 1 for answers in found)
    return {
        "kinds": len(poisons),
        "sent": len(bad),
        "right_reason": _share(_has_right_reason(w, answers) for w, answers in zip(bad, found, strict=True)),
        "identical": _share(_is_identical(w, answers) for w, answers in zip(bad, found, strict=True)),
        "lost": lost_poison + abs(len(good) - accepted) + len(set(good) - told),
        "good_sent": len(good),
        "good_accepted": accepted,
    }


def _broker(stack: ExitStack, name: str) -> str:
    """Address of the broker; one that is ours runs until the stack is closed."""
    if name == "embedded":
        return stack.enter_context(EmbeddedBroker()).bootstrap_servers
    if name == "apache":
        return stack.enter_context(ApacheKafka()).bootstrap_servers
    return name


def _stream(settings: Tree, poisons: Sequence[Poison]) -> Iterator[tuple[Outgoing, Poison | None]]:
    topics = settings.topics
    rules = DecodeRules(
        partitions=topics.partitions,
        max_event_bytes=settings.customers.max_event_bytes,
        future_tolerance_ms=round(settings.customers.future_tolerance_seconds * 1000),
    )
    good = iter(Personas(PLAN))
    now_ms = time.time_ns() // 1_000_000 + AHEAD_MS
    for poison in poisons:
        for key, payload, _ in islice(good, GOOD_EVENTS):
            yield Outgoing(topics.events, partition_of(key, topics.partitions), key, payload), None
        bad = poison.make(key.decode(), rules, now_ms)
        yield Outgoing(topics.events, bad.partition, bad.key, bad.value), poison


def _write(settings: Tree, stream: Sequence[tuple[Outgoing, Poison | None]]) -> list[Written]:
    """A sink can do what a writer must not: write without a key, and where it does not belong."""
    offsets: list[int] = []
    watchdog = Watchdog(settings.worker.watchdog_seconds)
    with closing(KafkaSink(settings.kafka, f"{settings.kafka.transactional_id}-writer", watchdog)) as sink:
        for start in range(0, len(stream), _WRITTEN_AT_ONCE):
            offsets += sink.commit([record for record, _ in stream[start : start + _WRITTEN_AT_ONCE]], None)
    return [Written(record, offset, poison) for (record, poison), offset in zip(stream, offsets, strict=True)]


def _process(settings: Tree, left: int) -> None:
    """Run the service until it has taken in so many records."""
    service = Service(settings, kafka_backend(settings), CollectorRegistry())
    deadline = time.monotonic() + _SECONDS
    with closing(Lockstep(service.worker(), service.owner())) as lockstep:
        while left > 0:
            left -= lockstep.run_once().records
            if time.monotonic() > deadline:
                raise SegstreamError(f"{left} records were not processed in {_SECONDS:g} s")


def _records(settings: Tree, tail: KafkaTail, topic: str) -> Iterator[Record]:
    for partition in range(settings.topics.partitions):
        yield from read_between(tail, topic, partition, *tail.bounds(topic, partition))


def _refused(settings: Tree, tail: KafkaTail) -> dict[tuple[int, int], list[Answer]]:
    """The rejected topic by where on the input topic the original was: (partition, offset)."""
    found: dict[tuple[int, int], list[Answer]] = defaultdict(list)
    for record in _records(settings, tail, settings.topics.rejected):
        said = read_rejected(record.headers)
        found[said.partition, said.offset].append(Answer(said, record))
    return found


def _has_right_reason(sent: Written, answers: Sequence[Answer]) -> bool:
    return sent.poison is not None and [a.said.reason for a in answers] == [sent.poison.reason]


def _is_identical(sent: Written, answers: Sequence[Answer]) -> bool:
    return [(a.record.key, a.record.value) for a in answers] == [(sent.record.key, sent.record.value)]


def _share(verdicts: Iterable[bool]) -> float:
    every = list(verdicts)
    return sum(every) / len(every)


if __name__ == "__main__":
    sys.exit(main())
