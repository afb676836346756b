"""The learning record: what was not written is not read."""

from __future__ import annotations

from typing import Any

import pytest

from stream.errors import BadRecord
from stream.model.learning import LearningRecord
from stream.packing import pack, unpack
from tests.model.test_pictured import crowd


def changed(**head: Any) -> bytes:
    people = crowd()
    said, arrays = unpack(people.look(people.everybody).pack())
    return pack({name: value for name, value in (said | head).items() if value is not ...}, arrays)


def test_moves_flaps_and_event_times_are_read_back() -> None:
    record = LearningRecord.unpack(changed(moves=5, flaps=2, reached_ms=[[0, 7], [3, 9]]))
    assert (record.moves, record.flaps, record.reached_ms) == (5, 2, {0: 7, 3: 9})


@pytest.mark.parametrize(
    "head",
    [
        {"moves": "many"},
        {"flaps": 0.5},
        {"reached_ms": [7]},
        {"reached_ms": [["first", 7]]},
        {"reached_ms": ...},
        {"moves": ...},
        {"holdings": [[1, 2]]},
        {"tenures": [[1, 2]]},
        {"tenures": ...},
        {"unheard": 1},
    ],
)
def test_what_is_none_is_refused(head: dict[str, Any]) -> None:
    with pytest.raises(BadRecord):
        LearningRecord.unpack(changed(**head))
