"""Reading payloads back, as the service does."""

from __future__ import annotations

from collections.abc import Iterable

from producers.orders import Encoded
from stream.contracts.events import DecodeRules, Event, decode

_ONE_PARTITION = DecodeRules(partitions=1)


def decoded(events: Iterable[Encoded]) -> list[Event]:
    """The events, accepted without a field unknown, at the time and under the key they came with."""
    found = []
    for key, payload, at_ms in events:
        event = decode(key, payload, at_ms, 0, _ONE_PARTITION)
        assert event.unknown_fields == 0
        assert event.occurred_at_ms == at_ms
        found.append(event)
    return found
