"""What the journal says of one partition: the newest state of every customer, as a restore would find it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from consumers.following import read_between
from consumers.source import Tail
from stream.customer.features import FeatureSet
from stream.customer.state import States, unpack
from stream.view.journal import NOTHING, JournalPart, Mark


@dataclass(frozen=True)
class Journaled:
    """One partition as journaled. Raises ``BadRecord`` from ``rows`` if its states are of other features."""

    features: FeatureSet
    partition: int
    mark: Mark | None
    """``None``: nothing was ever journaled."""
    states: Mapping[str, bytes]
    faults: tuple[str, ...]
    """What is wrong with the journal itself."""

    @cached_property
    def customers(self) -> list[str]:
        """In order of ``rows``."""
        return list(self.states)

    @cached_property
    def rows(self) -> States:
        """The states, unpacked."""
        return unpack(self.features, list(self.states.values()))[0]


def read_journal(features: FeatureSet, tail: Tail, topic: str, partition: int) -> Journaled:
    """Read a partition's journal from first record to end. Raises ``BrokerUnavailable`` and ``BadRecord``."""
    first, end = tail.bounds(topic, partition)
    states: dict[str, bytes] = {}
    faults: list[str] = []
    mark: Mark | None = None
    beginning: int | None = None
    for record in read_between(tail, topic, partition, first, end):
        said = JournalPart.unpack(record.value or b"")
        if beginning is None:
            beginning = 0 if said.previous == NOTHING else record.offset
        elif mark is not None and said.part == 0 and said.previous != mark.journal:
            faults.append(f"partition {partition}: the chain is broken between {mark.journal} and {record.offset}")
        states.update(said.states)
        if said.is_last:
            mark = replace(said.mark, journal=record.offset)
    if mark is not None and (beginning or 0) > mark.floor:
        faults.append(
            f"partition {partition}: the journal starts at {beginning}, states are complete from {mark.floor}"
        )
    return Journaled(features, partition, mark, states, tuple(faults))
