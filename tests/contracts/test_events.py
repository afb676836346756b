from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.poison_corpus import CORPUS, Poison, good_order, sent
from stream.contracts.events import DecodeRules, Event, Override, Reason, decode
from stream.contracts.timestamps import rfc3339
from stream.errors import RejectedEvent

RULES = DecodeRules(partitions=4)
NOW_MS = 1_700_000_000_123


def decoded(payload: dict[str, Any] | bytes, customer: str = "c1", rules: DecodeRules = RULES) -> Event:
    value = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    record = sent(customer, value, rules, NOW_MS)
    return decode(record.key, record.value, NOW_MS, record.partition, rules)


def order(**fields: Any) -> dict[str, Any]:
    return good_order("c1", NOW_MS) | fields


def reason_of(payload: dict[str, Any] | bytes) -> str:
    with pytest.raises(RejectedEvent) as caught:
        decoded(payload)
    return caught.value.reason


def test_an_order_becomes_an_event() -> None:
    assert decoded(order(discount=1)) == Event(
        event_id="basket-1",
        customer_id="c1",
        type="order",
        occurred_at_ms=NOW_MS,
        amount=42.5,
        items=3.0,
        discount=1.0,
        lines=(("GROCERY", 40.0, False), ("DELI", 2.5, False)),
        attributes=None,
        unknown_fields=0,
    )


@pytest.mark.parametrize("kind", ["view", "profile"])
def test_what_a_type_does_not_have_is_empty(kind: str) -> None:
    head = {k: v for k, v in order(type=kind).items() if k in ("event_id", "customer_id", "type", "occurred_at")}
    event = decoded(head | {"attributes": {"age": "35-44", "children": 2, "income": 1.5, "card": True}})
    assert (event.type, event.amount, event.items, event.discount, event.lines) == (kind, 0.0, 0.0, 0.0, ())
    assert event.attributes == {"age": "35-44", "children": 2, "income": 1.5, "card": True}
    assert [type(value) for value in event.attributes.values()] == [str, int, float, bool]


def an_override(**fields: Any) -> dict[str, Any]:
    head = {k: v for k, v in order().items() if k in ("event_id", "customer_id", "occurred_at")}
    return head | {"type": "override", "segment_id": "s12"} | fields


THERE = replace(RULES, segments=frozenset({"s1", "s12"}))


def test_an_override_says_where_how_long_who_and_why() -> None:
    until = "2023-11-15T03:43:21+05:30"
    event = decoded(an_override(until=until, by="anna", reason="moves house"), rules=THERE)
    assert (event.type, event.amount, event.attributes, event.lines) == ("override", 0.0, None, ())
    assert event.override == Override(12, 1_700_000_001_000, "anna", "moves house")
    assert decoded(an_override(note="x"), rules=THERE).override == Override(12, None, None, None)
    assert decoded(an_override(note="x"), rules=THERE).unknown_fields == 1


def test_letting_go_needs_no_model_and_holding_needs_a_segment_of_it() -> None:
    assert decoded(an_override(segment_id=None)).override == Override(0, None, None, None)
    assert reason_of(an_override()) == Reason.UNKNOWN_SEGMENT


def test_an_override_ends_after_it_began() -> None:
    began = rfc3339(NOW_MS)
    assert reason_of(an_override(segment_id=None, until=began)) == Reason.ABSURD_TIME
    assert decoded(an_override(segment_id=None, until=rfc3339(NOW_MS + 1)))
    assert decoded(an_override(segment_id=None, until="9999-12-31T23:59:59.999Z"))


@pytest.mark.parametrize("fields", [{"by": "x" * 80, "reason": "y" * 200}, {"by": "Ünal", "reason": "😀"}])
def test_the_limits_of_an_override_are_allowed(fields: dict[str, Any]) -> None:
    assert decoded(an_override(segment_id=None, **fields)).override


def test_an_event_is_immutable() -> None:
    with pytest.raises(AttributeError):
        decoded(order()).amount = 1.0  # type: ignore[misc]


def test_unknown_fields_are_ignored_and_counted_also_in_lines() -> None:
    line = {"category": "DELI", "amount": 1.0, "aisle": 7, "sku": {"id": 1}}
    assert decoded(order(note="x", tags=["a", "b"], lines=[line, line])).unknown_fields == 6
    assert decoded(order(lines=[], note="x")).unknown_fields == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": -1e9, "items": -3, "discount": 0},
        {"currency": "EUR"},
        {"event_id": "x" * 200},
        {"event_id": "é" * 100},
        {"lines": [{"category": "x" * 80, "amount": 1, "private_label": True}] * 400},
        {"lines": [{"category": "", "amount": 0}] * 1000},
        {"attributes": {"x" * 80: "y" * 200}},
        {"attributes": {str(n): n for n in range(50)}},
        {"occurred_at": "2023-11-14T22:18:20.123Z"},
        {"occurred_at": "1990-01-01T00:00:00Z"},
        {"note": 'a comma, a "quote":, a brace {'},
    ],
)
def test_the_limits_themselves_are_allowed(fields: dict[str, Any]) -> None:
    assert decoded(order(**fields)).event_id


def test_the_size_limit_itself_is_allowed() -> None:
    text = json.dumps(order()).encode()
    assert decoded(text + b" " * (RULES.max_event_bytes - len(text)))
    assert reason_of(text + b" " * (RULES.max_event_bytes - len(text) + 1)) == Reason.TOO_LARGE


@pytest.mark.parametrize("customer", ["1", "household 7", "Ünal:🛒", '"quoted"', "a,b", "x" * 200])
def test_any_printable_customer_id_is_fine(customer: str) -> None:
    assert decoded(good_order(customer, NOW_MS), customer).customer_id == customer


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T17:13:20.1239-05:00", 1_700_000_000_123),
        ("2023-11-15T03:43:20.999999999+05:30", 1_700_000_000_999),
    ],
)
def test_times_have_an_offset_and_are_rounded_down(text: str, ms: int) -> None:
    assert decoded(order(occurred_at=text)).occurred_at_ms == ms


@pytest.mark.parametrize("poison", CORPUS, ids=lambda p: p.kind)
def test_poison_is_refused_for_its_reason(poison: Poison) -> None:
    record = poison.make("canary-7131", RULES, NOW_MS)
    with pytest.raises(RejectedEvent) as caught:
        decode(record.key, record.value, record.timestamp_ms, record.partition, RULES)
    assert caught.value.reason == poison.reason
    assert "canary" not in caught.value.detail


def test_the_corpus_has_every_reason_and_no_kind_twice() -> None:
    assert {poison.reason for poison in CORPUS} == set(Reason)
    assert len({poison.kind for poison in CORPUS}) == len(CORPUS) >= 45


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "canary"},
        {"currency": "canary"},
        {"type": "override", "segment_id": "canary"},
        {"type": "override", "segment_id": None, "until": "canary"},
        {"type": "override", "segment_id": None, "by": "canary\n"},
        {"occurred_at": "canary"},
        {"event_id": "canary\n"},
        {"attributes": {"canary": None}},
        {"attributes": {"canary": 1e300}},
        {"lines": [{"category": "canary", "amount": "canary"}]},
    ],
)
def test_no_detail_repeats_the_payload(fields: dict[str, Any]) -> None:
    with pytest.raises(RejectedEvent) as caught:
        decoded(order(**fields))
    assert "canary" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = (*good_order("c1", 0), "currency", "discount", "attributes", "segment_id", "until", "by", "reason")


def accepted(key: bytes | None, value: bytes | None, timestamp_ms: int, partition: int = 0) -> Event | None:
    """Fails on any exception but the one that may leave ``decode``."""
    try:
        return decode(key, value, timestamp_ms, partition, RULES)
    except RejectedEvent as error:
        rejected = error
    assert Reason(rejected.reason)
    assert rejected.detail
    return None


@given(st.none() | st.binary(), st.none() | st.binary(), st.integers(-1, 2**63 - 1))
@example(b"c1", b"[" * 65_536, 0)
@example(b"c1", b'["\\ud800",' + b"[" * 60_000, 0)
@example(b"c1", b'{"a":' * 190 + b'{"b":1, "b":2}' + b"}" * 190, 0)
def test_any_bytes_are_an_event_or_rejected(key: bytes | None, value: bytes | None, timestamp_ms: int) -> None:
    accepted(key, value, timestamp_ms)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_any_values_of_the_fields_are_an_event_or_rejected(fields: dict[str, Any]) -> None:
    text = json.dumps(order(**fields)).encode()
    event = accepted(b"c1", text, NOW_MS, partition=sent("c1", None, RULES, 0).partition)
    if event is not None:
        assert event.customer_id == "c1"
        assert abs(event.amount) <= 1e9
        assert event.discount >= 0.0


@given(st.data())
def test_any_damage_to_an_order_is_an_event_or_rejected(data: st.DataObject) -> None:
    text = bytearray(json.dumps(order(attributes={"a": 1, "b": "x"})).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    accepted(b"c1", bytes(text), NOW_MS)
