"""The new partitions' journals, written load by load and believed by nobody before they are complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from producers.sink import Outgoing, Sink
from stream.view.journal import NOTHING, Mark, parts_of


class NewJournals:
    """One chain for each new partition, from its beginning.

    Without a committed offset a worker follows a chain to its end; so the first batch of every chain and all that
    follow say that they are unfinished, until one transaction over all of them says the contrary.
    """

    def __init__(self, sink: Sink, topic: str, partitions: int) -> None:
        self._sink, self._topic = sink, topic
        self._ends = [NOTHING] * partitions
        self._batches = [0] * partitions
        self.customers = [0] * partitions
        """By partition, so far."""

    def write(self, heads: Sequence[Mark], states: Mapping[int, Mapping[str, bytes]]) -> None:
        """One batch for each partition in ``states``, in one transaction. ``heads``: by partition."""
        records: list[Outgoing] = []
        last: dict[int, int] = {}
        for partition, mine in states.items():
            self._batches[partition] += 1
            self.customers[partition] += len(mine)
            head = replace(heads[partition], sequence=self._batches[partition], customers=self.customers[partition])
            for part in parts_of(head, head.next, self._ends[partition], mine):
                records.append(Outgoing(self._topic, partition, None, part.pack()))
            last[partition] = len(records) - 1
        offsets = self._sink.commit(records, None)
        for partition, position in last.items():
            self._ends[partition] = offsets[position]

    def write_all(self, heads: Sequence[Mark]) -> None:
        """An empty batch for every partition, in one transaction."""
        self.write(heads, {partition: {} for partition in range(len(heads))})
