"""What the live page costs the worker: the same events with somebody looking on, and without.

    python -m benchmarks.page_cost --json [--n 60000] [--rounds 5] [--broker embedded|HOST:PORT] [--redis URL]

Every round drains the topic twice, in alternating order, each time with a worker and an owner in fresh processes and an
emptied store; once beside the page with one viewer, whose picture comes once a second. The worker's own cost is its CPU
time an event; throughput also tells what broker, store, worker and page take from each other where cores are few.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks import naive
from benchmarks.throughput import alone, filled, fresh, parser_of
from consumers.page.serving import beside
from stream.settings import Tree


def main() -> int:
    """Command line."""
    arguments = parser_of(__doc__).parse_args()
    with filled(arguments.broker, arguments.redis, arguments.n) as (broker, redis):
        rounds = [_round(broker, redis, number, arguments.n) for number in range(arguments.rounds)]
    report = _report(rounds) | {"n": arguments.n, "rounds": arguments.rounds, "cpus": psutil.cpu_count()}
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 0


class Viewer:
    """Somebody who looks on, and what the page's process used meanwhile."""

    def __init__(self, address: str) -> None:
        self.pictures = 0
        self.cpu_share = 0.0
        self._page = urlsplit(address)
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def leave(self) -> None:
        """After the page has gone."""
        self._looking.join(10.0)

    def _look(self) -> None:
        with (
            closing(HTTPConnection(self._page.hostname or "", self._page.port, timeout=60)) as connection,
            suppress(HTTPException, OSError),  # the page goes in the middle of it
        ):
            connection.request("GET", "/api/events")
            with connection.getresponse() as stream:
                for line in stream:
                    self.pictures += line.startswith(b"data:")


@contextmanager
def watched(settings: Tree) -> Iterator[Viewer]:
    """A page with one viewer."""
    with beside(settings) as address:
        if address is None:
            raise RuntimeError("the page did not come up")
        page = psutil.Process(multiprocessing.active_children()[-1].pid)
        viewer = Viewer(address)
        began, used = time.monotonic(), sum(page.cpu_times()[:2])
        yield viewer
        viewer.cpu_share = (sum(page.cpu_times()[:2]) - used) / (time.monotonic() - began)
    viewer.leave()


def _round(broker: str, redis: str, number: int, n: int) -> dict[bool, tuple[naive.Ran, Viewer | None]]:
    ran = {}
    for is_watched in (True, False) if number % 2 == 0 else (False, True):
        tag = f"page{number}-{time.time_ns()}"
        settings = fresh(broker, redis, tag)
        with watched(settings) if is_watched else nullcontext() as viewer:
            ran[is_watched] = (alone("segstream", tag, broker, redis, n), viewer)
        print(
            f"round {number} {'watched' if is_watched else 'alone'}: {_rate(ran[is_watched][0]):,.0f}", file=sys.stderr
        )
    return ran


def _report(rounds: list[dict[bool, tuple[naive.Ran, Viewer | None]]]) -> dict[str, Any]:
    viewers = [viewer for ran in rounds if (viewer := ran[True][1]) is not None]
    rates = [_rate(ran[True][0]) / _rate(ran[False][0]) for ran in rounds]
    costs = [_cost(ran[True][0]) / _cost(ran[False][0]) for ran in rounds]
    return {
        "events_per_second": {
            name: statistics.median(_rate(ran[is_watched][0]) for ran in rounds)
            for name, is_watched in (("watched", True), ("alone", False))
        },
        "throughput_ratio": statistics.median(rates),
        "throughput_ratio_range": [min(rates), max(rates)],
        "worker_cpu_ratio": statistics.median(costs),
        "worker_cpu_ratio_range": [min(costs), max(costs)],
        "page_cpu_share": statistics.median(viewer.cpu_share for viewer in viewers),
        "pictures": sum(viewer.pictures for viewer in viewers),
    }


def _rate(ran: naive.Ran) -> float:
    return ran.events / ran.seconds


def _cost(ran: naive.Ran) -> float:
    return ran.cpu_seconds / ran.events


if __name__ == "__main__":
    sys.exit(main())
