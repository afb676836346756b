"""What the processes of the service do: a worker, an owner, and the supervisor of both."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, start_http_server

from consumers.build import Service, kafka_backend
from consumers.supervising import Supervisor
from stream.errors import SettingsError
from stream.process_info import ProcessInfo
from stream.settings import Tree

log = logging.getLogger(__name__)

_LAST_PORT = 65_535


def worker(settings: Tree, slot: int) -> int:
    """Run one worker until SIGTERM or SIGINT; returns the exit code."""
    with _serving(settings, 2 * slot) as registry:
        with _in_time():
            running = Service(settings, kafka_backend(settings), registry, slot).worker()
        settle_heap()
        try:
            _until_told(running.run_once)
        finally:
            running.close()
    return 0


def owner(settings: Tree) -> int:
    """Run a model owner until SIGTERM or SIGINT; returns the exit code."""
    with _serving(settings, 1) as registry:
        with _in_time():
            running = Service(settings, kafka_backend(settings), registry).owner()
        settle_heap()
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


START_SECONDS = 120.0
"""More than all that a start waits for, one after the other. One that takes longer hangs in a library for want of
memory: it is in no group yet, so nobody would miss it."""


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """End the process, with code 1 and its stack on stderr, if the block takes longer than a start may."""
    faulthandler.dump_traceback_later(START_SECONDS, exit=True, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


_YOUNG_OBJECTS = 50_000


def settle_heap() -> None:
    """Take what is built so far out of the garbage collector's sight.

    The imports (river, scipy) are a hundred thousand objects that never become garbage; looking at them again and
    again was a tenth of a busy worker's time. A batch makes some 50,000 objects of its own.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)


def _until_told(round_: Callable[[], object]) -> None:
    """Rounds until SIGTERM or SIGINT: the running round is finished, its transaction committed and applied."""
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: told.append(signum))
    while not told:
        round_()


def describe(registry: CollectorRegistry, settings: Tree) -> None:
    """What every process shows, whatever its role."""
    ProcessInfo(registry, settings)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)


@contextlib.contextmanager
def _serving(settings: Tree, place: int) -> Iterator[CollectorRegistry]:
    """A registry, scraped while the block runs, at the port of this place behind ``metrics.port``."""
    registry, metrics = CollectorRegistry(), settings.metrics
    if not metrics.enabled:
        yield registry
        return
    port = metrics.port and metrics.port + place  # 0: any free port, for each process
    if port > _LAST_PORT:
        raise SettingsError(f"metrics.port: {metrics.port} leaves no port for this process, it would be {port}")
    describe(registry, settings)
    server, thread = start_http_server(port, metrics.host, registry)
    log.info("metrics at http://%s:%d/metrics", metrics.host, server.server_port)
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
