"""From a step to what leaves: one transaction that hangs together, and an update of the store that repeats it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consumers.assembling import Intake
from consumers.committing import Outcome, all_of, outcome, update
from producers.sink import Outgoing
from stream.contracts.changes import decode_change
from stream.contracts.events import Event
from stream.customer.state import States, Status, empty, unpack
from stream.decision.assign import Assigner
from stream.decision.batch import Batch, Step
from stream.decision.step import Stepper
from stream.model.learning import LearningRecord
from stream.settings import TopicSettings
from stream.view import journal
from stream.view.journal import NOTHING, JournalPart, Mark
from tests.helpers import HOUR_MS, MONDAY_MS, event, shop, shop_model
from tests.town import Town

TOPICS = TopicSettings()
BEFORE = {0: Mark("t", 2, "f", 10, journal=5), 1: Mark("t", 2, "f", 20, journal=7)}
AFTER = {0: replace(BEFORE[0], next=13, sequence=1), 1: replace(BEFORE[1], next=24, sequence=1)}


def stepped(*events: Event, town: Town | None = None) -> tuple[Batch, Step]:
    batch = (town or Town(shop(), partitions=2)).batch(events)
    return batch, Stepper(shop(), Assigner(shop_model())).step(batch)


def in_partition(partition: int, count: int) -> list[Event]:
    """Orders of that many customers who live there."""
    town = Town(shop(), partitions=2)
    names = [f"c{i}" for i in range(200) if town.partition(f"c{i}") == partition][:count]
    return [event(name, MONDAY_MS, 10.0, kind="order") for name in names]


def leaving(batch: Batch, step: Step, intakes: dict[int, Intake] | None = None) -> Outcome:
    return outcome(TOPICS, intakes or {0: Intake(), 1: Intake()}, BEFORE, AFTER, batch, step)


def journaled(out: Outcome, partition: int) -> list[JournalPart]:
    mine = [r for r in out.records if (r.topic, r.partition) == (TOPICS.journal, partition)]
    return [JournalPart.unpack(r.value or b"") for r in mine]


# The transaction


def test_every_partition_of_the_batch_gets_a_journal_record_even_if_nobody_changed() -> None:
    out = leaving(*stepped(*in_partition(0, 3)))
    for partition, count in ((0, 3), (1, 0)):
        (part,) = journaled(out, partition)
        assert len(part.states) == count
        assert (part.start, part.previous) == (BEFORE[partition].next, BEFORE[partition].journal)
        assert part.mark == replace(AFTER[partition], journal=NOTHING)


def test_states_are_those_of_the_step() -> None:
    batch, step = stepped(*in_partition(0, 3), *in_partition(1, 2))
    out = leaving(batch, step)
    for partition, who in ((0, slice(0, 3)), (1, slice(3, 5))):
        (part,) = journaled(out, partition)
        rows, _ = unpack(shop(), list(part.states.values()))
        assert list(part.states) == list(batch.customers[who])
        assert rows.tobytes() == step.rows[who].tobytes()
        assert out.packed[partition] == part.states


def test_the_watermark_names_the_last_part_of_its_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PART_BYTES", 1)  # every state is a part of its own
    bad = {p: Intake(rejected=[Outgoing(TOPICS.rejected, p, b"k", b"v")]) for p in BEFORE}
    out = leaving(*stepped(*in_partition(0, 3), *in_partition(1, 2)), intakes=bad)
    offsets = [100 + i for i in range(len(out.records))]
    marks = out.committed_marks(offsets)
    for partition, parts in ((0, 3), (1, 2)):
        at = [
            o
            for o, r in zip(offsets, out.records, strict=True)
            if r.topic == TOPICS.journal and r.partition == partition
        ]
        assert len(at) == parts
        assert marks[partition] == replace(AFTER[partition], journal=at[-1])
    assert [part.is_last for part in journaled(out, 0)] == [False, False, True]


def test_changes_go_to_the_partition_of_their_customer() -> None:
    batch, step = stepped(*in_partition(0, 2), *in_partition(1, 1))
    out = leaving(batch, step)
    told = [r for r in out.records if r.topic == TOPICS.changes]
    assert len(told) == len(step.changes) == 3
    for record in told:
        change = decode_change(record.value or b"")
        home = batch.partitions[batch.customer_partition[batch.customers.index(change.customer_id)]]
        assert (record.partition, record.key) == (home, change.customer_id.encode())
        assert dict(record.headers)["ce_specversion"] == b"1.0"


def test_what_was_rejected_leaves_with_the_batch() -> None:
    bad = Outgoing(TOPICS.rejected, 1, b"k", b"v", (("rejected_reason", b"x"),))
    out = leaving(*stepped(*in_partition(0, 1)), intakes={0: Intake(), 1: Intake(rejected=[bad])})
    assert [r for r in out.records if r.topic == TOPICS.rejected] == [bad]


def test_learning_is_the_last_record_and_goes_to_its_only_partition() -> None:
    batch, step = stepped(*in_partition(1, 2))
    out = leaving(batch, step)
    assert step.learning is not None
    last = out.records[-1]
    assert (last.topic, last.partition, last.key) == (TOPICS.learning, 0, None)
    assert LearningRecord.unpack(last.value or b"").looks == 2
    nothing = replace(step, learning=None)
    assert not [r for r in leaving(batch, nothing).records if r.topic == TOPICS.learning]


# The store


def updated(rows: States, changed: list[int], **more: Any) -> Any:
    names = [f"c{i}" for i in range(len(rows))]
    packed = {name: b"state of " + name.encode() for name in names}
    fields = {"names": {1: "rare", 2: "frequent", 3: "large"}, "documents": True, **more}
    return update(
        shop(), fields["names"], AFTER[0], rows, names, packed, np.array(changed, dtype=np.int64), fields["documents"]
    )


def lived() -> States:
    """Three customers after four orders each."""
    town = Town(shop(), shop_model())
    for name in ("c0", "c1", "c2"):
        town.live([event(name, MONDAY_MS + i * HOUR_MS, 20.0) for i in range(4)])
    return town.rows()


def test_the_store_is_told_the_states_and_where_the_partition_stands() -> None:
    found = updated(lived(), [])
    assert found.watermark == AFTER[0].to_bytes()
    assert found.states == {b"c0": b"state of c0", b"c1": b"state of c1", b"c2": b"state of c2"}
    assert set(found.documents) == {b"c0", b"c1", b"c2"}
    assert found.forgotten == ()


def test_public_hashes_are_written_only_where_something_was_told() -> None:
    found = updated(lived(), [2, 0])
    assert set(found.hashes) == {b"c0", b"c2"}
    assert found.hashes[b"c0"]["name"] in {"rare", "frequent", "large"}


def test_deadlines_are_filed_or_removed() -> None:
    rows = lived()
    assert updated(rows, []).deadlines == {b"c%d" % i: rows["deadline"][i] for i in range(3)}
    assert updated(empty(shop(), 1), []).deadlines == {b"c0": None}


def test_documents_are_a_setting() -> None:
    assert updated(lived(), [], documents=False).documents == {}


def test_a_restore_writes_the_hash_of_everybody_who_was_ever_looked_at() -> None:
    rows = empty(shop(), 4)
    rows["status"] = [Status.NEW, Status.COLD, Status.CLOSED, Status.READY]
    assert all_of(rows).tolist() == [1, 2, 3]
    assert updated(rows, [2]).hashes == {b"c2": None}, "who is closed has none"
