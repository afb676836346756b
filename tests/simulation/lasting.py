"""What lasts: invariants of a fleet at rest, and those that hold after every single thing that happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from benchmarks.chaos.world import World, enumerate_values, read_world, values
from consumers.memory_source import MemoryTail
from stream.contracts.events import DecodeRules, Event, decode
from stream.errors import RejectedEvent
from stream.model.cells import Cells
from stream.model.state import State, unpack_state
from stream.view.journal import JournalPart, Mark
from tests.customer.folding import folded
from tests.simulation.fleet import OWNERS, WORKERS, Fleet, features


@dataclass
class Watch:
    """Looks at a fleet again and again: what never goes back did not go back."""

    fleet: Fleet
    _committed: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _watermarks: dict[int, bytes | None] = field(default_factory=dict)
    _sequences: dict[int, int] = field(default_factory=dict)
    _versions: dict[bytes, int] = field(default_factory=dict)

    def look(self) -> None:
        """I6: committed offsets never decrease; the store never shows an older state of a partition or customer."""
        topics = self.fleet.settings.topics
        for name, topic in ((WORKERS[0], topics.events), (OWNERS[0], topics.learning)):
            group = self.fleet.group_of(name)
            for partition, committed in self.fleet.broker.group(group).committed(topic).items():
                before = self._committed.get((group, topic, partition), -1)
                assert committed.offset >= before, f"{group} went back to {committed.offset} of {topic}/{partition}"
                self._committed[group, topic, partition] = committed.offset
        reader = self.fleet.store.reader
        for partition in range(topics.partitions):
            watermark = reader.watermark(partition)
            if watermark != self._watermarks.get(partition):
                self._watermarks[partition] = watermark
                sequence = -1 if watermark is None else Mark.from_bytes(watermark).sequence
                assert sequence >= self._sequences.get(partition, -1), f"the view of partition {partition} went back"
                self._sequences[partition] = sequence
        for customer, fields in reader.customers():
            version = int(fields["version"])
            assert version >= self._versions.get(customer, 0), f"an older version of {customer!r} is shown again"
            self._versions[customer] = version

    def store_changed(self) -> None:
        """Somebody else changed the store: what it shows begins anew."""
        self._watermarks.clear()
        self._sequences.clear()
        self._versions.clear()


def check(fleet: Fleet) -> World:
    """Everything that must hold of a fleet at rest."""
    tail = MemoryTail(fleet.broker)
    world = read_world(fleet.settings, tail, fleet.store.reader)
    accepted, rejected = _log(fleet, tail)
    _check_progress(fleet, tail)
    _check_accumulators(world, accepted)
    _check_rejected(fleet, tail, rejected)
    for partition in range(fleet.settings.topics.partitions):
        _check_chain(enumerate_values(tail, fleet.settings.topics.journal, partition))
    _check_models([unpack_state(value, fleet.settings.model) for value in values(tail, fleet.settings.topics.model, 0)])
    world.check()
    return world


def _log(fleet: Fleet, tail: MemoryTail) -> tuple[Mapping[str, Sequence[Event]], int]:
    """The input read by our own eyes: the distinct events of each customer in offset order; and how many are bad."""
    topics, accepted, rejected = fleet.settings.topics, dict[str, list[Event]](), 0
    for partition in range(topics.partitions):
        seen: set[str] = set()
        for record in tail.read(topics.events, partition, 0, 0.0)[0]:
            rules = DecodeRules(topics.partitions)
            try:
                event = decode(record.key, record.value, record.timestamp_ms, partition, rules)
            except RejectedEvent:
                rejected += 1
                continue
            if event.event_id not in seen:
                seen.add(event.event_id)
                accepted.setdefault(event.customer_id, []).append(event)
    return accepted, rejected


def _check_progress(fleet: Fleet, tail: MemoryTail) -> None:
    """All that was sent is committed."""
    events = fleet.settings.topics.events
    committed = fleet.broker.group(fleet.settings.kafka.group).committed(events)
    for partition in range(fleet.settings.topics.partitions):
        assert committed[partition].offset == tail.bounds(events, partition)[1]


def _check_accumulators(world: World, accepted: Mapping[str, Sequence[Event]]) -> None:
    """I1: the accumulators are the fold of the log, to the bit."""
    expected = {}
    for customer, events in accepted.items():
        rows = folded(features(), events)
        rows["looks"] = len(events)
        names = ("sums", "first_at", "newest_at", "looks")
        expected[customer] = b"".join(rows[0][name].tobytes() for name in names)
    assert world.accumulators == expected


def _check_rejected(fleet: Fleet, tail: MemoryTail, rejected: int) -> None:
    """I5: what is bad is on the rejected topic, once. What is neither there nor accepted (I1) was a duplicate."""
    topics = fleet.settings.topics
    found = [r for p in range(topics.partitions) for r in tail.read(topics.rejected, p, 0, 0.0)[0]]
    assert len(found) == len({r.headers for r in found}) == rejected


def _check_chain(journal: Sequence[tuple[int, bytes]]) -> None:
    """The journal of a partition is one chain: batch after batch, each from where the one before ended."""
    parts = [(offset, JournalPart.unpack(value)) for offset, value in journal]
    assert [part.mark.sequence for _, part in parts] == list(range(1, len(parts) + 1))
    for (offset, before), (_, after) in pairwise(parts):
        assert (after.previous, after.start) == (offset, before.mark.next)


def _check_models(models: Sequence[State]) -> None:
    """Versions 1..n, each having learnt more than the one before; and a cell's id means one place for ever."""
    snapshots = [state.snapshot for state in models if state.snapshot is not None]
    assert [s.version for s in snapshots] == list(range(1, len(snapshots) + 1))
    assert all(b.learning_offset < a.learning_offset for b, a in pairwise(snapshots))
    for before, after in pairwise([None, *(state.population.cells for state in models)]):
        assert after is not None
        _check_cells(before, after)


def _check_cells(before: Cells | None, after: Cells) -> None:
    """A cell that was empty and still is stands where it stood: its id was not given to another place."""
    places = {} if before is None else dict(zip(before.ids.tolist(), before.positions, strict=True))
    was_empty = set() if before is None else set(before.ids[before.sums.n == 0].tolist())
    empty = after.sums.n == 0
    for cell, place in zip(after.ids[empty].tolist(), after.positions[empty], strict=True):
        if cell in was_empty:
            assert np.array_equal(place, places[cell]), f"cell {cell} is somewhere else"
