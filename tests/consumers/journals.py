"""The journal of one partition, written by hand: each batch in a transaction of its own, as a worker does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Committed, Outgoing
from stream.errors import CommitFailed
from stream.view.journal import Mark, parts_of

TOPIC = "journal"


class HandWritten:
    """A journal and where it stands."""

    def __init__(self, partition: int = 0) -> None:
        self.broker = MemoryBroker(lambda: 0)
        self.broker.create(TOPIC, 2)
        self.partition = partition
        self.mark = Mark("topic-1", 2, "features-1", next=100)
        self._sink = MemorySink(self.broker, "worker")

    def batch(self, states: Mapping[str, bytes] | None = None, events: int = 1, **changed: Any) -> Mark:
        """One more batch; returns where the partition stands after it. ``changed`` are fields of ``Mark``."""
        before = self.mark
        mark = replace(before, **{"next": before.next + events, "sequence": before.sequence + 1, **changed})
        parts = parts_of(mark, before.next, before.journal, states or {})
        offsets = self._sink.commit([Outgoing(TOPIC, self.partition, None, part.pack()) for part in parts], None)
        self.mark = replace(mark, journal=offsets[-1])
        return self.mark

    def aborted(self, states: Mapping[str, bytes]) -> None:
        """A batch whose transaction fails: it takes offsets and leaves nothing."""
        mark = self.mark
        self.broker.fail_next("aborted")
        with pytest.raises(CommitFailed):
            self.batch(states)
        self.mark = mark

    def begins_at(self, offset: int) -> None:
        """What is below was deleted by retention."""
        self.broker.delete_before(TOPIC, self.partition, offset)


def committed(mark: Mark) -> Committed:
    """What a worker commits beside the input offset when the partition stands there."""
    return Committed(mark.next, str(mark.sequence))
