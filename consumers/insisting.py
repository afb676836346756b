"""Insisting: a transaction that failed is tried again, ever more patiently; one that keeps failing is said aloud."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from stream.errors import CommitFailed
from stream.health import WorkerHealth
from stream.view.journal import Mark

log = logging.getLogger(__name__)

STUCK_AFTER = 5
"""Failures in a row. Rebalances, fenced predecessors and brokers that restart are over by then."""
_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 10.0
_TOO_LARGE = (
    "the broker refuses a record for its size: raise max.message.bytes of the topic (`segstream doctor` names topics "
    "that are smaller than they should be)"
)
_OTHER = "look at the broker's log, and whether another process uses the same kafka.transactional_id"


class Insistence:
    """Counts the failures of one and the same batch: the same partitions at the same place."""

    def __init__(self, health: WorkerHealth) -> None:
        self._health = health
        self._place: dict[int, tuple[int, int]] = {}
        self._failures = 0

    def failed(self, marks: Mapping[int, Mark], error: CommitFailed) -> float:
        """How many seconds to wait before the next try."""
        place = {p: (mark.next, mark.sequence) for p, mark in marks.items()}
        self._failures = self._failures + 1 if place == self._place else 1
        self._place = place
        self._health.commit_stuck.set(self._failures >= STUCK_AFTER)
        if self._failures >= STUCK_AFTER:
            where = ", ".join(f"{p}:{mark.next}" for p, mark in sorted(marks.items()))
            log.error("stuck: %d commits from %s failed in a row: %s; %s", self._failures, where, error, mend(error))
        return pause_seconds(self._failures)

    def succeeded(self) -> None:
        """A batch was committed."""
        self._place, self._failures = {}, 0
        self._health.commit_stuck.set(0)


def pause_seconds(failures: int) -> float:
    """How long to wait after so many failures in a row: not at all after the first.

    >>> [pause_seconds(failures) for failures in (1, 2, 3, 4, 99)]
    [0.0, 0.5, 1.0, 2.0, 10.0]
    """
    return 0.0 if failures <= 1 else min(_FIRST_SECONDS * 2.0 ** min(failures - 2, 10), _LONGEST_SECONDS)


def mend(error: CommitFailed) -> str:
    """What to do about a commit that fails again and again."""
    return _TOO_LARGE if _is_too_large(error) else _OTHER


def _is_too_large(error: CommitFailed) -> bool:
    """Clients write it MessageSizeTooLargeError, MSG_SIZE_TOO_LARGE, "too large"."""
    return "toolarge" in "".join(filter(str.isalpha, str(error))).lower()
