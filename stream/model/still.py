"""Still: a frozen model told anew. Its segments stand exactly where they stood; who holds them may be others.

Scale, centroids and radii are the same to the bit, so nobody's segment is another than it was, and names are what
people say. What is new is how many customers stand in each segment, what they are like, and what they are worth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stream.customer.holdings import NOBODY
from stream.model.grouping import Grouping, Regrouping
from stream.model.ledger import Ledger, LedgerEntry
from stream.model.naming import Described
from stream.model.snapshot import Segment, Snapshot
from stream.model.state import State
from stream.model.sums import Sums


@dataclass(frozen=True)
class Still:
    """One macro step's. All follows from the fields; nothing is changed."""

    features: Described
    before: Snapshot
    state: State
    version: int
    learning_offset: int

    @cached_property
    def snapshot(self) -> Snapshot:
        """The same model, a version on."""
        cells = self.state.population.cells
        return replace(
            self.before,
            version=self.version,
            learning_offset=self.learning_offset,
            segments=tuple(self._segments()),
            names=self._names,
            cell_ids=cells.ids.copy(),
            cell_positions=cells.positions,
        )

    @cached_property
    def entries(self) -> tuple[LedgerEntry, ...]:
        """What people are told: the names they gave, and who left for good."""
        ledger = Ledger(self.state.now_ms, self.version, self._names, self._customers, self.state.holdings)
        return (*ledger.renamed(self.before.names), *ledger.retired(self._retired))

    @cached_property
    def masses(self) -> Sums:
        """What each cell stands for."""
        return self.state.population.masses(self.before.scale)

    @cached_property
    def regrouping(self) -> Regrouping:
        """Everybody where they were, also in segments that nobody stands nearest to now."""
        grouping = Grouping.of(self.before)
        filled = self.masses[self.masses.n > 0]
        sums = filled.grouped(grouping.labels(filled.mean), len(grouping.numbers))
        return Regrouping(grouping, sums, grouping.numbers, np.diag(sums.n), challenger_won=False)

    @cached_property
    def _customers(self) -> dict[int, int]:
        return dict(zip(self.regrouping.grouping.numbers, self.regrouping.sums.n.tolist(), strict=True))

    @cached_property
    def _names(self) -> dict[int, str]:
        return self.before.names | {number: wording.name for number, wording in self.state.wordings.items()}

    @cached_property
    def _retired(self) -> list[int]:
        return [s.number for s in self.before.segments if s.retiring and self.state.held.get(s.number, 0) <= 0]

    def _segments(self) -> Iterator[Segment]:
        profiles = self._profiles()
        for segment in self.before.segments:
            number = segment.number
            if number not in self._retired:
                yield replace(
                    segment,
                    name=self._names[number],
                    customers=self._customers.get(number, 0),
                    profile=profiles.get(number, segment.profile),
                    holding=self.state.holdings.get(number, NOBODY),
                )

    def _profiles(self) -> dict[int, dict[str, float]]:
        """What the customers of each segment are like, of those that have any."""
        numbers, sums = np.array(self.regrouping.grouping.numbers), self.regrouping.sums
        some = sums.n > 0
        natural = self.features.natural(sums[some].mean).tolist()
        names = self.features.names
        return {n: dict(zip(names, row, strict=True)) for n, row in zip(numbers[some].tolist(), natural, strict=True)}
