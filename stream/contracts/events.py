"""Customer events in: from the bytes of a record to an ``Event``, or to the reason why not. Total and pure.

The rules are in ``strict_json`` (text), ``payloads`` (shape) and ``partitioning`` (key); here is their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from stream.contracts.partitioning import partition_of
from stream.contracts.payloads import MAX_ID_BYTES, check
from stream.contracts.reasons import Reason
from stream.contracts.strict_json import parse_object
from stream.contracts.timestamps import ms_of
from stream.errors import RejectedEvent

__all__ = ["EARLIEST_MS", "DecodeRules", "Event", "Override", "Reason", "decode"]

EARLIEST_MS = 631_152_000_000
"""1990-01-01: nothing older is a customer event; it is a zero, or seconds taken for milliseconds."""
LATEST_MS = 253_402_300_799_999
"""The end of 9999: the last moment that can be written down."""


class Override(NamedTuple):
    """What an analyst says of a customer."""

    segment: int
    """Number of the segment to be held in, 0 = let go."""
    until_ms: int | None
    """Event time when it is over, ``None`` = until somebody lets go."""
    by: str | None
    reason: str | None


class Event(NamedTuple):
    """One thing a customer did. What an event type does not have is 0, empty or ``None``.

    A named tuple, as records are: there is one an event, and a frozen dataclass takes four times as long to make.
    """

    event_id: str
    customer_id: str
    type: Literal["order", "view", "profile", "override"]
    occurred_at_ms: int
    """Event time."""
    amount: float
    """Money; negative for a refund."""
    items: float
    discount: float
    """Money, at least 0."""
    lines: tuple[tuple[str, float, bool], ...]
    """(category, amount, private label)."""
    attributes: dict[str, str | int | float | bool] | None
    unknown_fields: int
    """How many members of the payload were ignored."""
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class DecodeRules:
    """What the rules depend on besides the record."""

    partitions: int
    max_event_bytes: int = 65_536
    future_tolerance_ms: int = 300_000
    segments: frozenset[str] = frozenset()
    """Ids that an override may name: those of the model in use."""


def decode(key: bytes | None, value: bytes | None, timestamp_ms: int, partition: int, rules: DecodeRules) -> Event:
    """The event of a record that was found on ``partition`` with the broker's ``timestamp_ms``.

    Raises ``RejectedEvent`` with a ``Reason``, and nothing else whatever the bytes. Its detail names fields
    and limits, never what the record says of the customer.
    """
    if value is None:
        raise RejectedEvent(Reason.NULL_VALUE, "the record has no value")
    if key is None:
        raise RejectedEvent(Reason.NULL_KEY, "the record has no key: it should be the customer id")
    if len(value) > rules.max_event_bytes:
        raise RejectedEvent(Reason.TOO_LARGE, f"{len(value)} bytes, at most {rules.max_event_bytes}")
    payload = parse_object(value)
    fields = check(payload)
    _check_ids(key, fields["customer_id"], fields["event_id"])
    home = partition_of(key, rules.partitions)
    if home != partition:
        detail = f"the key belongs to partition {home} of {rules.partitions} (murmur2), not to {partition}"
        raise RejectedEvent(Reason.WRONG_PARTITION, detail)
    at_ms = _occurred_at_ms(fields["occurred_at"], timestamp_ms + rules.future_tolerance_ms)
    lines = fields.get("lines", ())
    return Event(
        fields["event_id"],
        fields["customer_id"],
        fields["type"],
        at_ms,
        fields.get("amount", 0.0),
        fields.get("items", 0.0),
        fields.get("discount", 0.0),
        _lines(lines) if lines else (),
        fields.get("attributes"),
        len(payload) - len(fields) + (_members(payload["lines"]) - _members(lines) if lines else 0),
        _override(fields, at_ms, rules.segments) if fields["type"] == "override" else None,
    )


def _check_ids(key: bytes, customer_id: str, event_id: str) -> None:
    if len(key) > MAX_ID_BYTES or (not event_id.isascii() and len(event_id.encode()) > MAX_ID_BYTES):
        raise RejectedEvent(Reason.ID_TOO_LONG, f"an id of more than {MAX_ID_BYTES} bytes")
    if customer_id.encode() != key:
        raise RejectedEvent(Reason.KEY_MISMATCH, "customer_id: is not the record's key")


def _occurred_at_ms(text: str, latest_ms: int) -> int:
    try:
        at = ms_of(text)
    except ValueError:
        raise RejectedEvent(Reason.BAD_TIME, "occurred_at: no such day") from None
    if at < EARLIEST_MS:
        raise RejectedEvent(Reason.ABSURD_TIME, "occurred_at: before 1990")
    if at > latest_ms:
        raise RejectedEvent(Reason.FROM_FUTURE, "occurred_at: later than the record's timestamp allows")
    return at


def _override(fields: dict[str, Any], at_ms: int, segments: frozenset[str]) -> Override:
    segment_id: str | None = fields["segment_id"]
    if segment_id is not None and segment_id not in segments:
        raise RejectedEvent(Reason.UNKNOWN_SEGMENT, "segment_id: nobody can be in it now")
    until_ms = _until_ms(fields["until"], at_ms) if "until" in fields else None
    number = 0 if segment_id is None else int(segment_id[1:])
    return Override(number, until_ms, fields.get("by"), fields.get("reason"))


def _until_ms(text: str, at_ms: int) -> int:
    try:
        until_ms = ms_of(text)
    except ValueError:
        raise RejectedEvent(Reason.BAD_TIME, "until: no such day") from None
    if not at_ms < until_ms <= LATEST_MS:
        raise RejectedEvent(Reason.ABSURD_TIME, "until: not later than occurred_at, or after 9999")
    return until_ms


def _lines(lines: list[dict[str, Any]]) -> tuple[tuple[str, float, bool], ...]:
    return tuple([(line["category"], line["amount"], line.get("private_label", False)) for line in lines])


def _members(lines: list[dict[str, Any]]) -> int:
    return sum(map(len, lines))
