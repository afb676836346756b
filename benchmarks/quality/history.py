"""Who held which segment when: every move of every customer, in order.

The service tells its moves in the change topic; a baseline's follow from the label it gives at each event. Both become
the same columns, so the same measures read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.data import Data, IntArray
from producers.orders import epoch_ms
from stream.contracts.changes import SegmentChange

NONE = 0
"""Segment of who has none."""
A_B_A_EVENTS = 5
"""A change back within this many of the customer's own events is a flap."""


@dataclass(frozen=True)
class History:
    """Moves sorted by customer, then in order. A move to ``NONE`` is one, too."""

    customers: int
    customer: IntArray
    at_ms: IntArray
    nth: IntArray
    """Own events of the customer so far."""
    segment: IntArray

    def held(self, ms: int) -> IntArray:
        """Segment of each customer just before a moment, (customers,)."""
        return self.held_after(np.arange(self.customers), np.full(self.customers, ms - 1))

    def held_after(self, customer: IntArray, at_ms: IntArray) -> IntArray:
        """Segment of these customers when everything up to these times has happened."""
        early = int(self.at_ms.min(initial=0))
        span = int(max(self.at_ms.max(initial=0), at_ms.max(initial=0))) - early + 2
        moves = self.customer * span + self.at_ms - early + 1
        asked = customer * span + np.maximum(at_ms - early + 1, 0)
        last = np.searchsorted(moves, asked, side="right") - 1
        found = (last >= 0) & (self.customer[last] == customer) if len(moves) else np.zeros(len(asked), bool)
        return np.where(found, self.segment[last] if len(moves) else NONE, NONE)

    @cached_property
    def changes(self) -> NDArray[np.bool_]:
        """Which moves are from one segment to another."""
        before = np.concatenate([[NONE], self.segment[:-1]])
        return self._same_as_before(1) & (before != NONE) & (self.segment != NONE) & (before != self.segment)

    @cached_property
    def flaps(self) -> NDArray[np.bool_]:
        """Which changes go back to the segment before the last one within five own events."""
        back = np.concatenate([[NONE, NONE], self.segment[:-2]])[: len(self.segment)] == self.segment
        soon = np.diff(self.nth, prepend=0) <= A_B_A_EVENTS
        return self.changes & np.roll(self.changes, 1) & self._same_as_before(2) & back & soon

    def _same_as_before(self, places: int) -> NDArray[np.bool_]:
        same = np.zeros(len(self.customer), bool)
        same[places:] = self.customer[places:] == self.customer[:-places]
        return same


def history_of_changes(data: Data, changes: Iterable[SegmentChange]) -> History:
    """Moves as the change topic tells them."""
    told = [
        (data.number[c.customer_id], c.version, epoch_ms(datetime.fromisoformat(c.occurred_at)), _number(c))
        for c in changes
    ]
    customer, _, at_ms, segment = (np.array(column, np.int64) for column in zip(*sorted(told), strict=True))
    return _moves(data, customer, at_ms, segment)


def history_of_labels(data: Data, labels: IntArray) -> History:
    """Moves as the labels of the first events of the data tell them; labels from 1."""
    some = slice(0, len(labels))
    order = np.argsort(data.customer[some], kind="stable")
    return _moves(data, data.customer[some][order], data.at_ms[some][order], labels[order])


def _number(change: SegmentChange) -> int:
    return int(change.current.id[1:]) if change.current and change.current.id else NONE


def _moves(data: Data, customer: IntArray, at_ms: IntArray, segment: IntArray) -> History:
    """Only where the segment is another than before: a status alone is no move."""
    same = (np.diff(customer, prepend=-1) == 0) & (np.diff(segment, prepend=-1) == 0)
    customer, at_ms, segment = customer[~same], at_ms[~same], segment[~same]
    return History(len(data.names), customer, at_ms, _events_so_far(data, customer, at_ms), segment)


def _events_so_far(data: Data, customer: IntArray, at_ms: IntArray) -> IntArray:
    order = np.lexsort((data.at_ms, data.customer))
    early, late = int(data.at_ms.min()), int(max(data.at_ms.max(), at_ms.max(initial=0)))
    span = late - early + 2
    keys = data.customer[order] * span + data.at_ms[order] - early
    asked = customer * span + np.maximum(at_ms - early, 0)
    return np.searchsorted(keys, asked, side="right") - np.searchsorted(keys, customer * span)
