"""Gauging: what a worker can only learn by asking the broker, asked now and then: lag, and the age of the floor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from consumers.remaining import Remaining
from consumers.source import Tail
from stream.errors import BrokerUnavailable, IncompleteJournal
from stream.health import WorkerHealth
from stream.settings import TopicSettings
from stream.view.journal import Mark

LOOK_SECONDS = 10.0
"""Two requests a partition are nothing at this pace."""
_READ_SECONDS = 0.5


class Gauging:
    """Keeps a worker's slow gauges. A broker that does not answer now is asked again."""

    def __init__(
        self, tail: Tail, topics: TopicSettings, health: WorkerHealth, now_seconds: Callable[[], float]
    ) -> None:
        self._tail, self._topics, self._health, self._now_seconds = tail, topics, health, now_seconds
        self._remaining = Remaining(tail, topics.events)
        self._looked_at = now_seconds()
        self._floors: dict[int, tuple[int, float]] = {}
        """Partition -> journal offset of its floor, and when that was written."""
        self._served: dict[int, float] = {}
        """Partition -> a time at which every older record of it was processed."""

    def processed(self, newest_ms: Mapping[int, int]) -> None:
        """The broker's time of the last record that was processed of each partition."""
        self._served |= {p: ms / 1000 for p, ms in newest_ms.items() if ms >= 0}

    def passed(self, marks: Mapping[int, Mark]) -> dict[int, int]:
        """Where partitions may go on that have nothing but markers of transactions before them."""
        ends = {p: self._remaining.passed(p, mark.next) for p, mark in marks.items()}
        return {p: end for p, end in ends.items() if end > marks[p].next}

    def look(self, marks: Mapping[int, Mark]) -> None:
        """Look if it is time; ``marks`` are where the owned partitions stand."""
        now = self._now_seconds()
        if 0 <= now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        try:
            lags = {p: self._remaining.records(p, mark.next) for p, mark in marks.items()}
            ages = [now - self._floor_at(p, mark, now) for p, mark in marks.items()]
        except (BrokerUnavailable, IncompleteJournal):
            return
        self._served = {p: at for p, at in self._served.items() if p in marks}  # others serve the rest meanwhile
        self._health.lag.set(sum(lags.values()))
        self._health.largest_lag.set(max(lags.values(), default=0))
        self._health.lag_seconds.set(max((self._behind(p, lag, now) for p, lag in lags.items()), default=0.0))
        self._health.floor_age.set(max(ages, default=0.0))

    def _behind(self, partition: int, lag: int, now: float) -> float:
        """Age of the oldest record not processed: it is no older than the last one that was, or the last look at which
        there was none. Of a partition that we know nothing of yet: at least since now.
        """
        served = now if lag == 0 else self._served.get(partition, now)
        self._served[partition] = served
        return max(0.0, now - served)

    def _floor_at(self, partition: int, mark: Mark, now: float) -> float:
        """When the last finished sweep began: the time of the record at the floor, or of the first one there is."""
        if mark.floor > mark.journal:  # nothing written yet
            return now
        floor, at = self._floors.get(partition, (None, now))
        if floor != mark.floor:
            first, _ = self._tail.bounds(self._topics.journal, partition)
            start = max(first, mark.floor)
            records, _ = self._tail.read(self._topics.journal, partition, start, _READ_SECONDS)
            if not records:
                return now
            at = records[0].timestamp_ms / 1000
            self._floors[partition] = mark.floor, at
        return at
