"""The poison circuit: when too large a share of the records is bad, somebody must look before all of it is drained.

A bad record is no reason to stop: it goes to the rejected topic and the feed goes on. But when a producer, or this
service, has the wrong idea of the contract, going on turns a stream into a rejected topic, and offsets do not go back.
Pure: the wall clock is passed in.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_SLOTS = 60
"""Counts are kept in so many slots of the window: it slides by one at a time and never grows."""


@dataclass
class _Slot:
    number: int
    records: int = 0
    rejected: int = 0


class Circuit:
    """Opens before the batch with which more than ``share`` of a window of ``least_records`` or more were rejected."""

    def __init__(self, share: float, window_seconds: float, least_records: int) -> None:
        self._share, self._window_seconds, self._least_records = share, window_seconds, least_records
        self._slots: deque[_Slot] = deque()
        self._over_at: float | None = None
        self.is_open = False

    @property
    def accepts(self) -> bool:
        """Whether poison is let through, because somebody said so after the circuit had opened."""
        return self._over_at is not None

    def lets_through(self, records: int, rejected: int, now_seconds: float) -> bool:
        """Whether a batch may be committed; if not, the circuit is open from now on. Counts nothing yet."""
        self._slide(now_seconds)
        if rejected and not self.accepts and self._is_over(records, rejected):
            self.is_open = True
        return not self.is_open

    def count(self, records: int, rejected: int, now_seconds: float) -> None:
        """A batch has been committed."""
        self._slide(now_seconds)
        number = self._number(now_seconds)
        if not self._slots or self._slots[-1].number != number:
            self._slots.append(_Slot(number))
        self._slots[-1].records += records
        self._slots[-1].rejected += rejected
        if self.accepts and self._is_over():
            self._over_at = now_seconds

    def accept(self, now_seconds: float) -> None:
        """Close an open circuit, and let poison through until a whole window has been below the share again."""
        if self.is_open:
            self.is_open = False
            self._over_at = now_seconds

    def _slide(self, now_seconds: float) -> None:
        newest = self._number(now_seconds)
        while self._slots and self._slots[0].number <= newest - _SLOTS:
            self._slots.popleft()
        while self._slots and self._slots[-1].number > newest:  # the clock was set back
            self._slots.pop()
        if self._over_at is not None and not 0 <= now_seconds - self._over_at < self._window_seconds:
            self._over_at = None

    def _is_over(self, records: int = 0, rejected: int = 0) -> bool:
        """Whether the window, with these on top, is above the share."""
        records += sum(slot.records for slot in self._slots)
        rejected += sum(slot.rejected for slot in self._slots)
        return records >= self._least_records and rejected > self._share * records

    def _number(self, now_seconds: float) -> int:
        return int(now_seconds * _SLOTS / self._window_seconds)
