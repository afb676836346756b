"""Bad payloads that a stream of customer events really meets, each with the reason it must be refused for.

A kind has one fault and is sound otherwise, so that the reason is certain. Nothing here is random.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stream.contracts.events import DecodeRules, Reason
from stream.contracts.partitioning import partition_of
from stream.contracts.timestamps import rfc3339


@dataclass(frozen=True, slots=True)
class Sent:
    """A record to send. ``timestamp_ms`` is what the broker's clock should say of it."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    partition: int


@dataclass(frozen=True, slots=True)
class Poison:
    """``make(customer_id, rules, timestamp_ms)`` is a record of this kind from an honest customer."""

    kind: str
    reason: Reason
    make: Callable[[str, DecodeRules, int], Sent]


def good_order(customer_id: str, timestamp_ms: int) -> dict[str, Any]:
    """An order without a fault: what every kind is a distortion of."""
    return {
        "event_id": "basket-1",
        "customer_id": customer_id,
        "type": "order",
        "occurred_at": rfc3339(timestamp_ms),
        "amount": 42.5,
        "items": 3,
        "lines": [{"category": "GROCERY", "amount": 40.0}, {"category": "DELI", "amount": 2.5}],
    }


def sent(customer_id: str, value: bytes | None, rules: DecodeRules, timestamp_ms: int) -> Sent:
    """A value under the customer's own key, on its own partition."""
    key = customer_id.encode()
    return Sent(key, value, timestamp_ms, partition_of(key, rules.partitions))


def _raw(kind: str, reason: Reason, value: bytes | None) -> Poison:
    """Bytes that are no order at all."""
    return Poison(kind, reason, lambda customer, rules, now: sent(customer, value, rules, now))


def _text(kind: str, reason: Reason, change: Callable[[bytes], bytes]) -> Poison:
    """The bytes of a good order, changed."""

    def make(customer: str, rules: DecodeRules, now: int) -> Sent:
        good = json.dumps(good_order(customer, now)).encode()
        bad = change(good)
        assert bad != good, kind
        return sent(customer, bad, rules, now)

    return Poison(kind, reason, make)


def _instead(kind: str, reason: Reason, there: bytes, here: bytes) -> Poison:
    return _text(kind, reason, lambda good: good.replace(there, here, 1))


def _beside(kind: str, reason: Reason, member: bytes) -> Poison:
    """One member more, of a name that nobody reads."""
    return _text(kind, reason, lambda good: b'{"unread": ' + member + b", " + good[1:])


def _with(kind: str, reason: Reason, **fields: Any) -> Poison:
    """A good order but for these fields."""
    return _fields(kind, reason, lambda order, _rules, _now: order | fields)


def _override(kind: str, why: Reason, **fields: Any) -> Poison:
    """An override that lets go of the customer, but for these fields."""

    def make(customer: str, rules: DecodeRules, now: int) -> Sent:
        head = {name: good_order(customer, now)[name] for name in ("event_id", "customer_id", "occurred_at")}
        bad = head | {"type": "override", "segment_id": None} | fields
        return sent(customer, json.dumps(bad).encode(), rules, now)

    return Poison(kind, why, make)


def _without(field: str) -> Poison:
    kind = f"no {field}"
    return _fields(kind, Reason.MISSING_FIELD, lambda order, _r, _n: {k: v for k, v in order.items() if k != field})


def _fields(kind: str, reason: Reason, change: Callable[[dict[str, Any], DecodeRules, int], dict[str, Any]]) -> Poison:
    def make(customer: str, rules: DecodeRules, now: int) -> Sent:
        bad = change(good_order(customer, now), rules, now)
        return sent(customer, json.dumps(bad).encode(), rules, now)

    return Poison(kind, reason, make)


def _as_customer(kind: str, reason: Reason, customer_id: str) -> Poison:
    """Key and payload agree on an id that none should have."""

    def make(_customer: str, rules: DecodeRules, now: int) -> Sent:
        return sent(customer_id, json.dumps(good_order(customer_id, now)).encode(), rules, now)

    return Poison(kind, reason, make)


def _under_key(kind: str, reason: Reason, key: Callable[[bytes], bytes | None]) -> Poison:
    """A good order under another key."""

    def make(customer: str, rules: DecodeRules, now: int) -> Sent:
        wrong = key(customer.encode())
        home = partition_of(wrong or b"", rules.partitions)
        return Sent(wrong, json.dumps(good_order(customer, now)).encode(), now, home)

    return Poison(kind, reason, make)


def _elsewhere(customer: str, rules: DecodeRules, now: int) -> Sent:
    """What a producer with another partitioner does. Needs two partitions."""
    good = sent(customer, json.dumps(good_order(customer, now)).encode(), rules, now)
    assert rules.partitions > 1, "with one partition none is wrong"
    return Sent(good.key, good.value, now, (good.partition + 1) % rules.partitions)


def _too_large(order: dict[str, Any], rules: DecodeRules, _now: int) -> dict[str, Any]:
    padding = rules.max_event_bytes + 1 - len(json.dumps(order | {"note": ""}))
    return order | {"note": "x" * padding}


def _line(**fields: Any) -> list[dict[str, Any]]:
    return [{"category": "DELI", "amount": 1.0} | fields]


def _at(kind: str, reason: Reason, occurred_at: Any) -> Poison:
    return _with(kind, reason, occurred_at=occurred_at)


_TEXT = (
    _raw("null value", Reason.NULL_VALUE, None),
    _under_key("null key", Reason.NULL_KEY, lambda _: None),
    _fields("a byte too large", Reason.TOO_LARGE, _too_large),
    _raw("half a megabyte", Reason.TOO_LARGE, b"[" * 524_288),
    _instead("Latin-1", Reason.NOT_UTF8, b"DELI", "CAFÉ".encode("latin-1")),
    _instead("overlong UTF-8", Reason.NOT_UTF8, b"DELI", b"\xc0\xaf"),
    _instead("surrogate in UTF-8", Reason.NOT_UTF8, b"DELI", b"\xed\xa0\x80"),
    _text("UTF-16", Reason.NOT_UTF8, lambda good: good.decode().encode("utf-16")),
    _text("gzip", Reason.NOT_UTF8, lambda good: gzip.compress(good, mtime=0)),
    _raw("empty", Reason.NOT_JSON, b""),
    _raw("blank", Reason.NOT_JSON, b" \n\t "),
    _raw("XML", Reason.NOT_JSON, b"<order id='1'/>"),
    _raw("Avro with a schema id", Reason.NOT_JSON, b"\x00\x00\x00\x00\x07\x10basket-1"),
    _text("byte order mark", Reason.NOT_JSON, lambda good: b"\xef\xbb\xbf" + good),
    _text("cut off", Reason.NOT_JSON, lambda good: good[: len(good) // 2]),
    _text("two documents", Reason.NOT_JSON, lambda good: good + good),
    _text("trailing comma", Reason.NOT_JSON, lambda good: good[:-1] + b",}"),
    _text("Python's repr", Reason.NOT_JSON, lambda good: repr(json.loads(good)).encode()),
    _text("comment", Reason.NOT_JSON, lambda good: b"/* v2 */" + good),
    _instead("leading zero", Reason.NOT_JSON, b"42.5", b"042.5"),
    _instead("decimal comma", Reason.NOT_JSON, b"42.5", b"42,5"),
    _instead("tab inside a string", Reason.NOT_JSON, b"DELI", b"DE\tLI"),
    _text("array of orders", Reason.NOT_OBJECT, lambda good: b"[" + good + b"]"),
    _text("JSON in a JSON string", Reason.NOT_OBJECT, lambda good: json.dumps(good.decode()).encode()),
    _raw("number", Reason.NOT_OBJECT, b"42"),
    _raw("JSON null", Reason.NOT_OBJECT, b"null"),
    _text("duplicate key", Reason.DUPLICATE_KEY, lambda good: good[:-1] + b', "amount": 1}'),
    _text("duplicate key, spaced", Reason.DUPLICATE_KEY, lambda good: b'{"amount" : 1,' + good[1:]),
    _text("duplicate key, escaped", Reason.DUPLICATE_KEY, lambda good: good[:-1] + b', "\\u0061mount": 1}'),
    _instead("duplicate key in a line", Reason.DUPLICATE_KEY, b'"DELI"', b'"DELI", "category": "MEAT"'),
    _beside("duplicate key deep down", Reason.DUPLICATE_KEY, b'[[{"a": {"b": 1, "b": 1}}]]'),
    _instead("NaN", Reason.NOT_FINITE, b"42.5", b"NaN"),
    _instead("Infinity", Reason.NOT_FINITE, b"42.5", b"Infinity"),
    _instead("-Infinity", Reason.NOT_FINITE, b"42.5", b"-Infinity"),
    _instead("1e999", Reason.NOT_FINITE, b"42.5", b"1e999"),
    _instead("-1e999 in a line", Reason.NOT_FINITE, b"40.0", b"-1e999"),
    _beside("NaN that nobody reads", Reason.NOT_FINITE, b"NaN"),
    _instead("lone high surrogate", Reason.LONE_SURROGATE, b"DELI", b"\\ud83d"),
    _instead("lone low surrogate", Reason.LONE_SURROGATE, b"DELI", b"\\ude00 x"),
    _instead("surrogates swapped", Reason.LONE_SURROGATE, b"DELI", b"\\ude00\\ud83d"),
    _raw("60,000 brackets", Reason.TOO_DEEP, b"[" * 60_000),
    _beside("a thousand objects deep", Reason.TOO_DEEP, b'{"a":' * 1000 + b"1" + b"}" * 1000),
    _instead("integer of 5,000 digits", Reason.ABSURD_INTEGER, b"42.5", b"9" * 5000),
)

_SHAPE = (
    *map(_without, ("event_id", "customer_id", "type", "occurred_at", "amount")),
    _with("a line without amount", Reason.MISSING_FIELD, lines=[{"category": "DELI"}]),
    _with("a profile without attributes", Reason.MISSING_FIELD, type="profile"),
    _with("amount in a string", Reason.WRONG_TYPE, amount="42.5"),
    _with("amount true", Reason.WRONG_TYPE, amount=True),
    _with("amount null", Reason.WRONG_TYPE, amount=None),
    _with("event_id a number", Reason.WRONG_TYPE, event_id=7),
    _with("type an array", Reason.WRONG_TYPE, type=["order"]),
    _with("lines an object", Reason.WRONG_TYPE, lines={"category": "DELI"}),
    _with("a line a string", Reason.WRONG_TYPE, lines=["DELI"]),
    _with("private_label 1", Reason.WRONG_TYPE, lines=_line(private_label=1)),
    _with("attributes an array", Reason.WRONG_TYPE, attributes=["age", 7]),
    _with("attribute an object", Reason.WRONG_TYPE, attributes={"home": {"city": "x"}}),
    _with("unknown type", Reason.UNKNOWN_TYPE, type="purchase"),
    _with("type in capitals", Reason.UNKNOWN_TYPE, type="Order"),
    *(_with(f"reserved {kind}", Reason.RESERVED_TYPE, type=kind) for kind in ("consent", "merge", "absorb", "erase")),
    _with("amount of a billion and one", Reason.OUT_OF_BOUNDS, amount=1e9 + 1),
    _with("refund of a billion and one", Reason.OUT_OF_BOUNDS, amount=-1e9 - 1),
    _with("amount of 400 digits", Reason.OUT_OF_BOUNDS, amount=10**400),
    _with("two billion items", Reason.OUT_OF_BOUNDS, items=2_000_000_000),
    _with("a line of 1e300", Reason.OUT_OF_BOUNDS, lines=_line(amount=1e300)),
    _with("negative discount", Reason.OUT_OF_BOUNDS, discount=-0.01),
    _with("attribute of 2^60", Reason.OUT_OF_BOUNDS, attributes={"n": 2**60}),
    _with("currency by name", Reason.BAD_CURRENCY, currency="euro"),
    _with("1,001 lines", Reason.TOO_MANY_LINES, lines=_line() * 1001),
    _with("category of 81", Reason.CATEGORY_TOO_LONG, lines=_line(category="x" * 81)),
    _with("51 attributes", Reason.ATTRIBUTES_TOO_LARGE, attributes={str(n): n for n in range(51)}),
    _with("attribute name of 81", Reason.ATTRIBUTES_TOO_LARGE, attributes={"x" * 81: 1}),
    _with("attribute value of 201", Reason.ATTRIBUTES_TOO_LARGE, attributes={"note": "x" * 201}),
)

_IDS_AND_TIMES = (
    _with("empty event_id", Reason.EMPTY_ID, event_id=""),
    _as_customer("empty customer_id", Reason.EMPTY_ID, ""),
    _with("event_id of 201", Reason.ID_TOO_LONG, event_id="x" * 201),
    _with("event_id of 202 bytes", Reason.ID_TOO_LONG, event_id="é" * 101),
    _as_customer("customer_id of 201", Reason.ID_TOO_LONG, "x" * 201),
    _as_customer("customer_id of 202 bytes", Reason.ID_TOO_LONG, "é" * 101),
    _with("NUL in event_id", Reason.CONTROL_CHARACTER, event_id="basket\0"),
    _as_customer("newline in customer_id", Reason.CONTROL_CHARACTER, "c1\n"),
    _with("somebody else's id", Reason.KEY_MISMATCH, customer_id="somebody else"),
    _under_key("key in quotes", Reason.KEY_MISMATCH, lambda key: b'"' + key + b'"'),
    _under_key("key not UTF-8", Reason.KEY_MISMATCH, lambda key: key + b"\xff"),
    _under_key("empty key", Reason.KEY_MISMATCH, lambda _: b""),
    Poison("wrong partition", Reason.WRONG_PARTITION, _elsewhere),
    _at("naive time", Reason.NAIVE_TIME, "2017-06-03T18:20:00"),
    _at("naive time with fraction", Reason.NAIVE_TIME, "2017-06-03T18:20:00.123456"),
    _at("date only", Reason.BAD_TIME, "2017-06-03"),
    _at("American date", Reason.BAD_TIME, "06/03/2017 6:20 PM"),
    _at("epoch in a string", Reason.BAD_TIME, "1496514000"),
    _at("epoch as a number", Reason.WRONG_TYPE, 1_496_514_000_000),
    _at("zone by name", Reason.BAD_TIME, "2017-06-03T18:20:00 Europe/Berlin"),
    _at("30 February", Reason.BAD_TIME, "2017-02-30T00:00:00Z"),
    _at("hour 24", Reason.BAD_TIME, "2017-06-03T24:00:00Z"),
    _at("year zero", Reason.BAD_TIME, "0000-01-01T00:00:00Z"),
    _at("week date", Reason.BAD_TIME, "2017-W22-6T18:20:00Z"),
    _at("other digits", Reason.BAD_TIME, "٢٠١٧-06-03T18:20:00Z"),
    _at("the epoch", Reason.ABSURD_TIME, "1970-01-01T00:00:00Z"),
    _at("seconds taken for milliseconds", Reason.ABSURD_TIME, "1970-01-18T07:41:54Z"),
    _at("year one", Reason.ABSURD_TIME, "0001-01-01T00:00:00+23:59"),
    _fields(
        "a millisecond too early",
        Reason.FROM_FUTURE,
        lambda order, rules, now: order | {"occurred_at": rfc3339(now + rules.future_tolerance_ms + 1)},
    ),
    _at("year 9999", Reason.FROM_FUTURE, "9999-12-31T23:59:59.999999999-23:59"),
)

_OVERRIDES = (
    _with("an override without segment_id", Reason.MISSING_FIELD, type="override"),
    _override("an override by number", Reason.WRONG_TYPE, segment_id=3),
    _override("an override by name", Reason.UNKNOWN_SEGMENT, segment_id="frequent, high spend"),
    _override("an override into s0", Reason.UNKNOWN_SEGMENT, segment_id="s0"),
    _override("an override into a segment nobody has", Reason.UNKNOWN_SEGMENT, segment_id="s99999999999"),
    _override("an override until null", Reason.WRONG_TYPE, until=None),
    _override("an override until a naive time", Reason.NAIVE_TIME, until="2099-06-03T18:20:00"),
    _override("an override for seven days", Reason.BAD_TIME, until="7d"),
    _override("an override until 30 February", Reason.BAD_TIME, until="2100-02-30T00:00:00Z"),
    _override("an override until before it began", Reason.ABSURD_TIME, until="2001-01-01T00:00:00Z"),
    _override("an override until after 9999", Reason.ABSURD_TIME, until="9999-12-31T23:59:59-00:01"),
    _override("an override by a name of 81", Reason.OUT_OF_BOUNDS, by="x" * 81),
    _override("an override by nobody", Reason.EMPTY_ID, by=""),
    _override("an override by two lines", Reason.CONTROL_CHARACTER, by="anna\nroot"),
    _override("an override with a reason of 201", Reason.OUT_OF_BOUNDS, reason="x" * 201),
)

CORPUS: tuple[Poison, ...] = (*_TEXT, *_SHAPE, *_IDS_AND_TIMES, *_OVERRIDES)
"""Every kind, named once."""
