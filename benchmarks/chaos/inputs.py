"""The input topic, read without any of the service's own decoding and without its duplicate window."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.chaos.world import enumerate_values
from consumers.source import Tail
from stream.contracts.events import Event
from stream.settings import Tree


@dataclass
class Inputs:
    """What was asked of the service."""

    records: int = 0
    events: dict[str, dict[str, Event]] = field(default_factory=lambda: defaultdict(dict))
    """Distinct events of each customer by their id, in the order of the log."""
    damaged: set[tuple[int, int]] = field(default_factory=set)
    """Partition and offset of what is not an event."""

    def by_customer(self) -> dict[str, list[Event]]:
        """Distinct events of each customer in the order of the log."""
        return {customer: list(events.values()) for customer, events in self.events.items()}


def read_inputs(settings: Tree, tail: Tail) -> Inputs:
    """All of the input topic."""
    topics, found = settings.topics, Inputs()
    for partition in range(topics.partitions):
        take(found, partition, enumerate_values(tail, topics.events, partition))
    return found


def take(found: Inputs, partition: int, values: Iterable[tuple[int, bytes]]) -> None:
    """Add (offset, value) of one partition."""
    for offset, value in values:
        found.records += 1
        if value.endswith(b"}"):  # whole
            said = json.loads(value)
            found.events[said["customer_id"]].setdefault(said["event_id"], order(said))
        else:
            found.damaged.add((partition, offset))


def order(said: dict[str, Any]) -> Event:
    """An order as the contract has it."""
    at_ms = round(datetime.fromisoformat(said["occurred_at"]).timestamp() * 1000)
    lines = tuple((line["category"], line["amount"], line["private_label"]) for line in said.get("lines", ()))
    return Event(
        event_id=said["event_id"],
        customer_id=said["customer_id"],
        type=said["type"],
        occurred_at_ms=at_ms,
        amount=said["amount"],
        items=said["items"],
        discount=said["discount"],
        lines=lines,
        attributes=None,
        unknown_fields=0,
    )
