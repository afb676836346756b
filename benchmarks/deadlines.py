"""Deadlines: a great many customers fall dormant at one instant of event time, and live events go on meanwhile.

    python -m benchmarks.deadlines --json [--customers 1000000] [--rate 500]

A worker over a real redis-server (the log is the in-memory twin) restores the customers from a journal, then lives with
a steady stream of orders of others. At one moment of it all deadlines are passed. Latency is open loop: from the time
an event was to be handed in until its batch is committed and applied. Does everybody fall silent, once, and do the
live events notice? The same model decides throughout, and nobody learns. ``p99_ratio`` is during over before; on a
machine that others use, see ``p99_ratio_around`` (over the mean of before and after) and ``machine_noise``, too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from benchmarks.deadlines_feeder import Feeder
from benchmarks.deadlines_states import Households, Town, write_journal
from benchmarks.servers import RedisServer
from consumers.build import Service, memory_backend
from consumers.running import settle_heap
from consumers.topics import shapes
from consumers.worker import Clocks, Worker
from producers.memory_broker import MemoryBroker
from stream.contracts.changes import decode_change
from stream.contracts.timestamps import rfc3339
from stream.customer.features import DAY_MS
from stream.settings import Tree, load
from stream.view.memory_store import MemoryStore
from stream.view.redis_store import RedisStore

LIVE_CUSTOMERS = 5000
SETTLING_SECONDS = 5.0
"""Of live events that do not count yet."""
ENOUGH_SECONDS = 3600.0


@dataclass
class Watched:
    """What went by."""

    worker: Worker
    feeder: Feeder
    latencies: list[tuple[float, float]] = field(default_factory=list)
    """Of each live event: when it was to be handed in (seconds since 1970), and for how many seconds it waited."""
    timers: int = 0

    def round(self) -> None:
        """One round of the worker."""
        done = self.worker.run_once()
        if done.step is not None:
            self.timers += done.step.timers
            now = time.time()
            marks = {partition: mark.next for partition, mark in self.worker.marks.items()}
            self.latencies.extend((due, now - due) for due in self.feeder.done(marks))

    def until(self, seconds: float) -> None:
        """Rounds until this time."""
        while time.time() < seconds:
            self.round()

    def between(self, start: float, end: float) -> list[float]:
        """Latencies (ms) of the events of this time."""
        return [1000 * took for due, took in self.latencies if start <= due < end]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=500.0, help="live events a second")
    parser.add_argument("--calm", type=float, default=60.0, help="seconds of live events before the mass, and after it")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = run(arguments.customers, arguments.rate, arguments.calm)
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 0 if report["fired"] == report["customers"] and not report["twice"] else 1


def run(customers: int, rate: float, calm_seconds: float) -> dict[str, Any]:
    """Fill, wait, let them all fall due, and look at what was told."""
    with RedisServer() as redis:
        settings = _settings(redis.url)
        broker = MemoryBroker()
        backend = memory_backend(settings, broker, MemoryStore(), Clocks(time.time, time.sleep))
        backend.create(shapes(settings.topics))
        service = Service(settings, replace(backend, store=lambda: RedisStore(settings.redis)), CollectorRegistry())
        households = Households.learnt(settings)
        # Writing and restoring take less than this; what is left of it is waited for.
        asleep_ms = round((time.time() + 10 + customers / 4000 + calm_seconds + SETTLING_SECONDS) * 1000)
        names = [f"silent-{i}" for i in range(customers)]
        live = [f"live-{i}" for i in range(LIVE_CUSTOMERS)]
        towns = (
            Town(names, households.dormant_at(asleep_ms, customers)),
            Town(live, households.active_at(asleep_ms - DAY_MS, LIVE_CUSTOMERS)),
        )
        write_journal(settings, broker, households, towns)
        del towns
        with closing(service.worker()) as worker:
            report = _live(worker, Feeder(broker, settings.topics, live, rate), asleep_ms, customers, calm_seconds)
        return {**report, **_told(settings, broker, asleep_ms)}


def _live(worker: Worker, feeder: Feeder, asleep_ms: int, customers: int, calm_seconds: float) -> dict[str, Any]:
    """Restore, then live through calm, mass and calm; what was measured."""
    began, asleep, watched = time.time(), asleep_ms / 1000, Watched(worker, feeder)
    while not worker.marks:
        watched.round()
    restored = time.time()
    print(f"restored in {restored - began:.0f} s", file=sys.stderr)
    settle_heap()
    assert restored < asleep - calm_seconds / 2, "restoring took longer than was foreseen"
    start = max(restored, asleep - calm_seconds - SETTLING_SECONDS)
    loads = [os.getloadavg()[0]]
    with feeder.running(start):
        watched.until(asleep)
        while watched.timers < customers and time.time() < asleep + ENOUGH_SECONDS:
            watched.round()
        ended = time.time()
        loads.append(os.getloadavg()[0])
        watched.until(ended + calm_seconds)
    last = ended + calm_seconds - 1  # what came later may not be done
    spans = {"before": (start + SETTLING_SECONDS, asleep), "during": (asleep, ended), "after": (ended, last)}
    return {
        "customers": customers,
        "rate": feeder.rate,
        "restored_seconds": round(restored - began, 1),
        "seconds": round(ended - asleep, 1),
        "timers_per_second": round(watched.timers / (ended - asleep)),
        **_latencies(watched, spans),
        "load": {"cpus": os.cpu_count(), "before": round(loads[0], 1), "during": round(loads[1], 1)},
    }


def _latencies(watched: Watched, spans: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Of the live events of each time, and how far the machine itself is to be trusted."""
    took = {name: watched.between(*span) for name, span in spans.items()}
    p99 = {name: _percentile(values, 99) for name, values in took.items()}
    start, end = spans["before"]
    middle = (start + end) / 2
    halves = [_percentile(watched.between(*half), 99) for half in ((start, middle), (middle, end))]
    return {
        "live_events": {name: len(values) for name, values in took.items()},
        "live_p50_ms": {name: _percentile(values, 50) for name, values in took.items()},
        "live_p99_ms": p99,
        "live_max_ms": {name: _percentile(values, 100) for name, values in took.items()},
        "p99_ratio": round(p99["during"] / p99["before"], 3),
        "p99_ratio_around": round(2 * p99["during"] / (p99["before"] + p99["after"]), 3),
        "machine_noise": {
            "p99_halves_of_before": round(max(halves) / min(halves), 3),
            "p99_after_to_before": round(p99["after"] / p99["before"], 3),
        },
    }


def _percentile(values: list[float], share: float) -> float:
    return round(float(np.percentile(values, share)), 2) if values else float("nan")


def _told(settings: Tree, broker: MemoryBroker, asleep_ms: int) -> dict[str, int]:
    """Of how many the change log says that they fell dormant at that instant; and how often it says so again."""
    at = rfc3339(asleep_ms)
    told = Counter(
        change.customer_id
        for change in map(decode_change, _changes(settings, broker))
        if change.cause == "time" and change.occurred_at == at and change.customer_id.startswith("silent-")
    )
    return {"fired": len(told), "twice": told.total() - len(told)}


def _changes(settings: Tree, broker: MemoryBroker) -> Iterator[bytes]:
    for partition in range(settings.topics.partitions):
        entries, _ = broker.read(settings.topics.changes, partition, 0, 1 << 62)
        yield from (entry.value for _, entry in entries if entry.value is not None)


def _settings(redis_url: str) -> Tree:
    model = {"interval_seconds": 0}
    return load(flags={"redis": {"url": redis_url}, "model": model, "metrics": {"enabled": False}})


if __name__ == "__main__":
    sys.exit(main())
