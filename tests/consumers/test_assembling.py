"""From a poll to a batch: every record is accepted or rejected, and everybody it concerns is there once."""

from __future__ import annotations

from datetime import UTC

import numpy as np

from consumers.assembling import Intake, assemble, take_in
from consumers.source import Record
from producers.orders import encode_order
from stream.contracts.events import DecodeRules
from stream.contracts.rejected import read_rejected
from stream.customer.features import NEVER
from stream.customer.registers import NOTHING, Register, Registers
from stream.customer.state import Status, empty, pack
from stream.settings import TopicSettings
from stream.view.journal import Mark
from stream.view.store import Loaded
from tests.helpers import MONDAY_MS, WALL_MS, event, shop

TOPICS = TopicSettings()
RULES = DecodeRules(partitions=1, max_event_bytes=1000, future_tolerance_ms=0)


def record(offset: int, value: bytes | None, key: bytes | None = b"ann") -> Record:
    return Record(0, offset, WALL_MS, key, value)


def order(event_id: str, customer: str = "ann", at_ms: int = MONDAY_MS) -> bytes:
    return encode_order(event_id, customer, at_ms, UTC, 1.0).payload


def packed(status: Status, registers: Registers | None = None) -> bytes:
    row = empty(shop(), 1)
    row["status"] = status
    return pack(row, [registers or NOTHING])[0]


def at(now_ms: int = NEVER, **claims: int) -> Mark:
    return Mark("topic", 1, "features", 0, now_ms=now_ms, claims=claims)


# Decoding


def test_every_record_is_accepted_or_rejected_and_the_feed_goes_on() -> None:
    good = [record(0, order("e1")), record(2, order("e2"))]
    bad = [record(1, b"damaged"), record(3, None), record(4, order("e3", "bob"))]
    intake = take_in(sorted([*good, *bad], key=lambda r: r.offset), 0, RULES, TOPICS)
    assert [e.event_id for e in intake.events] == ["e1", "e2"]
    assert intake.reasons == ["not_json", "null_value", "key_mismatch"]
    assert len(intake.rejected) == 3


def test_a_rejected_record_keeps_its_bytes_and_says_where_it_was() -> None:
    intake = take_in([record(17, b"damaged", b"\xff")], 0, RULES, TOPICS)
    (out,) = intake.rejected
    assert (out.topic, out.partition, out.key, out.value) == (TOPICS.rejected, 0, b"\xff", b"damaged")
    said = read_rejected(out.headers)
    assert (said.reason, said.topic, said.partition, said.offset) == (intake.reasons[0], TOPICS.events, 0, 17)
    assert said.timestamp_ms == WALL_MS


def test_a_rejected_record_that_could_not_be_written_is_cut() -> None:
    intake = take_in([record(17, b"v" * 5_000_000)], 0, RULES, TOPICS)
    (out,) = intake.rejected
    assert len(out.value or b"") < 2 * 1024 * 1024
    assert read_rejected(out.headers).value_bytes == 5_000_000


def test_fields_that_nobody_declared_are_counted() -> None:
    more = order("e1")[:-1] + b',"colour":1,"size":2}'
    assert take_in([record(0, more), record(1, more)], 0, RULES, TOPICS).unknown_fields == 4


def test_an_intake_knows_its_customers_and_its_newest_event() -> None:
    intake = Intake([event("bob", 5), event("ann", 9), event("bob", 7)])
    assert (intake.customers, intake.newest_ms) == (["bob", "ann"], 9)
    assert (Intake().customers, Intake().newest_ms) == ([], NEVER)


# Assembling


def test_everybody_concerned_is_in_the_batch_once() -> None:
    ann, bob = packed(Status.READY), packed(Status.COLD, Registers({"town": Register("A", 1, "e0")}))
    loaded = {
        3: Loaded(None, {b"ann": ann, b"bob": bob}, due=[b"bob", b"ann"], sweep=[b"ann", b"cid"]),
        1: Loaded(None, {b"ann": bob}),
    }
    came = {3: Intake([event("eve", 5), event("ann", 6), event("eve", 7)]), 1: Intake([event("ann", 8)])}
    batch = assemble(shop(), came, {3: at(100, eve=200), 1: at()}, loaded, WALL_MS)
    assert batch.partitions == [3, 1]
    assert [(c.now_ms, dict(c.claims)) for c in batch.clocks] == [(100, {"eve": 200}), (NEVER, {})]
    assert batch.customers == ["eve", "ann", "bob", "cid", "ann"]
    assert batch.customer_partition.tolist() == [0, 0, 0, 0, 1]
    assert [e.occurred_at_ms for e in batch.events] == [5, 6, 7, 8]
    assert batch.event_customer.tolist() == [0, 1, 0, 4]
    assert batch.bounds.tolist() == [0, 3, 4]
    assert batch.sweep.tolist() == [1, 3]
    assert batch.rows["status"].tolist() == [Status.NEW, Status.READY, Status.COLD, Status.NEW, Status.COLD]
    assert [list(registers.attributes) for registers in batch.registers] == [[], [], ["town"], [], ["town"]]
    assert batch.wall_ms == WALL_MS


def test_who_is_not_known_begins_empty() -> None:
    batch = assemble(shop(), {0: Intake([event("new", 5)])}, {0: at()}, {0: Loaded(None, {})}, WALL_MS)
    assert np.array_equal(batch.rows.tobytes(), empty(shop(), 1).tobytes())
    assert batch.registers == [NOTHING]


def test_a_partition_without_events_can_have_timers() -> None:
    held = {b"ann": packed(Status.READY)}
    came = {0: Intake(), 1: Intake([event("bob", 5)])}
    batch = assemble(shop(), came, {0: at(9), 1: at()}, {0: Loaded(None, held, due=[b"ann"]), 1: Loaded(None, {})}, 0)
    assert batch.bounds.tolist() == [0, 0, 1]
    assert batch.customers == ["ann", "bob"]
    assert batch.sweep.tolist() == []
