"""The agenda: which look comes next for each customer of a batch, its next event or its timer.

A timer fires before the first event, of anybody in its partition, that carries ``now`` past it; and in any case before
an event of its own customer that does. Who has several looks in a batch gets them one after the other, so customers
can be looked at side by side, round by round, and the answer does not depend on where batches are cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import NEVER, TimeArray
from stream.model.snapshot import IntArray

NO_EVENT = -1


@dataclass(frozen=True)
class Looks:
    """One round: at most one look a customer."""

    customer: IntArray
    event: IntArray
    """Position of the event, ``NO_EVENT`` for a timer or the sweep."""
    at_ms: TimeArray

    @property
    def by_event(self) -> NDArray[np.bool_]:
        """Which looks an event caused."""
        return np.asarray(self.event != NO_EVENT)


class Agenda:
    """Hands out the rounds of a batch. ``reached`` is ``now`` after each event, ``horizon`` at the batch's end."""

    def __init__(
        self,
        event_customer: IntArray,
        event_at: TimeArray,
        reached: TimeArray,
        bounds: IntArray,
        customer_partition: IntArray,
        horizon: TimeArray,
    ) -> None:
        self._event_at, self._reached, self._bounds = event_at, reached, bounds
        self._partition, self._horizon = customer_partition, horizon
        self.reach_ms = int(max(horizon.max(initial=NEVER), event_at.max(initial=NEVER)))
        """A timer due then or later does not fire in this batch."""
        self._order = np.argsort(event_customer, kind="stable")
        everybody = np.arange(len(customer_partition))
        mine = event_customer[self._order]
        self._next = np.searchsorted(mine, everybody, side="left")
        self._end = np.searchsorted(mine, everybody, side="right")
        self._waiting = everybody

    def take(self, deadline: TimeArray) -> Looks | None:
        """The next round, given everybody's present ``deadline`` (ms, ``NEVER`` for none); ``None`` at the end."""
        who = self._waiting
        has_event = self._next[who] < self._end[who]
        none = len(self._order)
        event = np.full(len(who), none)
        event[has_event] = self._order[self._next[who[has_event]]]
        due = deadline[who]
        fires = (due < self._horizon[self._partition[who]]) & (self._position(who, due) <= event)
        fires[has_event] |= self._event_at[event[has_event]] > due[has_event]
        fires &= due != NEVER
        looks = fires | has_event
        self._waiting = who = who[looks]
        if not len(who):
            return None
        by_event = ~fires[looks]
        self._next[who[by_event]] += 1
        event, due = event[looks], due[looks]
        at = due.copy()
        at[by_event] = self._event_at[event[by_event]]
        return Looks(who, np.where(by_event, event, NO_EVENT), at)

    def _position(self, who: IntArray, due: TimeArray) -> IntArray:
        """Position of the first event that carries ``now`` past each deadline."""
        position = np.empty(len(who), dtype=np.int64)
        partition = self._partition[who]
        for index in range(len(self._bounds) - 1):
            start, end = self._bounds[index], self._bounds[index + 1]
            mine = partition == index
            position[mine] = start + np.searchsorted(self._reached[start:end], due[mine], side="right")
        return position
