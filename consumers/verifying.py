"""Verifying: every published decision that can be had again is decided again, from topics alone, and compared.

The journal gives the state before, the input topic the events, the model topic the model that the change names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from consumers.assembling import decode_rules
from consumers.auditing.redoing import Redoing, decided_again
from consumers.auditing.report import Part, part
from consumers.following import read_between
from consumers.source import Tail
from stream.contracts.changes import SegmentChange, decode_change, encode_change
from stream.customer.features import FeatureSet
from stream.decision.assign import Assigner
from stream.errors import BadRecord
from stream.model.snapshot_record import snapshot_of
from stream.settings import Tree


@dataclass
class Verified:
    """What came of it, in published changes."""

    same: int = 0
    """Decided again to the byte."""
    gone: int = 0
    """Cannot be decided again: their model, input or journal is beyond its retention."""
    differing: list[str] = field(default_factory=list)

    @property
    def part(self) -> Part:
        """As an audit says it."""
        gone = f", {self.gone:,} whose model, input or journal is gone" if self.gone else ""
        return part("decisions", f"{self.same + len(self.differing):,} decided again{gone}", self.differing)


def verify(settings: Tree, tail: Tail, partitions: int, customer: str | None = None) -> Verified:
    """Decide again what the change topic says, of everybody or of one ``customer``. The stream may be busy.

    Raises ``BrokerUnavailable`` and ``BadRecord``.
    """
    features, found = FeatureSet(settings.customers), Verified()
    models = _models(settings, features, tail)
    for partition in range(partitions):
        published = dict(_published(settings, tail, partition, customer))
        redoing = Redoing(settings, features, partition, decode_rules(settings, partitions), models.get)
        for _, redone in decided_again(redoing, tail):
            for change in redone.changes if redone else ():
                _compare(found, change, published.pop((change.customer_id, change.version), None))
        found.gone += len(published)
    return found


def _compare(found: Verified, due: SegmentChange, told: bytes | None) -> None:
    """``told`` is missing when it was compacted away, or written after we looked."""
    if told is None:
        return
    if told == encode_change(due):
        found.same += 1
    else:
        found.differing.append(f"customer '{due.customer_id}', version {due.version}: {_difference(due, told)}")


def _difference(due: SegmentChange, told: bytes) -> str:
    """The first member that is another one."""
    said = decode_change(told)
    other = next((name for name in SegmentChange.__slots__ if getattr(due, name) != getattr(said, name)), "the text")
    return f"{other} is {getattr(said, other, '')!r}, due is {getattr(due, other, '')!r}"


def _models(settings: Tree, features: FeatureSet, tail: Tail) -> dict[int, Assigner]:
    first, end = tail.bounds(settings.topics.model, 0)
    models: dict[int, Assigner] = {}
    for record in read_between(tail, settings.topics.model, 0, first, end):
        try:
            snapshot = snapshot_of(record.value or b"", features.features_id, newer_than=0)
        except BadRecord:
            continue  # workers refused it as well
        models.setdefault(snapshot.version, Assigner(snapshot))
    return models


def _published(
    settings: Tree, tail: Tail, partition: int, customer: str | None
) -> Iterator[tuple[tuple[str, int], bytes]]:
    topic = settings.topics.changes
    first, end = tail.bounds(topic, partition)
    for record in read_between(tail, topic, partition, first, end):
        if record.value is not None and (customer is None or record.key == customer.encode()):
            change = decode_change(record.value)
            yield (change.customer_id, change.version), record.value
