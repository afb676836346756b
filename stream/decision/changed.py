"""What a round of looks did: states before and after, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.customer.state import States
from stream.decision.assign import NONE
from stream.decision.locks import Words
from stream.model.snapshot import IntArray


@dataclass(frozen=True)
class Changed:
    """Looks side by side: states before and after, and which of them changed segment or status."""

    customer: IntArray
    event: IntArray
    before: States
    after: States
    changed: NDArray[np.bool_]
    said: Words
    """An analyst's last word on who was locked, or is; else ``None``."""

    def only_changed(self) -> Changed:
        """Without the looks that changed nothing."""
        kept = self.changed
        before, after = self.before[kept], self.after[kept]
        return Changed(self.customer[kept], self.event[kept], before, after, kept[kept], self.said[kept])

    @staticmethod
    def join(parts: Iterable[Changed]) -> Changed:
        """One after the other."""
        columns = zip(*((p.customer, p.event, p.before, p.after, p.changed, p.said) for p in parts), strict=True)
        return Changed(*map(np.concatenate, columns))

    def flaps(self, within_ms: int) -> int:
        """Moves back to the segment held before the last one (A-B-A), which was held for less than ``within_ms``.

        But for those that an analyst made. Later it is no flap: over the years everybody has been everywhere.
        """
        is_soon = self.after["looked_at"] - self.before["since"] < within_ms
        return int((self._moved & is_soon & (self.after["segment"] == self.before["previous"])).sum())

    @property
    def moves(self) -> int:
        """Changes from a segment to another, but for those that an analyst made."""
        return int(self._moved.sum())

    @property
    def _moved(self) -> NDArray[np.bool_]:
        after, before = self.after["segment"], self.before["segment"]
        return np.asarray((after != before) & (after != NONE) & (before != NONE) & ~self.relocked)

    @property
    def relocked(self) -> NDArray[np.bool_]:
        """Whose lock began, ended or moved."""
        return np.asarray(self.before["lock"] != self.after["lock"])
