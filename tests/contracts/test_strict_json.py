from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.contracts.events import Reason
from stream.contracts.strict_json import parse_object
from stream.errors import RejectedEvent


class Pairs(list[tuple[str, Any]]):
    """An object as it is written, names perhaps twice."""


names = st.sampled_from(["a", "b", "c,", 'd":', "é"])
values = st.recursive(
    st.integers() | st.booleans() | st.none() | st.sampled_from([",", '":', "{", "[,]", 'a":1,"a":2']),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(names, inner), max_size=3).map(Pairs),
    max_leaves=10,
)
objects = st.lists(st.tuples(names, values), max_size=5).map(Pairs)


def written(value: Any, space: str) -> str:
    if isinstance(value, Pairs):
        members = (f"{json.dumps(name)}{space}:{space}{written(v, space)}" for name, v in value)
        return "{" + f"{space},".join(members) + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(written(v, space) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def has_duplicates(value: Any) -> bool:
    if isinstance(value, Pairs):
        return len(dict(value)) < len(value) or any(has_duplicates(v) for _, v in value)
    return isinstance(value, list) and any(map(has_duplicates, value))


@given(objects, st.sampled_from(["", " ", "\n\t"]))
def test_exactly_the_texts_with_duplicate_keys_are_refused(members: Pairs, space: str) -> None:
    text = written(members, space)
    if has_duplicates(members):
        with pytest.raises(RejectedEvent, match=Reason.DUPLICATE_KEY):
            parse_object(text.encode())
    else:
        assert parse_object(text.encode()) == json.loads(text)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)))
def test_what_json_writes_is_read_back(members: dict[str, Any]) -> None:
    assert parse_object(json.dumps(members).encode()) == members
    assert parse_object(json.dumps(members, ensure_ascii=False).encode()) == members
