"""The reader on Redis: needs a user that may only read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from stream.settings import RedisSettings
from stream.view.keys import FEATURES, SEGMENT, SEGMENTS, customers_key, states_key, status_key, watermark_key
from stream.view.reader import Reader
from stream.view.redis_link import RedisLink

_PAGE = 1000


class RedisReader(Reader):
    """A ``Reader`` on one Redis (or Valkey), which may be a replica."""

    def __init__(self, settings: RedisSettings) -> None:
        self._link = RedisLink(settings)

    def segment(self, customer: bytes) -> dict[str, str] | None:
        """See ``Reader.segment``."""
        return _fields(self._link.ask(("HGETALL", SEGMENT + customer))[0]) or None

    def features(self, customer: bytes) -> dict[str, Any] | None:
        """See ``Reader.features``."""
        document = self._link.ask(("GET", FEATURES + customer))[0]
        return None if document is None else json.loads(document)

    def segments(self) -> dict[str, dict[str, Any]]:
        """See ``Reader.segments``."""
        profiles = _fields(self._link.ask(("HGETALL", SEGMENTS))[0])
        return {segment: json.loads(profile) for segment, profile in profiles.items()}

    def customers(self, segment: str | None = None) -> Iterator[tuple[bytes, dict[str, str]]]:
        """See ``Reader.customers``. SCAN may bring a key twice; it is passed on once."""
        seen: set[bytes] = set()
        cursor = b"0"
        while True:
            scan = ("SCAN", cursor, "MATCH", SEGMENT + b"*", "COUNT", _PAGE, "TYPE", "hash")
            cursor, keys = self._link.ask(scan)[0]
            fresh = [key for key in dict.fromkeys(keys) if key not in seen]
            seen.update(fresh)
            for key, reply in zip(fresh, self._link.ask(*(("HGETALL", key) for key in fresh)), strict=True):
                fields = _fields(reply)
                if fields and segment in (None, fields.get("id")):
                    yield key.removeprefix(SEGMENT), fields
            if cursor == b"0":
                return

    def state(self, partition: int, customer: bytes) -> bytes | None:
        """See ``Reader.state``."""
        state: bytes | None = self._link.ask(("HGET", states_key(partition), customer))[0]
        return state

    def states(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """See ``Reader.states``. Goes by the sweep's order, which unlike HSCAN repeats nothing."""
        start = b"-"
        while True:
            page = ("ZRANGEBYLEX", customers_key(partition), start, "+", "LIMIT", 0, _PAGE)
            names = self._link.ask(page)[0]
            if not names:
                return
            found = self._link.ask(("HMGET", states_key(partition), *names))[0]
            yield from ((name, state) for name, state in zip(names, found, strict=True) if state is not None)
            start = b"(" + names[-1]

    def watermark(self, partition: int) -> bytes | None:
        """See ``Reader.watermark``."""
        watermark: bytes | None = self._link.ask(("GET", watermark_key(partition)))[0]
        return watermark

    def status(self, partition: int) -> str | None:
        """See ``Reader.status``."""
        status = self._link.ask(("GET", status_key(partition)))[0]
        return None if status is None else status.decode()

    def close(self) -> None:
        """See ``Reader.close``."""
        self._link.close()


def _fields(reply: Sequence[bytes]) -> dict[str, str]:
    """A reply of HGETALL: names and values by turns."""
    texts = [text.decode() for text in reply]
    return dict(zip(texts[::2], texts[1::2], strict=True))
