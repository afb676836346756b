"""A fleet: workers and owners over one broker and one store, and everything that can happen to them.

A function of what is asked of it: no thread runs beside another, no real time passes, nothing is random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry

from consumers.build import Service, memory_backend
from consumers.owner import Owner
from consumers.twins import Twins
from consumers.worker import Clocks, Done, Worker
from producers.orders import Encoded, encode_order
from stream.customer.features import FeatureSet
from stream.settings import Tree, load
from tests.helpers import MONDAY_MS
from tests.simulation.seams import Around, SteppedSink, SteppedSource, SteppedStore, SteppedTail
from tests.simulation.stepping import Crash, Round, Steps, Stop

WORKERS = ("worker-0", "worker-1", "worker-2")
OWNERS = ("owner-0", "owner-1")
CUSTOMERS = tuple(f"c{number}" for number in range(12))
TIMEOUT_SECONDS = 12.0
"""So long a dead process counts as a member of its group, and its transaction stays open."""
_ROUNDS_AT_MOST = 150
_QUIET_ROUNDS = 3
_LARGE_BATCH = 1000


def _feature(name: str, kind: str, of: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "of": of, "unit": "each", "low": f"low {name}", "high": f"high {name}", **rest}


@cache
def tiny() -> Tree:
    """The smallest service that has everything: two features, two segments, a macro step after a few looks."""
    orders = _feature("orders", "rate", "orders", prior=4.0, prior_weight=7.0, transform="log1p", range=[0, 150])
    basket = _feature("basket", "ratio", "spend", per="orders", prior=30.0, transform="log1p", range=[0, 3000])
    accumulators = [{"name": "orders", "kind": "count"}, {"name": "spend", "kind": "sum", "field": "amount"}]
    customers = {
        "accumulators": accumulators,
        "features": [orders, basket],
        "cold_looks": 2,
        "max_jump_days": 1000,
        "forget_after_days": 10_000,
    }
    model = {"segments": 2, "cells": 8, "warmup_customers": 10, "macro_rows": 4, "interval_seconds": 0}
    return load(
        flags={
            "profile": "none",
            "customers": customers,
            "model": {**model, "challenger_tries": 1},
            "kafka": {"max_poll_records": 5, "poll_timeout_seconds": 0.5},
            "topics": {"partitions": 2},
            "redis": {"features_document": False},
            "worker": {"sweep_seconds": 240},
        }
    )


@cache
def features() -> FeatureSet:
    """Compiled once."""
    return FeatureSet(tiny().customers)


@dataclass(eq=False)
class Process:
    """A worker or an owner that runs, or is paused in the middle of a round."""

    name: str
    body: Worker | Owner
    source: SteppedSource
    steps: Steps
    round: Round | None = None
    paused_at: float = 0.0

    def go(self, stop: Stop | None) -> object:
        """A round, or the rest of one; ``None`` when it is paused. Raises ``Crash``."""
        self.steps.plan(stop)
        if self.round is None and (stop is None or stop.how != "pause"):
            return self.body.run_once()
        self.round = self.round or Round(self.steps, self.body.run_once)
        return self.end(crash=False)

    def end(self, *, crash: bool) -> object:
        """Go on in the middle of a round, or ``crash`` there."""
        round_, self.round = self.round, None
        assert round_ is not None
        result = round_.go_on(crash=crash)
        self.round = None if round_.is_over else round_
        return result


@dataclass
class Fleet(Twins):
    """The twins, with several of each process, some of them dead without the broker knowing."""

    settings: Tree = field(default_factory=tiny)
    running: dict[str, Process] = field(default_factory=dict, init=False)
    zombies: list[Process] = field(default_factory=list, init=False)
    """Paused and taken for dead: others have their place."""
    late: frozenset[str] = frozenset()
    """Where the markers of transactions come late: topics, or the group's offsets."""
    sent: list[Encoded] = field(default_factory=list, init=False)
    now_ms: int = MONDAY_MS
    after_round: Callable[[], None] = lambda: None
    """Called after every round of anybody."""
    _ghosts: list[tuple[SteppedSource, float]] = field(default_factory=list, init=False)

    # What others do

    def order(self, customers: Sequence[int], gap_ms: int, cents: int) -> None:
        """An order of each of these, ``gap_ms`` after the last one."""
        for who in customers:
            self.now_ms += gap_ms
            name = CUSTOMERS[who]
            amount = (cents + 977 * who) % 40_000 / 100
            self._put(encode_order(f"e{len(self.sent)}", name, self.now_ms, UTC, amount))

    def repeat(self, back: int) -> None:
        """An order is sent once more."""
        if self.sent:
            self._put(self.sent[-1 - back % min(len(self.sent), 8)])

    def poison(self, who: int) -> None:
        """Something that is no event."""
        self._put(Encoded(CUSTOMERS[who].encode(), b"{", self.now_ms))

    def _put(self, event: Encoded) -> None:
        if event.payload != b"{":
            self.sent.append(event)
        self.send([event])

    def group_of(self, name: str) -> str:
        """The group a process is in."""
        return self.settings.kafka.group if name in WORKERS else f"{self.settings.kafka.group}-owner"

    # What processes do

    def run(self, name: str, stop: Stop | None = None) -> object:
        """A round of a process, or the rest of one; it is started if it is not there. What the round returned."""
        process = self.running.get(name) or self._start(name)
        return self._go(process, stop)

    def wake(self, index: int, stop: Stop | None = None) -> None:
        """A zombie ends its round, and is gone."""
        if self.zombies:
            zombie = self.zombies[index % len(self.zombies)]
            self._go(zombie, stop)
            if zombie in self.zombies and zombie.round is None:
                self._gone(zombie)

    def supersede(self, name: str) -> None:
        """A paused process is taken for dead: its place is free."""
        process = self.running.get(name)
        if process is not None and process.round is not None:
            self.zombies.append(self.running.pop(name))

    def crash(self, name: str) -> None:
        """It is gone where it stands."""
        process = self.running.get(name)
        if process is not None:
            self._kill(process)

    def leave(self, name: str) -> None:
        """It stops in good order, if it is not in the middle of a round."""
        process = self.running.get(name)
        if process is not None and process.round is None:
            process.steps.plan(None)
            process.body.close()
            del self.running[name]

    def wait(self, seconds: float) -> None:
        """Time passes: the broker gives up on who was not heard of."""
        self.wall.wait(seconds)
        limit = self.wall.now() - TIMEOUT_SECONDS
        self.broker.end_transactions(round(limit * 1000))
        for source, since in self._ghosts:
            if since <= limit:
                self._expel(source)
        self._ghosts = [(source, since) for source, since in self._ghosts if since > limit]
        for process in (*self.running.values(), *self.zombies):
            if process.round is not None and process.paused_at <= limit:
                self._expel(process.source)

    def rest(self) -> None:
        """Everybody goes on undisturbed until there is nothing left to do. Who is paused goes on last."""
        self.late = frozenset()
        self.wait(TIMEOUT_SECONDS + 1)
        self._settle()
        paused = [name for name, process in self.running.items() if process.round is not None]
        while self.zombies:
            self.wake(0)
        for name in paused:
            self.run(name)
        if paused:
            self._settle()

    def _settle(self) -> None:
        for names in (WORKERS, OWNERS):
            free = [name for name in names if name not in self.running]
            if len(free) == len(names) or (free and not any(self._may_run(name) for name in names)):
                self._start(free[0])
        quiet = 0
        for _ in range(_ROUNDS_AT_MOST):
            going = [name for name in self.running if self._may_run(name)]
            for name in going:
                self.running[name].source.limit = _LARGE_BATCH
            epochs = [self.running[name].source.epoch for name in going]
            busy = [self._was_busy(self.run(name)) for name in going]
            is_settled = epochs == [self.running[name].source.epoch for name in going]
            quiet = quiet + 1 if is_settled and not any(busy) else 0
            if quiet == _QUIET_ROUNDS:
                break
        else:
            raise AssertionError("it does not come to rest")
        for process in self.running.values():
            process.source.limit = self.settings.kafka.max_poll_records

    def _may_run(self, name: str) -> bool:
        return name in self.running and self.running[name].round is None

    def close(self) -> None:
        """Everybody stops in good order."""
        for name in list(self.running):
            self.leave(name)

    def bury(self) -> None:
        """End what is still paused, so that no thread stays behind."""
        for process in (*self.running.values(), *self.zombies):
            if process.round is not None:
                self._kill(process)

    def _start(self, name: str) -> Process:
        steps = Steps()
        around, sources = Around(steps, self.wait, lambda: self.late), []
        broker, limit = self.broker, self.settings.kafka.max_poll_records

        def source(topic: str, group: str, instance: str | None = None) -> SteppedSource:
            sources.append(SteppedSource(broker, topic, group, limit, around))
            return sources[-1]

        backend = replace(
            memory_backend(self.settings, broker, self.store, Clocks(self.wall.now, self.wait)),
            source=source,
            sink=lambda transactional_id: SteppedSink(broker, transactional_id, around),
            tail=lambda: SteppedTail(broker, around),
            store=lambda: SteppedStore(self.store, around),
        )
        service = Service(self.settings, backend, CollectorRegistry(), int(name[-1]))
        service.__dict__["features"] = features()  # compiled once
        body = service.worker() if name in WORKERS else service.owner()
        self.running[name] = Process(name, body, sources[0], steps)
        return self.running[name]

    def _go(self, process: Process, stop: Stop | None) -> object:
        try:
            result = process.go(stop)
            self.after_round()
            return result
        except Crash:
            self._gone(process)
        finally:
            process.paused_at = self.wall.now()
        self.after_round()
        return None

    def _kill(self, process: Process) -> None:
        if process.round is not None:
            with suppress(Crash):
                process.end(crash=True)
        self._gone(process)

    def _gone(self, process: Process) -> None:
        """The group takes it for a member for a while."""
        self._ghosts.append((process.source, self.wall.now()))
        if process in self.zombies:
            self.zombies.remove(process)
        elif self.running.get(process.name) is process:
            del self.running[process.name]

    def _expel(self, source: SteppedSource) -> None:
        with self.broker.changed:
            self.broker.group(source.group).expel(source.member)

    @staticmethod
    def _was_busy(result: object) -> bool:
        return result.step is not None if isinstance(result, Done) else result is not None
