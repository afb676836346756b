"""The sweep: every customer is written to the journal again within a time, so that its older part becomes obsolete.

The same round-robin carries the look that everybody is owed when the model's structure changed; then it hurries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stream.decision.assign import Assigner
from stream.settings import WorkerSettings
from stream.view.journal import Mark

PAGE = 100
"""Customers of one page at the daily pace."""
HURRY = 500
"""Customers of one page while a new structure of the model has not been seen by everybody."""


class Sweep:
    """Paces the sweep of each partition; where it stands is in the partition's ``Mark``, not here."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._paged_at: dict[int, float] = {}

    def limit(self, partition: int, mark: Mark, assigner: Assigner | None, now_seconds: float) -> int:
        """How many customers the next page should have; 0 = it is not time."""
        if mark.journal < 0:
            return 0
        if _epoch(assigner) != mark.swept_epoch:
            return HURRY
        # More may have come since they were counted. Twice as fast as it must be, for the last page is never full.
        pages = max(mark.customers, mark.sweep_count, PAGE) / PAGE
        last = self._paged_at.get(partition)
        # The first page comes at once: workers that are restarted every few hours would else never write one.
        # Nor does a wall clock that was set back stop the sweep for as long.
        if last is not None and 0 <= now_seconds - last < self._settings.sweep_seconds / pages / 2:
            return 0
        self._paged_at[partition] = now_seconds
        return PAGE

    @staticmethod
    def after(mark: Mark, assigner: Assigner | None) -> str:
        """Where the next page starts. A new structure starts the sweep over."""
        epoch = _epoch(assigner)
        return mark.sweep_after if epoch in (mark.sweep_epoch, mark.swept_epoch) else ""

    def advance(self, mark: Mark, page: Sequence[str], asked: int, assigner: Assigner | None) -> Mark:
        """The mark after a page was written with the batch that ``mark`` describes."""
        if not asked:
            return mark
        if not self.after(mark, assigner):
            mark = replace(
                mark,
                sweep_after="",
                sweep_count=0,
                sweep_epoch=_epoch(assigner),
                sweep_began=mark.journal + 1,
            )
        count = mark.sweep_count + len(page)
        if len(page) == asked:
            return replace(mark, sweep_after=page[-1], sweep_count=count)
        return replace(
            mark,
            sweep_after="",
            sweep_count=0,
            customers=count,
            floor=mark.sweep_began,
            swept_epoch=mark.sweep_epoch,
        )


def _epoch(assigner: Assigner | None) -> int:
    return 0 if assigner is None else assigner.snapshot.epoch
