from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.contracts.changes import Cause
from stream.contracts.changes import Status as PublishedStatus
from stream.contracts.events import Override
from stream.customer.features import NEVER
from stream.customer.registers import NOTHING, Register, Registers
from stream.customer.state import CAUSES, Status, dtype, empty, pack, unpack
from stream.errors import BadRecord
from tests.helpers import retail, shop

values = st.one_of(st.text(max_size=20), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), st.booleans())
times, ids = st.integers(0, 2**45), st.text(min_size=1, max_size=10)
registers = st.builds(Register[Any], values, times, ids)
maybe_words = st.none() | st.text(max_size=10)
said = st.builds(Override, st.integers(0, 99), st.none() | times, maybe_words, maybe_words)
everything = st.builds(
    Registers,
    st.dictionaries(st.text(max_size=10), registers, max_size=4),
    st.none() | st.builds(Register[Override], said, times, ids),
)


@given(st.lists(everything, max_size=5), st.integers(0, 2**32))
def test_packed_states_come_back(held: list[Registers], seed: int) -> None:
    rows = empty(shop(), len(held))
    noise = np.random.default_rng(seed).integers(0, 256, rows.nbytes, dtype=np.uint8).tobytes()
    rows = np.frombuffer(noise, rows.dtype).copy() if held else rows
    back, back_registers = unpack(shop(), pack(rows, held))
    assert back.tobytes() == rows.tobytes()
    assert back_registers == held
    assert [type(r.value) for h in back_registers for r in h.attributes.values()] == [
        type(h.attributes[k].value) for h in held for k in sorted(h.attributes)
    ]


def test_an_attribute_may_have_any_name() -> None:
    """Also that of something else which is kept beside attributes."""
    word = Register(Override(3, None, "anna", None), 1, "e1")
    held = Registers({"override": Register("x", 1, "e0")}, word)
    assert Registers.load(held.dump()) == held
    assert Registers.load(replace(held, override=None).dump()) == replace(held, override=None)


def test_states_of_other_features_are_refused() -> None:
    with pytest.raises(BadRecord, match="too short"):
        unpack(retail(), pack(empty(shop(), 1), [NOTHING]))


@pytest.mark.parametrize("tail", [b"{", b"[]", b"[{}, 1]", b"[{}, [[1], 2, 3]]", b'{"a": 1}', b'{"a": [1]}', b"\xff"])
def test_damaged_registers_are_refused(tail: bytes) -> None:
    with pytest.raises(BadRecord):
        unpack(shop(), [empty(shop(), 1).tobytes() + tail])


_TIMES = ("first_at", "newest_at", "looked_at", "deadline", "since", "lock_until")


def test_nobody_has_been_seen_yet() -> None:
    row = empty(shop(), 1)[0]
    assert [row[name] for name in _TIMES] == [NEVER] * len(_TIMES)
    assert (row["status"], row["cell"], row["segment"], row["version"]) == (Status.NEW, -1, 0, 0)
    assert np.isnan([row["margin"], row["fit"], row["change_margin"]]).all()


@given(registers, registers)
def test_the_winner_of_two_writes_does_not_depend_on_their_order(one: Register[Any], other: Register[Any]) -> None:
    if (one.at_ms, one.event_id) != (other.at_ms, other.event_id):
        assert one.newer(other) == other.newer(one)
    assert one.newer(None) == one


@given(registers, registers, registers)
def test_writes_can_be_joined_in_any_grouping(a: Register[Any], b: Register[Any], c: Register[Any]) -> None:
    left, right = a.newer(b).newer(c), a.newer(b.newer(c))
    assert (left.at_ms, left.event_id) == (right.at_ms, right.event_id)


def test_a_row_holds_a_place_for_every_declared_number() -> None:
    shape = dtype(retail())
    assert shape["sums"].shape == (retail().width,)
    assert shape["y"].shape == (len(retail().names),)


def test_every_cause_and_every_public_status_has_its_place() -> None:
    assert set(CAUSES) == set(Cause)
    assert {s.name.lower() for s in Status} - {"new", "closed"} == {s.value for s in PublishedStatus}
