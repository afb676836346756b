"""Throughput: segstream against the naive per-event loop, on the same topic, in one run.

    python -m benchmarks.throughput --json [--n 60000] [--rounds 5] [--broker embedded|HOST:PORT] [--redis URL]

Every round runs both systems, each in a fresh process, in alternating order, with its own group, output topics and an
emptied store. Both clocks start with the first record in hand. Ratios are within a round, the medians over rounds are
reported with their spread: on a shared machine absolute figures move by half, ratios by a tenth.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

import psutil
from prometheus_client import CollectorRegistry
from redis import Redis

from benchmarks import naive
from consumers import running
from consumers.build import Service, kafka_backend
from consumers.embedded import EmbeddedBroker, EmbeddedStore
from consumers.topics import create_topics
from producers.journey import Journey
from producers.kafka_writer import KafkaWriter
from producers.replay import replay
from stream.settings import Tree, load

SYSTEMS = ("naive", "segstream")


def main() -> int:
    """Run the benchmark, or (with ``--system``) one system of one round."""
    parser = parser_of(__doc__)
    parser.add_argument("--system", choices=SYSTEMS)
    parser.add_argument("--tag", default="")
    arguments = parser.parse_args()
    if arguments.system:
        settings = settings_of(arguments.broker, arguments.redis, arguments.tag)
        run = _naive if arguments.system == "naive" else _segstream
        print(json.dumps(asdict(run(settings, arguments.tag, arguments.n))))
        return 0
    report = _benchmark(arguments)
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 0


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """What every benchmark that drains the topic in rounds can be told."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--redis", default="embedded")
    parser.add_argument("--json", action="store_true")
    return parser


def _benchmark(arguments: argparse.Namespace) -> dict[str, Any]:
    with filled(arguments.broker, arguments.redis, arguments.n) as (broker, redis):
        rounds = [_round(broker, redis, number, arguments.n) for number in range(arguments.rounds)]
    return _report(rounds, arguments)


@contextmanager
def filled(broker: str, redis: str, n: int) -> Iterator[tuple[str, str]]:
    """Addresses of broker and store, started here if they are to be embedded, with ``n`` events on the topic."""
    with ExitStack() as stack:
        if broker == "embedded":
            broker = stack.enter_context(EmbeddedBroker()).bootstrap_servers
        if redis == "embedded":
            redis = stack.enter_context(EmbeddedStore()).url
        settings = settings_of(broker, redis, "")
        create_topics(settings)
        writer = KafkaWriter(settings.kafka)
        replay(Journey(), writer, settings.topics.events, limit=n)
        writer.close()
        yield broker, redis


def _round(broker: str, redis: str, number: int, n: int) -> dict[str, naive.Ran]:
    ran = {}
    for system in SYSTEMS if number % 2 == 0 else SYSTEMS[::-1]:
        tag = f"{system}{number}-{time.time_ns()}"
        fresh(broker, redis, tag)
        ran[system] = alone(system, tag, broker, redis, n)
        print(f"round {number} {system}: {ran[system].events / ran[system].seconds:,.0f} events/s", file=sys.stderr)
    return ran


def fresh(broker: str, redis: str, tag: str) -> Tree:
    """The settings of a round, whose output topics are there and whose store is empty."""
    settings = settings_of(broker, redis, tag)
    create_topics(settings)
    Redis.from_url(redis).flushall()
    return settings


def alone(system: str, tag: str, broker: str, redis: str, n: int) -> naive.Ran:
    """One system in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.throughput", "--system", system, "--tag", tag]
    command += ["--n", str(n), "--broker", broker, "--redis", redis]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return naive.Ran(**json.loads(out.strip().splitlines()[-1]))


def _report(rounds: list[dict[str, naive.Ran]], arguments: argparse.Namespace) -> dict[str, Any]:
    rates = {s: [r[s].events / r[s].seconds for r in rounds] for s in SYSTEMS}
    ratios = [ours / theirs for ours, theirs in zip(rates["segstream"], rates["naive"], strict=True)]
    return {
        "systems": {
            s: {
                "events_per_second": statistics.median(rates[s]),
                "events_per_second_range": [min(rates[s]), max(rates[s])],
                "cpu_us_per_event": statistics.median(r[s].cpu_seconds / r[s].events * 1e6 for r in rounds),
                "changed_share": statistics.median(r[s].changes / r[s].events for r in rounds),
            }
            for s in SYSTEMS
        },
        "ratios": {"naive": statistics.median(ratios)},
        "ratios_range": {"naive": [min(ratios), max(ratios)]},
        "n": arguments.n,
        "rounds": arguments.rounds,
        "broker": "embedded (tansu)" if arguments.broker == "embedded" else arguments.broker,
    }


def settings_of(broker: str, redis: str, tag: str) -> Tree:
    """Everything but the input topic is a round's own."""
    outputs = ("changes", "ledger", "profiles", "rejected", "journal", "learning", "model", "control")
    shipped = load()
    topics = {name: f"{getattr(shipped.topics, name)}{tag and '-' + tag}" for name in outputs}
    kafka = {
        "bootstrap_servers": broker,
        "group": f"segstream{tag}",
        "transactional_id": f"segstream{tag}",
        "session_timeout_seconds": 6.0,
        "poll_timeout_seconds": 0.01,
    }
    return load(flags={"kafka": kafka, "topics": topics, "redis": {"url": redis}, "metrics": {"enabled": False}})


def _naive(settings: Tree, tag: str, n: int) -> naive.Ran:
    url, servers = settings.redis.url.get_secret_value(), settings.kafka.bootstrap_servers
    return naive.run(servers, url, settings.topics.events, settings.topics.changes, f"naive{tag}", n)


def _segstream(settings: Tree, tag: str, n: int) -> naive.Ran:
    """A worker here and a model owner in a process of its own, as ``segstream run`` has them; both's CPU counts."""
    owner = multiprocessing.get_context("spawn").Process(target=running.owner, args=(settings,), daemon=True)
    owner.start()
    worker = Service(settings, kafka_backend(settings), CollectorRegistry()).worker()
    running.settle_heap()
    events = changes = 0
    started = cpu = 0.0
    while events < n:
        at, at_cpu = time.perf_counter(), time.process_time()
        done = worker.run_once()
        if done.records and not events:
            started, cpu = at, at_cpu + _cpu_seconds(owner.pid)
        events += done.records
        changes += len(done.step.changes) if done.step else 0
    ran = naive.Ran(events, changes, time.perf_counter() - started, time.process_time() + _cpu_seconds(owner.pid) - cpu)
    worker.close()
    owner.terminate()
    owner.join()
    return ran


def _cpu_seconds(pid: int | None) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


if __name__ == "__main__":
    sys.exit(main())
