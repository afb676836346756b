"""A stage: the service's worker alone, under models that are put before it, and customers who do as the play says.

Nothing happens but what is sent: no owner learns, and time passes only by the events of extras.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC

from consumers.twins import Twins, drain
from producers.orders import Encoded, encode_profile
from producers.sink import Outgoing
from stream.contracts.changes import SegmentChange, decode_change
from stream.contracts.partitioning import partition_of
from stream.model.snapshot import Snapshot
from stream.model.snapshot_record import written
from stream.packing import pack
from stream.settings import Tree

EXTRA = "extra-"
"""How the names of customers begin who only carry a clock."""


class Stage:
    """One worker over twins of its own."""

    def __init__(self, settings: Tree, model: Snapshot) -> None:
        self._twins = Twins(settings)
        self._topics = settings.topics
        self._extras = extras(settings.topics.partitions, settings.customers.jump_witnesses)
        self._read = [0] * settings.topics.partitions
        self._write(model)
        self._worker = self._twins.service().worker()
        drain(self._worker.run_once)

    def send(self, events: Iterable[Encoded]) -> list[SegmentChange]:
        """Let these events happen, in their order; what is told of them, and of time that passed by them."""
        self._twins.send(events)
        return self._told()

    def wait_until(self, ms: int) -> list[SegmentChange]:
        """Let time pass and nothing happen; what is told of it."""
        return self.send(glance(name, ms) for name in self._extras)

    def put(self, model: Snapshot) -> list[SegmentChange]:
        """Replace the model; what is told of it by a sweep, if it is of another epoch."""
        self._write(model)
        return self._told()

    def held(self) -> dict[str, str]:
        """The segment of every customer who has one."""
        rows = ((name.decode(), row["id"]) for name, row in self._twins.store.reader.customers())
        return {name: segment for name, segment in rows if segment}

    def _write(self, model: Snapshot) -> None:
        self._twins.broker.append(Outgoing(self._topics.model, 0, None, pack(*written(model))))

    def _told(self) -> list[SegmentChange]:
        drain(self._worker.run_once)
        return [change for change in self._changes() if not change.customer_id.startswith(EXTRA)]

    def _changes(self) -> Iterator[SegmentChange]:
        for partition, offset in enumerate(self._read):
            entries, after = self._twins.broker.read(self._topics.changes, partition, offset, 1 << 62)
            self._read[partition] = after
            yield from (decode_change(entry.value) for _, entry in entries if entry.value is not None)


def glance(customer: str, ms: int) -> Encoded:
    """A look at a customer that is no sign of life: a correction of its profile."""
    return encode_profile(f"glance-{customer}-{ms}", customer, ms, UTC, {"checked": str(ms)})


def after(model: Snapshot, next_: Snapshot, *, is_swept: bool) -> Snapshot:
    """A model as the one that follows another; customers are swept for it, or meet it at their next look."""
    return replace(next_, version=model.version + 1, epoch=model.epoch + is_swept)


def extras(partitions: int, witnesses: int) -> list[str]:
    """Customers of no interest, as many in each partition as must be there to carry its clock far."""
    found: dict[int, list[str]] = {partition: [] for partition in range(partitions)}
    number = 0
    while any(len(names) < witnesses for names in found.values()):
        name = f"{EXTRA}{number}"
        mine = found[partition_of(name.encode(), partitions)]
        if len(mine) < witnesses:
            mine.append(name)
        number += 1
    return [name for names in found.values() for name in names]
