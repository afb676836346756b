"""The watch on Redis: profiles and watermarks once a second, and a count of everybody every few."""

from __future__ import annotations

from collections import Counter

from consumers.watching.board import Board, Store
from consumers.watching.marks import marks_of, newest_of, statuses_of
from consumers.watching.outside import Outside
from consumers.watching.places import place
from stream.settings import Tree


class StoreWatch:
    """Reads profiles and watermarks, and samples the board."""

    pause_seconds = 1.0

    def __init__(self, board: Board, settings: Tree, outside: Outside) -> None:
        self._board, self._outside = board, outside
        self._partitions = range(settings.topics.partitions)
        self._reader = outside.reader()

    def round(self) -> None:
        """Read once. Raises ``StoreUnavailable``."""
        profiles = self._reader.segments()
        marks = marks_of(self._reader, len(self._partitions))
        statuses = statuses_of(self._reader, len(self._partitions))
        now = self._outside.now_seconds()
        nexts = {p: mark.next for p, mark in marks.items()}
        with self._board.lock:
            self._board.take_segments(Store(profiles, nexts, newest_of(marks), statuses, now))
            self._board.sample(now)

    def close(self) -> None:
        """Release the connection."""
        self._reader.close()


class Census:
    """Counts all customers by place. Between two of them the changes are added up."""

    LEAST_SECONDS = 5.0
    REST = 20
    """It rests so many times as long as it took: at most a twentieth of its time is spent on it, whatever the store."""

    def __init__(self, board: Board, outside: Outside) -> None:
        self._board, self._outside = board, outside
        self._reader = outside.reader()
        self.pause_seconds = self.LEAST_SECONDS

    def round(self) -> None:
        """Count once. Raises ``StoreUnavailable``."""
        began = self._outside.now_seconds()
        counts = Counter(place(fields["id"], fields["status"]) for _, fields in self._reader.customers())
        self.pause_seconds = max(self.LEAST_SECONDS, self.REST * (self._outside.now_seconds() - began))
        if not sum(counts.values()):
            self.pause_seconds = 1.0  # the first ones are waited for
        with self._board.lock:
            self._board.take_census(counts)

    def close(self) -> None:
        """Release the connection."""
        self._reader.close()
