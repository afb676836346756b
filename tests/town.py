"""A town of customers who live through batches, held as a worker holds them; for tests of whole steps."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from stream.contracts.changes import SegmentChange
from stream.contracts.events import Event
from stream.customer.features import NEVER, FeatureSet
from stream.customer.registers import NOTHING, Registers
from stream.customer.state import States, empty, pack, unpack
from stream.decision.assign import Assigner
from stream.decision.batch import Batch, Step
from stream.decision.clock import Clock
from stream.decision.step import Stepper
from stream.model.snapshot import Snapshot
from tests.helpers import WALL_MS


class Town:
    """Customers between batches: packed states, by partition, with a clock each. Change ``snapshot`` at will.

    ``due_limit`` is how many customers a batch may load for their timers' sake.
    """

    def __init__(
        self,
        features: FeatureSet,
        snapshot: Snapshot | None = None,
        *,
        partitions: int = 1,
        due_limit: int = 1_000_000,
        wall_ms: int = WALL_MS,
        learns_rows: bool = False,
    ) -> None:
        self.features = features
        self.snapshot = snapshot
        self.clocks = [Clock() for _ in range(partitions)]
        self.states: dict[str, bytes] = {}
        self.steps: list[Step] = []
        self.wall_ms = wall_ms
        self._deadlines: dict[str, int] = {}
        self._due_limit = due_limit
        self._learns_rows = learns_rows

    @property
    def changes(self) -> list[SegmentChange]:
        """Every change so far."""
        return [change for step in self.steps for _, change in step.changes]

    @property
    def duplicates(self) -> int:
        """Every duplicate so far."""
        return sum(step.duplicates for step in self.steps)

    def partition(self, customer: str) -> int:
        """Where a customer lives."""
        return zlib.crc32(customer.encode()) % len(self.clocks)

    def row(self, customer: str) -> Any:
        """The state of one customer."""
        return unpack(self.features, [self.states[customer]])[0][0]

    def registers(self, customer: str) -> Registers:
        """What is known of one customer otherwise."""
        return unpack(self.features, [self.states[customer]])[1][0]

    def rows(self) -> States:
        """The states of all, in name order."""
        return unpack(self.features, [self.states[c] for c in sorted(self.states)])[0]

    def live(self, events: Sequence[Event], cuts: Iterable[int] = ()) -> None:
        """Feed events in batches cut at these positions, then let every timer fire that fell due."""
        for start, end in pairwise([0, *sorted(cuts), len(events)]):
            self.feed(events[start:end])
        while any(self._due(p, clock.now_ms) for p, clock in enumerate(self.clocks)):
            self.feed([])

    def feed(self, events: Sequence[Event], sweep: Sequence[str] = ()) -> Step:
        """One batch."""
        batch = self.batch(events, sweep)
        assigner = None if self.snapshot is None else Assigner(self.snapshot)
        step = Stepper(self.features, assigner, self._learns_rows).step(batch)
        touched = step.touched.tolist()
        packed = pack(step.rows[step.touched], [step.registers[i] for i in touched])
        for who, blob, deadline in zip(touched, packed, step.rows["deadline"][touched].tolist(), strict=True):
            self.states[batch.customers[who]] = blob
            self._deadlines[batch.customers[who]] = deadline
        self.clocks = list(step.clocks)
        self.steps.append(step)
        return step

    def batch(self, events: Sequence[Event], sweep: Sequence[str] = ()) -> Batch:
        """The batch that a worker would assemble."""
        everywhere = range(len(self.clocks))
        by_home = [[e for e in events if self.partition(e.customer_id) == p] for p in everywhere]
        ordered = [e for mine in by_home for e in mine]
        newest = [
            max([clock.now_ms, *(e.occurred_at_ms for e in mine)])
            for clock, mine in zip(self.clocks, by_home, strict=True)
        ]
        due = [c for p in everywhere for c in self._due(p, newest[p])]
        customers = list(dict.fromkeys([*(e.customer_id for e in ordered), *due, *sweep]))
        index = {customer: i for i, customer in enumerate(customers)}
        rows, registers = self._loaded(customers)
        return Batch(
            partitions=list(everywhere),
            clocks=self.clocks,
            bounds=np.cumsum([0, *map(len, by_home)]),
            events=ordered,
            event_customer=np.array([index[e.customer_id] for e in ordered], dtype=np.int64),
            customers=customers,
            customer_partition=np.array([self.partition(c) for c in customers], dtype=np.int64),
            rows=rows,
            registers=registers,
            sweep=np.array([index[c] for c in sweep], dtype=np.int64),
            wall_ms=self.wall_ms,
        )

    def _loaded(self, customers: Sequence[str]) -> tuple[States, list[Registers]]:
        rows, registers = empty(self.features, len(customers)), [NOTHING] * len(customers)
        known = [i for i, customer in enumerate(customers) if customer in self.states]
        held, held_registers = unpack(self.features, [self.states[customers[i]] for i in known])
        rows[known] = held
        for i, register in zip(known, held_registers, strict=True):
            registers[i] = register
        return rows, registers

    def _due(self, partition: int, before_ms: int) -> list[str]:
        waiting = ((at, c) for c, at in self._deadlines.items() if self.partition(c) == partition)
        return [c for at, c in sorted(waiting) if NEVER < at < before_ms][: self._due_limit]


def told(changes: Iterable[SegmentChange]) -> dict[str, list[SegmentChange]]:
    """Changes by customer, each in its order, without the wall clock: what must not depend on batching."""
    by_customer: dict[str, list[SegmentChange]] = {}
    for change in changes:
        by_customer.setdefault(change.customer_id, []).append(replace(change, decided_at=""))
    return by_customer
