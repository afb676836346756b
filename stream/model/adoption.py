"""Adopting a regrouping, the end of a macro step: from matched groups to segments and ledger entries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stream.customer.holdings import NOBODY, Holding
from stream.model.families import Families, adopted
from stream.model.grouping import Regrouping
from stream.model.ledger import SHIFTED_RADII, Ledger, LedgerEntry
from stream.model.naming import Described, Namer, Wording
from stream.model.rules import Ground, rule_of
from stream.model.snapshot import FloatArray, Rule, Scale, Segment, Snapshot
from stream.model.sums import Sums


@dataclass(frozen=True)
class Adoption:
    """What becomes of the segments in one macro step. All follows from the fields; nothing is changed."""

    features: Described
    before: Snapshot | None
    regrouping: Regrouping
    cells: Sums
    """Those with customers, that the groups are made of."""
    wordings_before: dict[int, Wording]
    family_wordings_before: dict[int, Wording]
    resting_before: dict[int, Wording]
    stated_before: dict[int, FloatArray]
    held: dict[int, int]
    holdings: dict[int, Holding]
    now_ms: int
    version: int

    @property
    def epoch(self) -> int:
        """Rises with whatever is worth a sweep of looks; that a segment's last customer left is not."""
        structural = self.regrouping.born or self.regrouping.gone or self.regrouping.challenger_won
        return (self.before.epoch if self.before else 0) + bool(structural)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Assignable and retiring, by number."""
        return tuple(sorted((*self._assignable, *self._leaving), key=lambda s: s.number))

    @cached_property
    def names(self) -> dict[int, str]:
        """Every name there is or was, by number."""
        known = dict(self.before.names) if self.before else {}
        return known | {number: wording.name for number, wording in self._new_wordings.items()}

    @cached_property
    def wordings(self) -> dict[int, Wording]:
        """Of all listed segments."""
        kept = {s.number: self.wordings_before[s.number] for s in self._leaving if s.number in self.wordings_before}
        return kept | self._new_wordings

    @cached_property
    def resting(self) -> dict[int, Wording]:
        """What people called segments that are gone: they may be gone back to."""
        said = self.resting_before | self.wordings_before
        return {number: w for number, w in said.items() if w.is_pinned and number not in self.wordings}

    @cached_property
    def families(self) -> Families:
        """The parent groups of the assignable segments."""
        return adopted(
            self.before, self.regrouping, self.family_wordings_before, self._namer, self.now_ms, self.version
        )

    @cached_property
    def stated(self) -> dict[int, FloatArray]:
        """Where each assignable segment was last stated to be, mean in steps (d,)."""
        return {
            number: mean if number in self._shifts else self.stated_before.get(number, mean)
            for number, mean in self._means.items()
        }

    @cached_property
    def entries(self) -> tuple[LedgerEntry, ...]:
        """What people are told."""
        customers = {s.number: s.customers for s in self._assignable}
        ledger = Ledger(self.now_ms, self.version, self.names, customers, self.holdings)
        return (
            *ledger.structure(self.regrouping),
            *ledger.shifted(self._shifts),
            *ledger.renamed(self.before.names if self.before else {}),
            *ledger.retired(self._retired),
        )

    @property
    def _scale(self) -> Scale:
        return self.regrouping.grouping.scale

    @cached_property
    def _means(self) -> dict[int, FloatArray]:
        return dict(zip(self.regrouping.grouping.numbers, self.regrouping.sums.mean, strict=True))

    @cached_property
    def _assignable(self) -> list[Segment]:
        grouping, sums = self.regrouping.grouping, self.regrouping.sums
        natural = self.features.natural(sums.mean)
        return [
            Segment(
                number=number,
                name=self.names[number],
                centroid=tuple(grouping.centroids[i].tolist()),
                radius=float(grouping.radii[i]),
                customers=int(sums.n[i]),
                profile=dict(zip(self.features.names, natural[i].tolist(), strict=True)),
                family=self.families.of[number],
                rule=self._rules[number],
                holding=self.holdings.get(number, NOBODY),
            )
            for i, number in enumerate(grouping.numbers)
        ]

    @cached_property
    def _rules(self) -> dict[int, Rule]:
        """A rule for each assignable segment, from the cells and the segment that each is nearest to."""
        grouping, cells = self.regrouping.grouping, self.cells
        known = {s.number: s.rule for s in self.before.segments} if self.before else {}
        ground = Ground(self.features, cells, np.flatnonzero(self._scale.weight))
        labels = grouping.labels(cells.mean)
        return {number: rule_of(ground, labels == i, known.get(number)) for i, number in enumerate(grouping.numbers)}

    @cached_property
    def _absent(self) -> list[Segment]:
        """Listed before and not a group now."""
        listed = self.before.segments if self.before else ()
        return [s for s in listed if s.number not in self.regrouping.grouping.numbers]

    @cached_property
    def _retired(self) -> list[int]:
        """Those that were retiring already, and that nobody holds any more."""
        return [s.number for s in self._absent if s.retiring and self.held.get(s.number, 0) <= 0]

    @cached_property
    def _leaving(self) -> list[Segment]:
        staying = [s for s in self._absent if s.number not in self._retired]
        if self.before is None or not staying:
            return []
        centroids = self._scale.z(self.before.scale.steps(np.array([s.centroid for s in staying])))
        return [
            replace(
                s,
                retiring=True,
                customers=0,
                centroid=tuple(centroid.tolist()),
                rule=None,
                holding=self.holdings.get(s.number, NOBODY),
            )
            for s, centroid in zip(staying, centroids, strict=True)
        ]

    @cached_property
    def _shifts(self) -> dict[int, float]:
        """Radii from the stated place, of the segments that went far enough to say so."""
        shifts = {}
        for number, radius in zip(self.regrouping.grouping.numbers, self.regrouping.grouping.radii, strict=True):
            if number in self.stated_before:
                there, here = self._scale.z(np.stack([self.stated_before[number], self._means[number]]))
                shifts[number] = float(np.linalg.norm(here - there) / radius)
        return {number: radii for number, radii in shifts.items() if radii >= SHIFTED_RADII}

    @cached_property
    def _new_wordings(self) -> dict[int, Wording]:
        differences = {n: (mean - self._scale.mean) / self._scale.sd for n, mean in self._means.items()}
        leaving = [s.name for s in self._leaving]
        taken = {wording.name for wording in self.wordings_before.values()}
        back = {n: w for n, w in self.resting_before.items() if n in self._means and w.name not in taken}
        return self._namer.name(differences, back | self.wordings_before, self.now_ms, self._shifts, leaving)

    @property
    def _namer(self) -> Namer:
        return Namer(self.features.features, self._scale.weight)
