"""The rejected topic: key and value are the original bytes, the headers say why and where the record was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stream.errors import BadRecord, RejectedEvent

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """What the headers of a rejected record say. ``timestamp_ms`` is the original record's, wall clock."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int


def rejected_headers(topic: str, partition: int, offset: int, timestamp_ms: int, error: RejectedEvent) -> Headers:
    """The headers of the record that was found at these coordinates and refused with ``error``.

    >>> rejected_headers("customer.events", 3, 17, 0, RejectedEvent("null_key", "the record has no key"))[0]
    ('rejected_reason', b'null_key')
    """
    return (
        ("rejected_reason", error.reason.encode()),
        ("rejected_detail", error.detail.encode()),
        ("rejected_topic", topic.encode()),
        ("rejected_partition", b"%d" % partition),
        ("rejected_offset", b"%d" % offset),
        ("rejected_timestamp_ms", b"%d" % timestamp_ms),
    )


def read_rejected(headers: Iterable[tuple[str, bytes]]) -> Rejected:
    """The reverse; other headers are passed over. Raises ``BadRecord`` if one of ours is missing."""
    found = {name.removeprefix("rejected_"): value for name, value in headers if name.startswith("rejected_")}
    try:
        return Rejected(
            found["reason"].decode(),
            found["detail"].decode(),
            found["topic"].decode(),
            int(found["partition"]),
            int(found["offset"]),
            int(found["timestamp_ms"]),
        )
    except (KeyError, ValueError) as error:
        raise BadRecord(f"not the headers of a rejected record: {error}") from error
