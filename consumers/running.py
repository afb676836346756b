"""What the processes of the service do: a worker, an owner, and the supervisor of both."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, start_http_server

from consumers.build import Service, kafka_backend
from consumers.supervising import Supervisor
from stream.settings import Tree


def worker(settings: Tree, slot: int) -> int:
    """Run one worker until SIGTERM or SIGINT; returns the exit code."""
    with _serving(settings, settings.metrics.port + 2 * slot) as registry:
        running = Service(settings, kafka_backend(settings), registry, slot).worker()
        try:
            _until_told(running.run_once)
        finally:
            running.close()
    return 0


def owner(settings: Tree) -> int:
    """Run a model owner until SIGTERM or SIGINT; returns the exit code."""
    with _serving(settings, settings.metrics.port + 1) as registry:
        running = Service(settings, kafka_backend(settings), registry).owner()
        try:
            _until_told(running.run_once)
        finally:
            running.close()
    return 0


def run(settings: Tree, workers: int, options: Sequence[str]) -> int:
    """Run workers and an owner as supervised processes until SIGTERM or SIGINT; returns the exit code.

    ``options`` are the command line's own (settings file, flags): the children read their settings as we did, so no
    secret is ever passed on.
    """
    start = [sys.executable, "-m", "consumers.cli", *options]
    commands = {f"worker-{slot}": [*start, "worker", "--slot", str(slot)] for slot in range(workers)}
    commands["owner"] = [*start, "owner"]
    supervisor = Supervisor(commands, settings.worker.drain_seconds, time.monotonic, time.sleep)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.stop)
    return supervisor.run()


def _until_told(round_: Callable[[], object]) -> None:
    """Rounds until SIGTERM or SIGINT: the running round is finished, its transaction committed and applied."""
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: told.append(signum))
    while not told:
        round_()


@contextlib.contextmanager
def _serving(settings: Tree, port: int) -> Iterator[CollectorRegistry]:
    """A registry, scraped at ``port`` while the block runs."""
    registry = CollectorRegistry()
    if not settings.metrics.enabled:
        yield registry
        return
    server, thread = start_http_server(port, settings.metrics.host, registry)
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
