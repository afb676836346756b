"""The customers of ``benchmarks.deadlines``: real households, over and over, moved in time to fall silent at once.

They are written as a journal: the worker restores them into the store by itself, as after a loss of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from consumers.memory_source import MemoryTail
from consumers.model_feed import ModelFeed
from consumers.twins import Twins, drain
from producers.journey import Journey
from producers.memory_broker import MemoryBroker
from producers.sink import Outgoing
from stream.contracts.partitioning import partition_of
from stream.customer.features import DAY_MS, FeatureSet, TimeArray
from stream.customer.registers import NOTHING
from stream.customer.state import States, Status, pack, unpack
from stream.decision.assign import Assigner
from stream.decision.silence import deadlines, dormant_at
from stream.settings import Tree
from stream.view.journal import NOTHING as NO_RECORD
from stream.view.journal import Mark, parts_of
from stream.view.store import Wanted

BASKETS = 15_000
"""What the households are learnt from: a month of 2,000 of them."""
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Households:
    """States as a service left them, and the model it decided with."""

    features: FeatureSet
    rows: States
    model: bytes
    assigner: Assigner

    @classmethod
    def learnt(cls, settings: Tree) -> Households:
        """A month of baskets through the whole service. Those count who will next be heard of as dormant."""
        twins = Twins(settings)
        twins.send(islice(Journey(), BASKETS))
        drain(twins.lockstep().run_once)
        features, topic = FeatureSet(settings.customers), settings.topics.model
        tail = MemoryTail(twins.broker)
        feed = ModelFeed(tail, topic, features.features_id)
        feed.refresh()
        assert feed.assigner is not None, "there is a model after so many baskets"
        (record, *_), _ = tail.read(topic, 0, tail.bounds(topic, 0)[1] - 2, 0.0)  # the last before its marker
        everybody = {p: Wanted((), due_before_ms=1 << 60, due_limit=1 << 30) for p in range(settings.topics.partitions)}
        blobs = [blob for view in twins.store.load(everybody).values() for blob in view.states.values()]
        rows, _ = unpack(features, sorted(blobs))
        rows = rows[(rows["status"] == Status.READY) & (rows["epoch"] == feed.assigner.snapshot.epoch)]
        rows["deadline"] = deadlines(features, rows, feed.assigner)
        rows = rows[(rows["deadline"] == dormant_at(features, rows)) & (rows["looked_at"] == rows["newest_at"])]
        assert len(rows), "somebody goes straight from ready to dormant"
        return cls(features, rows, record.value or b"", feed.assigner)

    def dormant_at(self, at_ms: int, count: int) -> States:
        """So many of them, all of whom fall dormant at this moment."""
        return self._moved(at_ms - np.resize(self.rows["deadline"], count))

    def active_at(self, at_ms: int, count: int) -> States:
        """So many of them who came at this moment and will not be silent for days."""
        calm = np.flatnonzero(self.rows["deadline"] > self.rows["newest_at"] + 20 * DAY_MS)
        rows = self._moved(at_ms - np.resize(self.rows["newest_at"][calm], count), np.resize(calm, count))
        assert rows["deadline"].min() > at_ms + 10 * DAY_MS
        return rows

    def _moved(self, by_ms: TimeArray, which: TimeArray | None = None) -> States:
        """Rows as if everything had happened ``by_ms`` (n,) later."""
        rows = self.rows[np.resize(np.arange(len(self.rows)), len(by_ms)) if which is None else which]
        before = self.features.decay(rows["newest_at"], rows["newest_at"])
        for field in ("first_at", "newest_at", "looked_at", "since", "deadline"):
            rows[field] += by_ms
        # Sums are kept relative to a landmark, which is not the same distance away any more.
        rows["sums"] *= (before / self.features.decay(rows["newest_at"], rows["newest_at"]))[:, None]
        return rows


@dataclass(frozen=True)
class Town:
    """Customers by name, ready to be written."""

    names: Sequence[str]
    rows: States


def write_journal(settings: Tree, broker: MemoryBroker, households: Households, towns: Sequence[Town]) -> None:
    """Model and journal as a service would have left them that has just swept all of them."""
    topics = settings.topics
    broker.append(Outgoing(topics.model, 0, None, households.model))
    states: list[dict[str, bytes]] = [{} for _ in range(topics.partitions)]
    for town in towns:
        for name, blob in zip(town.names, _packed(town.rows), strict=True):
            states[partition_of(name.encode(), topics.partitions)][name] = blob
    now_ms = max(int(town.rows["looked_at"].max()) for town in towns)
    snapshot = households.assigner.snapshot
    for partition, held in enumerate(states):
        mark = Mark(
            topic_id=broker.identity(topics.events)[0],
            partitions=topics.partitions,
            features_id=households.features.features_id,
            journal_id=broker.identity(topics.journal)[0],
            next=0,
            sequence=1,
            now_ms=now_ms,
            newest_event_ms=now_ms,
            model_version=snapshot.version,
            customers=len(held),
            sweep_epoch=snapshot.epoch,
            swept_epoch=snapshot.epoch,
        )
        for part in parts_of(mark, 0, NO_RECORD, held):
            broker.append(Outgoing(topics.journal, partition, None, part.pack()))


def _packed(rows: States) -> Iterator[bytes]:
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        yield from pack(some, [NOTHING] * len(some))
