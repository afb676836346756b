"""The model feed: the newest good snapshot of the model topic, as workers use it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from consumers.source import Record, Tail
from stream.decision.assign import Assigner
from stream.errors import BadRecord
from stream.model.snapshot import Snapshot
from stream.model.snapshot_record import snapshot_of

log = logging.getLogger(__name__)

FARTHEST = 1024
"""Offsets that are looked through for a good snapshot: so many bad ones are not damage but other declarations."""


class ModelFeed:
    """Follows the model topic. A bad snapshot is refused and counted, the last good one stays."""

    def __init__(self, tail: Tail, topic: str, features_id: str) -> None:
        self._tail, self._topic, self._features_id = tail, topic, features_id
        self._offset: int | None = None
        self.assigner: Assigner | None = None
        self.refused = 0

    @property
    def version(self) -> int:
        """Version of the model in use, 0 before there is one."""
        return 0 if self.assigner is None else self.assigner.snapshot.version

    @property
    def names(self) -> dict[int, str]:
        """Segment number -> plain-language name."""
        return {} if self.assigner is None else self.assigner.snapshot.names

    def refresh(self, timeout_seconds: float = 0.0) -> Snapshot | None:
        """Read on; return the snapshot that is new since the last call, if any. Raises ``BrokerUnavailable``."""
        if self._offset is None:
            records, self._offset = read_back(self._tail, self._topic, self._is_good)
        else:
            records, self._offset = self._tail.read(self._topic, 0, self._offset, timeout_seconds)
        return self._take(records)

    def look_back(self, version: int) -> None:
        """Read again, as far back as it takes to find ``version`` or a newer one; at the end may be old ones again."""
        records, _ = read_back(self._tail, self._topic, lambda record: self._is_good(record, version - 1))
        self._take([record for record in records if self._is_good(record, self.version)])

    def close(self) -> None:
        """Release the connection."""
        self._tail.close()

    def _take(self, records: Sequence[Record]) -> Snapshot | None:
        newest = None
        for record in records:
            snapshot = self._accept(record)
            if snapshot is not None:
                self.assigner, newest = Assigner(snapshot), snapshot
        return newest

    def _accept(self, record: Record) -> Snapshot | None:
        try:
            return snapshot_of(record.value or b"", self._features_id, newer_than=self.version)
        except BadRecord as error:
            self.refused += 1
            log.warning("model snapshot at offset %d refused: %s", record.offset, error)
            return None

    def _is_good(self, record: Record, newer_than: int = 0) -> bool:
        try:
            snapshot_of(record.value or b"", self._features_id, newer_than=newer_than)
        except BadRecord:
            return False
        return True


def read_back(tail: Tail, topic: str, is_good: Callable[[Record], bool]) -> tuple[list[Record], int]:
    """The end of the model topic, with a good record in it if one is near; and where to read on.

    Looked for from the end, ever farther back: damaged snapshots and aborted transactions may be several.
    """
    first, end = tail.bounds(topic, 0)
    back = 4
    while True:
        start = max(first, end - back)
        records, offset = [], start
        while offset < end:
            more, after = tail.read(topic, 0, offset, 1.0)
            if after == offset:
                break
            records.extend(more)
            offset = after
        if start == first or back >= FARTHEST or any(map(is_good, records)):
            return records, offset
        back *= 4
