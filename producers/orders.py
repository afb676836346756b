"""An order as the contract says it, and its bytes: what every producer of customer events sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic_core import to_json

from stream.contracts.timestamps import rfc3339
from stream.errors import SettingsError

UNKNOWN_CATEGORY = "UNKNOWN"
"""Category of a line that says none."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Encoded(NamedTuple):
    """One event ready for ``customer.events``: Kafka key (customer id, UTF-8), JSON payload, event time."""

    key: bytes
    payload: bytes
    occurred_at_ms: int


class Events(Protocol):
    """A known number of events in time order, to be read as often as wanted."""

    def __len__(self) -> int:
        """How many."""
        ...

    def __iter__(self) -> Iterator[Encoded]:
        """From the first on."""
        ...


Line = tuple[str, float, bool]
"""What one basket holds of one category and kind of label: category, amount, private label."""


def encode_order(
    event_id: str,
    customer_id: str,
    at_ms: int,
    zone: tzinfo,
    amount: float,
    *,
    items: float | None = None,
    discount: float | None = None,
    lines: Iterable[Line] = (),
) -> Encoded:
    """One order of the contract ``customer.events``; what is ``None`` is left out. ``zone`` gives the offset.

    >>> encode_order("b1", "c1", 0, UTC, 9.5, items=2).payload[-65:]
    b'"occurred_at":"1970-01-01T00:00:00+00:00","amount":9.5,"items":2}'
    """
    event = _head("order", event_id, customer_id, local_rfc3339(at_ms, zone))
    event["amount"] = amount
    if items is not None:
        event["items"] = items
    if discount is not None:
        event["discount"] = discount
    said = [{"category": c, "amount": a, "private_label": p} for c, a, p in lines]
    if said:
        event["lines"] = said
    return Encoded(customer_id.encode(), to_json(event), at_ms)


def encode_view(event_id: str, customer_id: str, at_ms: int, zone: tzinfo) -> Encoded:
    """One look at the shop without an order."""
    event = _head("view", event_id, customer_id, local_rfc3339(at_ms, zone))
    return Encoded(customer_id.encode(), to_json(event), at_ms)


def encode_profile(event_id: str, customer_id: str, at_ms: int, zone: tzinfo, attributes: Mapping[str, str]) -> Encoded:
    """What is known of a person besides its orders."""
    event = _head("profile", event_id, customer_id, local_rfc3339(at_ms, zone)) | {"attributes": dict(attributes)}
    return Encoded(customer_id.encode(), to_json(event), at_ms)


def encode_override(
    event_id: str,
    customer_id: str,
    at_ms: int,
    segment_id: str | None,
    until_ms: int | None = None,
    by: str | None = None,
    reason: str | None = None,
) -> Encoded:
    """An analyst's word on a customer, ``None`` lets go. Its clock is nobody's: UTC.

    >>> encode_override("w1", "c1", 0, "s3", by="anna").payload[-71:]
    b'"occurred_at":"1970-01-01T00:00:00.000Z","segment_id":"s3","by":"anna"}'
    """
    event = _head("override", event_id, customer_id, rfc3339(at_ms)) | {"segment_id": segment_id}
    said = {"until": None if until_ms is None else rfc3339(until_ms), "by": by, "reason": reason}
    event |= {name: value for name, value in said.items() if value is not None}
    return Encoded(customer_id.encode(errors="surrogateescape"), to_json(event), at_ms)


def _head(kind: str, event_id: str, customer_id: str, occurred_at: str) -> dict[str, Any]:
    return {"event_id": event_id, "customer_id": customer_id, "type": kind, "occurred_at": occurred_at}


def local_rfc3339(at_ms: int, zone: tzinfo) -> str:
    """An instant as local time with its offset, which makes both readings of a repeated hour distinct.

    >>> [local_rfc3339(1_509_859_800_000 + hour * 3_600_000, ZoneInfo("America/New_York")) for hour in (0, 1)]
    ['2017-11-05T01:30:00-04:00', '2017-11-05T01:30:00-05:00']
    """
    moment = datetime.fromtimestamp(at_ms / 1000, zone)
    return moment.isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name. Raises ``SettingsError``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"'{name}' is not a time zone; write one like 'Europe/Berlin'") from error


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware time, rounded down.

    >>> epoch_ms(datetime(1970, 1, 1, 0, 0, 1, 999, tzinfo=UTC))
    1000
    """
    return (moment - _EPOCH) // _MILLISECOND
