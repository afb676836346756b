from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.customer.features import NEVER
from stream.errors import BadRecord
from stream.packing import pack, unpack
from stream.view.journal import NOTHING, PART_BYTES, JournalPart, Mark, parts_of

offsets = st.integers(0, 2**60)
names = st.text(min_size=1, max_size=20)
states = st.dictionaries(names, st.binary(max_size=300), max_size=8)
MARK = Mark(
    "topic", 4, "features", next=107, sequence=12, journal=31, now_ms=1_736_121_600_000, model_version=9, floor=3
)


@st.composite
def marks(draw: st.DrawFn) -> Mark:
    return Mark(
        topic_id=draw(names),
        partitions=draw(st.integers(1, 1024)),
        features_id=draw(names),
        next=draw(offsets),
        sequence=draw(offsets),
        journal=draw(st.just(NOTHING) | offsets),
        now_ms=draw(st.just(NEVER) | offsets),
        claims=draw(st.dictionaries(names, offsets, max_size=2)),
        model_version=draw(offsets),
        floor=draw(offsets),
        sweep_began=draw(offsets),
        sweep_after=draw(st.text(max_size=20)),
    )


@given(marks())
def test_a_watermark_comes_back(mark: Mark) -> None:
    assert Mark.from_bytes(mark.to_bytes()) == mark
    assert Mark.from_bytes(mark.to_bytes()).to_bytes() == mark.to_bytes()


@given(marks(), offsets, st.just(NOTHING) | offsets, states)
@settings(max_examples=50)
def test_records_come_back_without_knowing_their_own_offset(
    mark: Mark, start: int, previous: int, written: dict[str, bytes]
) -> None:
    (part,) = parts_of(mark, start, previous, written)
    back = JournalPart.unpack(part.pack())
    assert back == part
    assert (back.start, back.previous, back.states, back.is_last) == (start, previous, written, True)
    assert back.mark == replace(mark, journal=NOTHING)


def test_a_batch_that_changes_nobody_is_a_link_of_the_chain_all_the_same() -> None:
    (part,) = parts_of(MARK, 100, 30, {})
    assert (part.part, part.parts, part.states) == (0, 1, {})
    assert JournalPart.unpack(part.pack()).mark.next == 107


@given(st.lists(st.integers(1, PART_BYTES + 10), max_size=7))
@settings(max_examples=30)
def test_a_large_batch_is_cut_into_parts(sizes: list[int]) -> None:
    written = {f"c{i}": bytes(size) for i, size in enumerate(sizes)}
    parts = parts_of(MARK, 100, 30, written)
    assert [(p.part, p.parts) for p in parts] == [(i, len(parts)) for i in range(len(parts))]
    assert [p.is_last for p in parts] == [False] * (len(parts) - 1) + [True]
    assert {c: blob for p in parts for c, blob in p.states.items()} == written
    assert [c for p in parts for c in p.states] == list(written)
    for part in parts:
        assert sum(map(len, part.states.values())) <= PART_BYTES or len(part.states) == 1
    for part, following in pairwise(parts):
        together = sum(map(len, part.states.values())) + len(next(iter(following.states.values())))
        assert together > PART_BYTES


def test_all_parts_say_the_same_of_the_batch() -> None:
    parts = parts_of(MARK, 100, 30, {f"c{i}": bytes(PART_BYTES // 2 + 1) for i in range(3)})
    assert len(parts) == 3
    assert all((p.start, p.previous, p.mark) == (100, 30, replace(MARK, journal=NOTHING)) for p in parts)


def test_the_chain_can_be_followed_from_record_to_record() -> None:
    """Each record names the last part of the batch before it."""
    topic: list[bytes] = []
    previous, start = NOTHING, 0
    for batch in range(4):
        written = {f"c{batch}-{i}": bytes([batch]) * (PART_BYTES // 2 + 1) for i in range(batch)}
        for part in parts_of(replace(MARK, next=start + 5, sequence=batch + 1), start, previous, written):
            topic.append(part.pack())
        previous, start = len(topic) - 1, start + 5
    at, sequence, newest = NOTHING, 0, dict[str, bytes]()
    for offset, record in enumerate(topic):
        part = JournalPart.unpack(record)
        assert part.previous == at
        newest |= part.states
        if part.is_last:
            assert part.mark.sequence == sequence + 1
            at, sequence = offset, part.mark.sequence
    assert (sequence, len(newest)) == (4, 6)


@given(st.data())
def test_a_damaged_record_is_refused(data: st.DataObject) -> None:
    record = bytearray(parts_of(MARK, 100, 30, {"c": b"state"})[0].pack())
    match data.draw(st.sampled_from(["flip", "cut", "append"])):
        case "flip":
            record[data.draw(st.integers(0, len(record) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del record[data.draw(st.integers(0, len(record) - 1)) :]
        case _:
            record += data.draw(st.binary(min_size=1, max_size=9))
    with pytest.raises(BadRecord):
        JournalPart.unpack(bytes(record))


def altered(**changes: object) -> bytes:
    """A record with a good hash and another content."""
    head, arrays = unpack(parts_of(MARK, 100, 30, {"c": b"state", "d": b"more"})[0].pack())
    mark = head["mark"] | {k.removeprefix("mark_"): v for k, v in changes.items() if k.startswith("mark_")}
    return pack(head | {"mark": mark} | {k: v for k, v in changes.items() if not k.startswith("mark_")}, arrays)


@pytest.mark.parametrize(
    "record",
    [
        altered(customers=["c"]),
        altered(mark=None),
        altered(mark_novel=1),
        pack({"next": 7}),
        pack({"mark": asdict(MARK)}),
    ],
)
def test_a_record_that_is_whole_but_no_journal_record_is_refused(record: bytes) -> None:
    with pytest.raises(BadRecord, match="not a journal record"):
        JournalPart.unpack(record)


def test_another_schema_is_refused_by_its_name() -> None:
    with pytest.raises(BadRecord, match="schema 99"):
        JournalPart.unpack(altered(mark_schema=99))
    with pytest.raises(BadRecord, match="schema 99"):
        Mark.from_bytes(replace(MARK, schema=99).to_bytes())


def test_another_schema_is_refused_by_its_name_also_when_its_fields_differ() -> None:
    with pytest.raises(BadRecord, match="schema 99"):
        JournalPart.unpack(altered(mark_schema=99, mark_novel=1))
    with pytest.raises(BadRecord, match="schema 99"):
        Mark.from_bytes(json.dumps(asdict(MARK) | {"schema": 99, "novel": 1}).encode())


@pytest.mark.parametrize("watermark", [b"", b"{", b"[]", b"7", b'{"next": 1}', b"\xff", b'{"schema": 1}'])
def test_what_is_no_watermark_is_refused(watermark: bytes) -> None:
    with pytest.raises(BadRecord, match="watermark"):
        Mark.from_bytes(watermark)
