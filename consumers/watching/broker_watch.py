"""The watch on Kafka: changes, ledger, drift, the input's ends, and whether an operator paused us."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.control import ControlFeed
from consumers.following import read_changes
from consumers.source import Record
from consumers.watching.board import Board, Broker
from consumers.watching.feed import entry
from consumers.watching.mix import mix_of
from consumers.watching.outside import Outside
from consumers.watching.verdict import Verdict
from stream.errors import BrokerUnavailable, IncompleteJournal
from stream.settings import Tree

BACK = 4000
"""Changes from before the page began that are read for feed, matrix and history, of all partitions together."""
WAIT_SECONDS = 0.2
"""One round waits so long for changes."""
SLOW_SECONDS = 1.0
"""All else is asked for this often."""


class BrokerWatch:
    """Reads on from round to round. After an error make another."""

    pause_seconds = 0.05

    def __init__(self, board: Board, settings: Tree, outside: Outside) -> None:
        self._board, self._topics, self._outside = board, settings.topics, outside
        self._tail = outside.tail()
        self._control = ControlFeed(outside.tail(), self._topics.control, outside.now_seconds)
        self._verdict = Verdict(self._tail, settings)
        self._offsets: dict[int, int] = {}
        self._began: dict[int, int] = {}
        self._ledger: int | None = None
        self._asked_at = 0.0

    def round(self) -> None:
        """Read what is new. Raises ``BrokerUnavailable``."""
        try:
            self._read_changes()
            now = self._outside.now_seconds()
            if not 0 <= now - self._asked_at < SLOW_SECONDS:
                self._asked_at = now
                self._look_around(now)
        except IncompleteJournal as error:  # made anew, or trimmed while we were away
            raise BrokerUnavailable(str(error)) from error

    def close(self) -> None:
        """Release the connections."""
        self._tail.close()
        self._control.close()

    def _read_changes(self) -> None:
        topic, partitions = self._topics.changes, range(self._topics.partitions)
        for partition in partitions:
            if partition not in self._offsets:
                first, end = self._tail.bounds(topic, partition)
                is_back = self._board.changes or self._board.feed  # we have been here before the connection was lost
                self._offsets[partition] = end if is_back else max(first, end - BACK // len(partitions))
                self._began[partition] = end
        old, new = list[Record](), list[Record]()
        for partition in partitions:
            wait = 0.0 if new else WAIT_SECONDS / len(partitions)
            records, self._offsets[partition] = self._tail.read(topic, partition, self._offsets[partition], wait)
            for record in records:
                (new if record.offset >= self._began[partition] else old).append(record)
        self._take(old, are_new=False)
        self._take(new, are_new=True)
        if all(self._offsets[partition] >= self._began[partition] for partition in partitions):
            self._board.is_caught_up = True

    def _take(self, records: Sequence[Record], *, are_new: bool) -> None:
        changes = sorted(read_changes(records), key=lambda change: change.occurred_at)
        if changes:
            with self._board.lock:
                self._board.take_changes(changes, are_new=are_new)

    def _look_around(self, now: float) -> None:
        events = self._topics.events
        ends = {p: self._tail.bounds(events, p)[1] for p in range(self._topics.partitions)}
        entries = [said for record in self._read_ledger() if (said := entry(record.value or b""))]
        self._control.refresh()
        mix = mix_of(self._verdict.refresh())
        command = self._control.newest
        paused = command.reason if command is not None and command.paused else None
        with self._board.lock:
            self._board.lag.ends(ends, now)
            self._board.take_ledger(entries)
            self._board.mix = mix
            self._board.broker = Broker(paused, now)

    def _read_ledger(self) -> list[Record]:
        topic = self._topics.ledger
        if self._ledger is None:
            first, end = self._tail.bounds(topic, 0)
            self._ledger = end if self._board.ledger else max(first, end - BACK)
        records, self._ledger = self._tail.read(topic, 0, self._ledger, 0.05)
        return records
