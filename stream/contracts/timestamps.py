"""Times on the wire are RFC 3339, inside they are int64 milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

WITHOUT_OFFSET = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"  # no leap seconds
)
RFC_3339 = WITHOUT_OFFSET + r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
"""The form of an accepted time: nothing of ISO 8601 beyond it (week dates, 24:00, offsets of seconds)."""
RFC_3339_UTC = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
"""The form of a published time."""


def ms_of(text: str) -> int:
    """Milliseconds of a time in the form ``RFC_3339``, rounded down. Raises ``ValueError`` (no such day).

    >>> ms_of("1970-01-01T01:00:00.0019+01:00")
    1
    """
    return (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND


def rfc3339(ms: int) -> str:
    """A time in UTC with milliseconds.

    >>> rfc3339(1)
    '1970-01-01T00:00:00.001Z'
    """
    moment = _EPOCH + ms * _MILLISECOND
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
