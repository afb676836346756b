"""The rejected topic: key and value are the original bytes, the headers say why and where the record was.

An original above 1 MiB is cut, so that it can always be written: a bad record must not stop the feed by its size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stream.errors import BadRecord, RejectedEvent

Headers = tuple[tuple[str, bytes], ...]

MAX_ORIGINAL_BYTES = 1024 * 1024
"""Kept of an original, key and value together; with headers that is well below the topic's limit of 2 MiB."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """What the headers of a rejected record say. ``timestamp_ms`` is the original record's, wall clock."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key_bytes: int | None = None
    """True size of a key that was cut; ``None``: it is whole."""
    value_bytes: int | None = None
    """... and of a value."""


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


def kept(key: bytes | None, value: bytes | None) -> tuple[bytes | None, bytes | None, Headers]:
    """What is kept of an original, and the headers that tell the true size of what was cut.

    >>> key, value, headers = kept(b"42", bytes(3_000_000))
    >>> len(key) + len(value) == MAX_ORIGINAL_BYTES, headers
    (True, (('rejected_value_bytes', b'3000000'),))
    """
    whole = {"rejected_key_bytes": key, "rejected_value_bytes": value}
    key = key and key[:MAX_ORIGINAL_BYTES]
    value = value and value[: MAX_ORIGINAL_BYTES - len(key or b"")]
    left = {"rejected_key_bytes": key, "rejected_value_bytes": value}
    return key, value, tuple((name, b"%d" % len(of or b"")) for name, of in whole.items() if of != left[name])


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
            int(found["key_bytes"]) if "key_bytes" in found else None,
            int(found["value_bytes"]) if "value_bytes" in found else None,
        )
    except (KeyError, ValueError) as error:
        raise BadRecord(f"not the headers of a rejected record: {error}") from error
