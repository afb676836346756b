"""Recovering: which partitions are ours, where each stands, and which are in doubt until they were restored.

While a restore runs the group is still polled: a rebalance waits for every member, and one that restores millions of
customers would hold up all the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from consumers.model_feed import ModelFeed
from consumers.restoring import Restorer
from consumers.source import Poll, Source
from stream.errors import BrokerUnavailable, Replaced
from stream.settings import KafkaSettings
from stream.view.journal import Mark

BEAT_SECONDS = 1.0
"""Between two polls in the middle of a restore."""


class Recovery:
    """The marks of the partitions that one worker owns; what is polled counts only under them."""

    def __init__(self, settings: KafkaSettings, source: Source, feed: ModelFeed, restorer: Restorer) -> None:
        self._settings, self._source, self._feed, self._restorer = settings, source, feed, restorer
        self._now_seconds = restorer.now_seconds
        self._epoch = -1
        self._marks: dict[int, Mark] = {}
        self._in_doubt: set[int] = set()
        self._beaten_at = 0.0

    @property
    def marks(self) -> Mapping[int, Mark]:
        """Where each owned partition stands."""
        return self._marks

    @property
    def is_needed(self) -> bool:
        """Whether anything is in doubt."""
        return bool(self._in_doubt)

    def follow(self, poll: Poll) -> bool:
        """Take note of the assignment. A new one puts all of it in doubt; returns whether it is new."""
        if poll.epoch == self._epoch:
            return False
        # One that was recreated, or has other partitions, is noticed by its rebalance.
        self._restorer.identify()
        self._epoch = poll.epoch
        self._in_doubt = set(poll.assigned)
        self._marks = {}
        return True

    def stand(self, partition: int, mark: Mark) -> None:
        """A batch was committed and applied."""
        self._marks[partition] = mark

    def doubt(self, partitions: Iterable[int]) -> None:
        """Take no records of these until they are restored; the place in the group is kept."""
        for partition in partitions:
            self._in_doubt.add(partition)
            self._source.seek(partition, None)

    def recover(self) -> bool:
        """Restore what is in doubt, and read on from there.

        Returns whether there was anything: then what was polled before is void, and comes again. Raises ``Replaced``
        when a partition went to somebody else meanwhile, and whatever ``Restorer.restore`` does.
        """
        if not self._in_doubt:
            return False
        for partition in self._marks:
            self._source.seek(partition, None)  # what else is polled until all is restored would be lost
        lost = sorted(self._in_doubt)
        watermarks = self._restorer.watermarks(lost)
        committed = self._source.committed(lost)
        beginnings = self._source.beginning(lost)
        for p in lost:
            mark = self._restorer.restore(p, watermarks[p], committed[p], beginnings[p], partial(self._beat, p))
            self.await_model(mark.model_version)
            self._marks[p] = mark
        for p, mark in self._marks.items():
            self._source.seek(p, mark.next)
        self._in_doubt = set()
        return True

    def await_model(self, version: int) -> None:
        """Read on until the model is at least ``version``: nobody decides with an older one than was decided with."""
        deadline = self._now_seconds() + self._settings.session_timeout_seconds
        feed = self._feed
        while feed.version < version:
            feed.refresh(self._settings.poll_timeout_seconds)
            if self._now_seconds() > deadline:
                feed.look_back(version)
                if feed.version >= version:
                    return
                raise BrokerUnavailable(f"model {version} was decided with before, but is not on the model topic yet")

    def _beat(self, partition: int) -> None:
        if 0 <= self._now_seconds() - self._beaten_at < BEAT_SECONDS:  # else the wall clock was set back
            return
        self._beaten_at = self._now_seconds()
        poll = self._source.poll(0.0)
        if poll.membership.is_valid and partition not in poll.assigned:
            raise Replaced(f"partition {partition} went to another worker while it was restored")
