"""From a step to what leaves: the records of one Kafka transaction, and the updates of the store after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from consumers.assembling import Intake
from producers.sink import Outgoing
from stream.contracts.changes import cloudevent_headers, encode_change
from stream.customer.features import FeatureSet
from stream.customer.state import States, Status, pack
from stream.decision.batch import Batch, Step
from stream.model.snapshot import IntArray
from stream.settings import TopicSettings
from stream.view.journal import Mark, parts_of
from stream.view.public import deadlines_of, feature_documents, segment_hashes
from stream.view.store import Update


@dataclass(frozen=True)
class Outcome:
    """A step, ready to be committed. ``marks``: as after the batch, but for ``journal``, known afterwards."""

    records: Sequence[Outgoing]
    last_part: Mapping[int, int]
    """Partition -> position in ``records`` of its last journal part."""
    marks: Mapping[int, Mark]
    packed: Mapping[int, Mapping[str, bytes]]
    touched: Mapping[int, IntArray]

    def committed_marks(self, offsets: Sequence[int]) -> dict[int, Mark]:
        """The watermarks, now that the records' offsets are known."""
        return {p: replace(mark, journal=offsets[self.last_part[p]]) for p, mark in self.marks.items()}


def outcome(
    topics: TopicSettings,
    intakes: Mapping[int, Intake],
    before: Mapping[int, Mark],
    marks: Mapping[int, Mark],
    batch: Batch,
    step: Step,
) -> Outcome:
    """What a step means for the topics: one transaction."""
    records: list[Outgoing] = []
    last_part, packed, touched = {}, {}, {}
    home = batch.customer_partition[step.touched]
    for position, partition in enumerate(batch.partitions):
        mine = step.touched[home == position]
        blobs = pack(step.rows[mine], [step.registers[i] for i in mine])
        states = {batch.customers[i]: blob for i, blob in zip(mine.tolist(), blobs, strict=True)}
        for part in parts_of(marks[partition], before[partition].next, before[partition].journal, states):
            records.append(Outgoing(topics.journal, partition, None, part.pack()))
        last_part[partition] = len(records) - 1
        packed[partition], touched[partition] = states, mine
        records.extend(intakes[partition].rejected)
    for who, change in step.changes:
        partition = batch.partitions[batch.customer_partition[who]]
        key = change.customer_id.encode()
        records.append(Outgoing(topics.changes, partition, key, encode_change(change), cloudevent_headers(change)))
    if step.learning is not None:
        records.append(Outgoing(topics.learning, 0, None, step.learning.pack()))
    return Outcome(records, last_part, marks, packed, touched)


def update(
    features: FeatureSet,
    names: Mapping[int, str],
    mark: Mark,
    rows: States,
    customers: Sequence[str],
    packed: Mapping[str, bytes],
    changed: IntArray,
    documents: bool,
) -> Update:
    """What one partition's store must show. ``changed`` are the positions whose public hash is new."""
    keys = [c.encode() for c in customers]
    hashes = segment_hashes(rows[changed], names)
    written = feature_documents(features, rows) if documents else []
    return Update(
        watermark=mark.to_bytes(),
        states=dict(zip(keys, packed.values(), strict=True)),
        deadlines=deadlines_of(rows, customers),
        hashes={keys[i]: fields for i, fields in zip(changed.tolist(), hashes, strict=True)},
        documents=dict(zip(keys, written, strict=False)),
    )


def all_of(rows: States) -> IntArray:
    """Every position: when restoring, every public hash is written."""
    return np.flatnonzero(rows["status"] != Status.NEW)
