"""The control feed: what operators have told the workers, as each worker reads it; and telling them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from consumers.model_feed import read_back
from consumers.source import Record, Tail
from producers.writer import Writer
from stream.contracts.control import KEY, Control, decode_control, encode_control
from stream.contracts.timestamps import rfc3339
from stream.errors import BadRecord

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""A worker looks for a new command this often."""


class ControlFeed:
    """Follows the control topic: the newest good command counts. A bad one is passed over, with a word in the log."""

    def __init__(self, tail: Tail, topic: str, now_seconds: Callable[[], float]) -> None:
        self._tail, self._topic, self._now_seconds = tail, topic, now_seconds
        self._offset: int | None = None
        self._looked_at = 0.0
        self.newest: Control | None = None

    def refresh(self) -> Control | None:
        """Read on if it is time; return the command that is new since the last call, if any.

        What is already there when the feed begins is not new: it is in ``newest``. Raises ``BrokerUnavailable``.
        """
        now = self._now_seconds()
        if self._offset is None:
            records, self._offset = read_back(self._tail, self._topic, lambda r: _read(r) is not None)
            self.newest, self._looked_at = _newest(records), now
            return None
        if 0 <= now - self._looked_at < LOOK_SECONDS:
            return None
        self._looked_at = now
        records, self._offset = self._tail.read(self._topic, 0, self._offset, 0.0)
        command = _newest(records)
        self.newest = command or self.newest
        return command

    def close(self) -> None:
        """Release the connection."""
        self._tail.close()


def tell(writer: Writer, topic: str, *, paused: bool, reason: str, wall_ms: int) -> None:
    """Tell all workers, now and after their next restart. Raises ``BrokerUnavailable`` when it was not written."""
    writer.send(topic, KEY, encode_control(Control(paused, reason, rfc3339(wall_ms))))
    writer.flush()


def _newest(records: list[Record]) -> Control | None:
    for record in reversed(records):
        if (command := _read(record)) is not None:
            return command
        log.warning("command at offset %d of the control topic passed over: it cannot be read", record.offset)
    return None


def _read(record: Record) -> Control | None:
    try:
        return decode_control(record.value or b"")
    except BadRecord:
        return None
