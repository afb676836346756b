"""From a poll to a batch: decode what came, load what it concerns, and set aside what cannot be accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from consumers.source import Record
from producers.sink import Outgoing
from stream.contracts.events import DecodeRules, Event, decode
from stream.contracts.rejected import kept, rejected_headers
from stream.customer.features import NEVER, FeatureSet
from stream.customer.registers import NOTHING, Registers
from stream.customer.state import empty, unpack
from stream.decision.assign import Assigner
from stream.decision.batch import Batch
from stream.decision.clock import Clock
from stream.errors import RejectedEvent
from stream.settings import TopicSettings, Tree
from stream.view.journal import Mark
from stream.view.store import Loaded


@dataclass
class Intake:
    """One partition's share of a poll, decoded. Read it only when it is complete."""

    events: list[Event] = field(default_factory=list)
    rejected: list[Outgoing] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    unknown_fields: int = 0

    @cached_property
    def customers(self) -> list[str]:
        """Distinct customers, in order of appearance."""
        return list(dict.fromkeys(e.customer_id for e in self.events))

    @cached_property
    def newest_ms(self) -> int:
        """Newest event time, an upper bound of where ``now`` can get; an analyst's clock says nothing of it."""
        return max((e.occurred_at_ms for e in self.events if e.override is None), default=NEVER)


def decode_rules(settings: Tree, partitions: int, assigner: Assigner | None = None) -> DecodeRules:
    """What an event is held against. ``partitions`` of the input topic, ``assigner`` of the batch's model."""
    customers = settings.customers
    return DecodeRules(
        partitions=partitions,
        max_event_bytes=customers.max_event_bytes,
        future_tolerance_ms=round(customers.future_tolerance_seconds * 1000),
        segments=frozenset() if assigner is None else assigner.open_ids,
    )


def take_in(records: Sequence[Record], partition: int, rules: DecodeRules, topics: TopicSettings) -> Intake:
    """Decode one partition's records. Every record ends up in ``events`` or ``rejected``."""
    intake = Intake()
    for record in records:
        try:
            event = decode(record.key, record.value, record.timestamp_ms, partition, rules)
        except RejectedEvent as reason:
            headers = rejected_headers(topics.events, partition, record.offset, record.timestamp_ms, reason)
            key, value, cut = kept(record.key, record.value)
            intake.rejected.append(Outgoing(topics.rejected, partition, key, value, headers + cut))
            intake.reasons.append(reason.reason)
        else:
            intake.events.append(event)
            intake.unknown_fields += event.unknown_fields
    return intake


def assemble(
    features: FeatureSet,
    intakes: Mapping[int, Intake],
    marks: Mapping[int, Mark],
    loaded: Mapping[int, Loaded],
    wall_ms: int,
) -> Batch:
    """One batch over all partitions of the poll, from what was decoded and what was loaded."""
    events: list[Event] = []
    event_customer: list[int] = []
    customers: list[str] = []
    customer_partition: list[int] = []
    blobs: list[bytes | None] = []
    sweep: list[int] = []
    bounds = [0]
    for position, (partition, intake) in enumerate(intakes.items()):
        view = loaded[partition]
        index: dict[str, int] = {}
        others = (name.decode() for name in (*view.due, *view.sweep))
        for customer in dict.fromkeys([*intake.customers, *others]):
            index[customer] = len(customers)
            customers.append(customer)
            customer_partition.append(position)
            blobs.append(view.states.get(customer.encode()))
        events.extend(intake.events)
        event_customer.extend(index[e.customer_id] for e in intake.events)
        sweep.extend(index[name.decode()] for name in view.sweep)
        bounds.append(len(events))
    rows = empty(features, len(customers))
    known = [i for i, blob in enumerate(blobs) if blob is not None]
    held, known_registers = unpack(features, [blob for blob in blobs if blob is not None])
    rows[known] = held
    registers: list[Registers] = [NOTHING for _ in customers]
    for i, register in zip(known, known_registers, strict=True):
        registers[i] = register
    return Batch(
        partitions=list(intakes),
        clocks=[Clock(marks[p].now_ms, marks[p].claims) for p in intakes],
        bounds=np.array(bounds, dtype=np.int64),
        events=events,
        event_customer=np.array(event_customer, dtype=np.int64),
        customers=customers,
        customer_partition=np.array(customer_partition, dtype=np.int64),
        rows=rows,
        registers=registers,
        sweep=np.array(sweep, dtype=np.int64),
        wall_ms=wall_ms,
    )
