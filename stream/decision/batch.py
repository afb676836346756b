"""What goes into a step and what comes out of it. Both are plain data; nothing here touches the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stream.contracts.changes import SegmentChange
from stream.contracts.events import Event
from stream.customer.registers import Registers
from stream.customer.state import States
from stream.decision.clock import Clock
from stream.model.learning import LearningRecord
from stream.model.snapshot import IntArray


@dataclass(frozen=True)
class Batch:
    """The accepted events of one poll and the states of everybody they, the timers and the sweep concern.

    Events stand partition by partition, in offset order within each; ``bounds[i]`` and ``bounds[i + 1]`` enclose those
    of ``partitions[i]``. Customers of a partition without events may be there too (timers, sweep).
    """

    partitions: Sequence[int]
    clocks: Sequence[Clock]
    """Of each partition, before the batch."""
    bounds: IntArray
    events: Sequence[Event]
    event_customer: IntArray
    """Position in ``customers`` of each event's customer."""
    customers: Sequence[str]
    customer_partition: IntArray
    """Position in ``partitions`` of each customer's partition."""
    rows: States
    registers: Sequence[Registers]
    sweep: IntArray
    """Positions of the customers whose turn in the sweep it is; they are looked at when the model's epoch is new."""
    wall_ms: int

    @cached_property
    def event_at(self) -> IntArray:
        """Event times in ms."""
        return np.array([e.occurred_at_ms for e in self.events], dtype=np.int64)

    @cached_property
    def overrides(self) -> IntArray:
        """Positions of the events that are an analyst's word."""
        return np.array([i for i, e in enumerate(self.events) if e.override is not None], dtype=np.int64)

    @cached_property
    def tells_time(self) -> NDArray[np.bool_]:
        """Which events say how far their stream has got: not an analyst's, whose clock is another."""
        tells = np.ones(len(self.events), dtype=bool)
        tells[self.overrides] = False
        return tells


@dataclass(frozen=True)
class Step:
    """What a batch did. ``rows`` and ``registers`` are of all its customers; ``touched`` says whose state is new."""

    rows: States
    registers: Sequence[Registers]
    touched: IntArray
    clocks: Sequence[Clock]
    changes: Sequence[tuple[int, SegmentChange]]
    """Customer position and message, in the order in which they happened to each customer."""
    learning: LearningRecord | None
    duplicates: int
    timers: int
    looks: int
    flaps: int
    """Changes back to the segment held before the last one, soon."""
