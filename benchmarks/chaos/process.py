"""One process of the service with a tripwire in it; everything else is as production runs it.

    python -m benchmarks.chaos.process worker --slot 0 --settings '{"kafka": ...}' --crash C:3

More wires come one a line on standard input. When that ends, because the harness did, so does the process.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import signal
import sys
import threading
from typing import Any

from benchmarks.chaos import points
from benchmarks.chaos.tripwire import POINTS, Tripwire, Wire
from consumers import build, logs, restoring, running
from consumers.kafka_source import KafkaSource
from stream.errors import SegstreamError, SettingsError
from stream.settings import Tree, load


def main() -> int:
    """Command line; exit codes as those of ``segstream``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=["worker", "owner"])
    parser.add_argument("--slot", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON, as the flags of the command line")
    parser.add_argument("--crash", metavar="POINT:N[:DEED]", help="; ".join(f"{p}: {w}" for p, w in POINTS.items()))
    parser.add_argument("--page", type=int, help="customers of a page of a restore")
    parser.add_argument("--log-level", default="info", choices=logs.LEVELS)
    parser.add_argument("--max-poll-interval", type=float, help="seconds")
    arguments = parser.parse_args()
    logs.set_up(arguments.log_level)
    tripwire = Tripwire()
    if arguments.crash:
        tripwire.set(Wire.of(arguments.crash))
    if arguments.page:
        restoring.PAGE = arguments.page
    threading.Thread(target=_listen, args=(tripwire,), daemon=True).start()
    try:
        settings = load(environ=os.environ, flags=json.loads(arguments.settings))
        _watch(tripwire, settings, arguments.max_poll_interval)
        return running.worker(settings, arguments.slot) if arguments.role == "worker" else running.owner(settings)
    except SegstreamError as error:
        print(f"segstream: {type(error).__name__}: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1


def _watch(tripwire: Tripwire, settings: Tree, max_poll_interval: float | None) -> None:
    """Stretch wires in everything the service is built from, and be ready to say where it stands."""
    production, watched = build.kafka_backend, points.Watched(tripwire)

    def backend(settings: Tree) -> build.Backend:
        return watched.backend(production(settings))

    running.kafka_backend = backend  # type: ignore[attr-defined]
    source = _watch_client(tripwire, settings)
    if max_poll_interval is not None:
        patience = {"max_poll_interval_seconds": max_poll_interval}
        points.around(source, "__init__", lambda init, *given, **named: init(*given, **{**named, **patience}))
    signal.signal(signal.SIGUSR1, lambda *_: confess(watched))
    faulthandler.register(signal.SIGUSR1, chain=True)


def _watch_client(tripwire: Tripwire, settings: Tree) -> type[Any]:
    """The same in the client's library; returns what the service reads with."""
    if settings.kafka.client == "librdkafka":
        from benchmarks.chaos import librdkafka_points  # noqa: PLC0415 (an extra)
        from consumers.librdkafka_source import LibrdkafkaSource  # noqa: PLC0415

        librdkafka_points.watch_client(tripwire)
        return LibrdkafkaSource
    points.watch_client(tripwire)
    return KafkaSource


def confess(watched: points.Watched) -> None:
    """Say where every partition stands with its consumer: for a process that does not go on. The stacks are next."""
    for source in watched.sources:
        consumer = getattr(source, "_consumer", None)
        subscription, fetcher = getattr(consumer, "_subscription", None), getattr(consumer, "_fetcher", None)
        parked = [*getattr(fetcher, "_paused_partition_records", ())]
        print(f"chaos asked: parked {parked}", file=sys.stderr, flush=True)
        for at, state in dict(getattr(subscription, "assignment", {})).items():
            print(f"chaos asked: {at.topic}-{at.partition} {vars(state)}", file=sys.stderr, flush=True)


def _listen(tripwire: Tripwire) -> None:
    for line in sys.stdin:
        tripwire.set(Wire.of(line))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
