"""What the model owner says of drift, read off the newest model record: the very report that its metrics show."""

from __future__ import annotations

from consumers.model_feed import read_back
from consumers.source import Record, Tail
from stream.drift.monitor import Report
from stream.errors import BadRecord
from stream.model.state import unpack_state
from stream.settings import Tree


class Verdict:
    """Follows the model topic. A record that cannot be read is passed over: the owner and the workers say so."""

    def __init__(self, tail: Tail, settings: Tree) -> None:
        self._tail, self._topic = tail, settings.topics.model
        # river's clusterers keep the same cells beside their own state, and drift is of the cells.
        self._model = settings.model.model_copy(update={"kind": "cells"})
        self._offset: int | None = None
        self.report: Report | None = None
        """Of the newest model; ``None`` before there is one."""

    def refresh(self) -> Report | None:
        """Read on. Raises ``BrokerUnavailable``."""
        if self._offset is None:
            records, self._offset = read_back(self._tail, self._topic, lambda record: self._read(record) is not None)
        else:
            records, self._offset = self._tail.read(self._topic, 0, self._offset, 0.0)
        newest = (report for record in reversed(records) if (report := self._read(record)) is not None)
        self.report = next(newest, self.report)
        return self.report

    def _read(self, record: Record) -> Report | None:
        try:
            state = unpack_state(record.value or b"", self._model)
        except BadRecord:
            return None
        return None if state.snapshot is None else state.monitor.report(state.snapshot.features)
