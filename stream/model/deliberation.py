"""Deliberation: which grouping a macro step adopts. By itself it goes on from the segments as they stand, or over to a
challenger that is clearly better twice in a row; a person may have decided otherwise, or have to be asked first.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

import numpy as np

from stream.model.grouping import Grouping, Proposal, Proposals, Regrouping, match, propose
from stream.model.kmeans import Partition, lloyd, nearest, partition
from stream.model.proposals import Docket, Waiting, foretold
from stream.model.snapshot import FloatArray, Scale
from stream.model.sums import Sums
from stream.settings import ModelSettings


@dataclass(frozen=True)
class Ordered:
    """A grouping that a person decided for. It is adopted in the next macro step, whatever else there is."""

    centres: FloatArray
    """In steps, (k, d)."""
    numbers: tuple[int, ...] | None = None
    """Of a model that is gone back to, or of those that a merge leaves: segments stand there under these numbers."""


@dataclass(frozen=True)
class Deliberation:
    """One macro step's. Masses are not empty."""

    settings: ModelSettings
    masses: Sums
    scale: Scale
    old: Grouping | None
    docket: Docket
    version: int
    """Of the model that stands, 0 before there is one."""
    next_number: int
    """First segment number that nobody ever had."""
    ended: Container[int] = ()
    """Numbers that are no longer what they were (``footing``)."""
    now_ms: int = 0
    """In event time, as is all that follows."""
    patience_ms: int = 0
    """For so long challengers must be better before one wins. While customers are on their way to another segment, a
    grouping may look better that is worse a few days later.
    """

    def obey(self, ordered: Ordered) -> tuple[Regrouping, Docket]:
        """What was decided for."""
        centres = self.scale.z(ordered.centres)
        if ordered.numbers is not None:
            return self._again(centres, ordered.numbers), Docket(rejected=self.docket.rejected, is_cautious=True)
        return self._matched(Proposal(lloyd(self._z, self._weights, centres), challenger_won=True)), Docket()

    def decide(self, rng: np.random.Generator, k: int) -> tuple[Regrouping, Docket]:
        """At most ``k`` groups, and what waits for a person from now on."""
        old, docket = self.old, self.docket
        if old is None:
            return self._matched(self._propose(rng, k).warm), docket
        proposals = self._propose(rng, len(old.numbers))
        warm = proposals.warm
        another = self._of_another_number(rng, k, old)
        challenger = another or self._best_challenger(proposals, old)
        if challenger is None:
            return self._matched(warm), docket.unchallenged(self.now_ms, self.patience_ms)
        is_sure = docket.is_challenged_since(self.now_ms - self.patience_ms)
        docket = docket.challenged(self.now_ms)
        if another is None and not is_sure:
            return self._matched(warm), replace(docket, waiting=None)
        regrouping = self._matched(challenger)
        flows = foretold(self.masses, self.scale, old, regrouping.grouping, self.settings.margin)
        if not docket.must_wait(flows, self.settings):
            return regrouping, docket.closed()
        gain = 1.0 - challenger.partition.inertia / warm.partition.inertia
        waiting = Waiting(self.version, self.scale.steps(challenger.partition.centres), gain, flows)
        return self._matched(warm), docket.put(waiting)

    def _propose(self, rng: np.random.Generator, k: int) -> Proposals:
        tries, gain = self.settings.challenger_tries, self.settings.challenger_gain
        return propose(self.masses, self.scale, self.old, rng, k=k, tries=tries, gain=gain)

    def _of_another_number(self, rng: np.random.Generator, k: int, old: Grouping) -> Proposal | None:
        """A grouping of ``k``, if there are to be more or fewer segments than there are: fewer by merging neighbours,
        more as it fits best.
        """
        if k == len(old.numbers):
            return None
        proposals = self._propose(rng, k)
        found = (proposals.warm if k < len(old.numbers) else proposals.best).partition
        if len(found.centres) == len(old.numbers) or self._is_rejected(Proposal(found)):
            return None
        return Proposal(found, challenger_won=True)

    def _best_challenger(self, proposals: Proposals, old: Grouping) -> Proposal | None:
        """The better of this step's challenger and the one that waits, if it is still clearly better; none that was
        rejected.
        """
        found = [proposals.challenger] if proposals.challenger else []
        waiting = self.docket.waiting
        if waiting is not None and len(waiting.centres) == len(old.numbers):
            again = lloyd(self._z, self._weights, self.scale.z(waiting.centres))
            if again.inertia < (1.0 - self.settings.challenger_gain) * proposals.warm.partition.inertia:
                found.append(Proposal(again, challenger_won=True))
        open_ = [challenger for challenger in found if not self._is_rejected(challenger)]
        return min(open_, key=lambda challenger: challenger.partition.inertia, default=None)

    def _is_rejected(self, proposal: Proposal) -> bool:
        return self.docket.is_rejected(proposal.partition, self.masses, self.scale)

    def _again(self, centres: FloatArray, numbers: tuple[int, ...]) -> Regrouping:
        """Groups at ``centres`` in z under the numbers given; such as nobody stands nearest to are left out."""
        used = np.unique(nearest(self._z, centres)).tolist()
        found: Partition = partition(self._z, self._weights, centres)
        given = {group: numbers[centre] for group, centre in enumerate(used)}
        return match(self.masses, self.scale, self.old, Proposal(found, challenger_won=True), self.next_number, given)

    def _matched(self, proposal: Proposal) -> Regrouping:
        return match(self.masses, self.scale, self.old, proposal, self.next_number, ended=self.ended)

    @property
    def _z(self) -> FloatArray:
        return self.scale.z(self.masses.mean)

    @property
    def _weights(self) -> FloatArray:
        return self.masses.n.astype(np.float64)
