"""From changed states to messages: previous, current, cause, reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.contracts.changes import (
    Assignment,
    Because,
    Cause,
    Counterfactual,
    Membership,
    Override,
    SegmentChange,
)
from stream.contracts.changes import (
    Status as Published,
)
from stream.contracts.timestamps import rfc3339
from stream.customer.features import DAY_MS, NEVER, FeatureSet
from stream.customer.registers import Word
from stream.customer.state import ATYPICAL, States, Status, segment_id
from stream.decision.agenda import NO_EVENT
from stream.decision.assign import NONE, Assigner
from stream.decision.batch import Batch
from stream.decision.changed import Changed
from stream.decision.explain import Explainer, Otherwise, Reason

_PUBLISHED = {
    Status.COLD.value: Published.COLD,
    Status.READY.value: Published.READY,
    Status.DORMANT.value: Published.DORMANT,
    Status.LOCKED.value: Published.LOCKED,
}
"""Statuses that are told; who is new or closed has no assignment."""


def report(
    features: FeatureSet, assigner: Assigner | None, batch: Batch, changed: Changed
) -> list[tuple[int, SegmentChange]]:
    """One message for each change: (position of the customer in the batch, message)."""
    if not len(changed.customer):
        return []
    story = _Story(features, assigner, changed, np.isin(changed.event, batch.overrides))
    decided_at = rfc3339(batch.wall_ms)
    triggers = [None if event == NO_EVENT else batch.events[event].event_id for event in changed.event.tolist()]
    return [
        (who, story.message(i, batch.customers[who], triggers[i], decided_at))
        for i, who in enumerate(changed.customer.tolist())
    ]


class _Story:
    """What is told of a batch of changes. Everything is computed for all of them at once, as columns.

    ``by_word`` (n,): which looks an analyst's word caused.
    """

    def __init__(
        self, features: FeatureSet, assigner: Assigner | None, changed: Changed, by_word: NDArray[np.bool_]
    ) -> None:
        before, after = changed.before, changed.after
        self._features, self._assigner, self._changed = features, assigner, changed
        self._names = assigner.snapshot.names if assigner is not None else {}
        self._explained = _explained(features, assigner, changed)
        self._previous = self._assignments(before)
        self._current = self._assignments(after)
        self._causes = _causes(features, assigner, changed, by_word)
        self._version = after["version"].tolist()
        self._looked_at = after["looked_at"].tolist()
        self._margin = _known(after["margin"])
        self._fit = _known(after["fit"])
        self._atypical = (after["atypical"] & ATYPICAL).astype(bool).tolist()
        self._provisional = after["provisional"].tolist()
        self._model_version = after["model_version"].tolist()
        self._silence = _silence(features, after)

    def message(self, i: int, customer: str, trigger: str | None, decided_at: str) -> SegmentChange:
        """The i-th change."""
        explained = self._explained.get(i, _UNEXPLAINED)
        silence = None if self._causes[i] is Cause.OVERRIDE else self._silence.get(i)
        return SegmentChange(
            customer_id=customer,
            version=self._version[i],
            previous=self._previous[i],
            current=self._current[i],
            cause=self._causes[i],
            occurred_at=rfc3339(self._looked_at[i]),
            decided_at=decided_at,
            margin=self._margin[i],
            fit=self._fit[i],
            atypical=self._atypical[i],
            membership=explained.membership,
            reasons=explained.reasons or ((silence,) if silence else ()),
            counterfactual=explained.counterfactual,
            provisional=segment_id(self._provisional[i]) or None,
            model_version=self._model_version[i],
            trigger_event_id=trigger,
            override=_override(self._changed.said[i]),
        )

    def _assignments(self, rows: States) -> list[Assignment | None]:
        pairs = zip(rows["segment"].tolist(), rows["status"].tolist(), strict=True)
        return [
            Assignment(segment_id(number), self._names.get(number, ""), _PUBLISHED[status])
            if status in _PUBLISHED
            else None
            for number, status in pairs
        ]


@dataclass(frozen=True)
class _Explained:
    """What is said of a change of segment besides the segments."""

    membership: tuple[Membership, ...] = ()
    reasons: tuple[Because, ...] = ()
    counterfactual: Counterfactual | None = None


_UNEXPLAINED = _Explained()


def _override(word: Word | None) -> Override | None:
    if word is None:
        return None
    said = word.value
    return Override(word.event_id, said.by, said.reason, None if said.until_ms is None else rfc3339(said.until_ms))


def _known(column: NDArray[np.float64]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in column.tolist()]


def _causes(
    features: FeatureSet, assigner: Assigner | None, changed: Changed, by_word: NDArray[np.bool_]
) -> list[Cause]:
    """The ladder of DESIGN 4, for changes of segment; what else can happen has one possible cause each.

    A lock that ends though nobody said so and its time is not up has lost its segment.
    """
    before, after = changed.before, changed.after
    old, new = before["segment"].astype(np.int64), after["segment"].astype(np.int64)
    rungs = np.full((2, len(after)), NONE)
    moved = np.flatnonzero(old != new)  # nobody else's cause depends on them, and they cost more than all the rest
    if assigner is not None and len(moved):
        rungs[:, moved] = Explainer(features, assigner).rungs(before[moved], after["looked_at"][moved])
    rung_model, rung_time = rungs
    began = (before["status"] == Status.NEW) | (before["status"] == Status.CLOSED) | (old == NONE) & (new != NONE)
    over = by_word | (before["lock_until"] <= after["looked_at"])
    fell_asleep = (after["status"] == Status.DORMANT) & (before["status"] != Status.DORMANT)
    ladder = [
        (after["status"] == Status.CLOSED, Cause.EXPIRED),
        (changed.relocked & ((after["lock"] != NONE) | over), Cause.OVERRIDE),
        (changed.relocked, Cause.MODEL),
        (began, Cause.FIRST),
        (fell_asleep, Cause.TIME),
        ((old == new) & (changed.event == NO_EVENT), Cause.TIME),
        (old == new, Cause.BEHAVIOUR),
        (rung_model == new, Cause.MODEL),
        (rung_time == new, Cause.TIME),
        (np.ones(len(after), dtype=bool), Cause.BEHAVIOUR),
    ]
    first = np.array([holds for holds, _ in ladder]).argmax(axis=0)
    return [ladder[rung][1] for rung in first.tolist()]


def _explained(features: FeatureSet, assigner: Assigner | None, changed: Changed) -> dict[int, _Explained]:
    """Membership, reasons and counterfactual by position, of the changes into a segment.

    No feature speaks for where an analyst puts a customer, and none could have kept it where it no longer is held.
    """
    moved = np.flatnonzero((changed.before["segment"] != changed.after["segment"]) & (changed.after["segment"] != NONE))
    if assigner is None or not len(moved):
        return {}
    explainer = Explainer(features, assigner)
    before, after = changed.before[moved], changed.after[moved]
    old, new = before["segment"].astype(np.int64), after["segment"].astype(np.int64)
    memberships = _memberships(assigner, after)
    reasons = explainer.reasons(before["entry_y"], after["y"], old, new)
    otherwise = explainer.counterfactuals(after["y"], np.where(changed.relocked[moved], NONE, old))
    is_locked = (after["lock"] != NONE).tolist()
    columns = zip(moved.tolist(), memberships, is_locked, reasons, otherwise, strict=True)
    return {
        i: _Explained(
            membership,
            () if locked else tuple([_because(features, b) for b in because]),
            _counterfactual(features, other),
        )
        for i, membership, locked, because, other in columns
    }


def _memberships(assigner: Assigner, rows: States) -> list[tuple[Membership, ...]]:
    """Shares of the nearest two segments: fuzzy c-means with m = 2 over these two (Bezdek, 1981)."""
    squared = np.maximum(assigner.distances(rows["y"]) ** 2, 1e-12)
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :2]
    inverse = 1.0 / np.take_along_axis(squared, nearest, axis=1)
    shares = (inverse / inverse.sum(axis=1, keepdims=True)).tolist()
    numbers = assigner.numbers[nearest].tolist()
    return [tuple(map(Membership, map(segment_id, n), s)) for n, s in zip(numbers, shares, strict=True)]


def _because(features: FeatureSet, because: Reason) -> Because:
    declared = features.features[because.feature]
    return Because(declared.name, because.before, because.after, declared.unit, because.contribution)


def _counterfactual(features: FeatureSet, otherwise: Otherwise | None) -> Counterfactual | None:
    if otherwise is None:
        return None
    declared = features.features[otherwise.feature]
    return Counterfactual(declared.name, otherwise.value, declared.unit, otherwise.now)


def _silence(features: FeatureSet, rows: States) -> dict[int, Because]:
    """For who fell asleep: its own gap, and how long it has been silent."""
    asleep = np.flatnonzero((rows["status"] == Status.DORMANT) & (rows["newest_at"] != NEVER))
    mine = rows[asleep]
    gaps = features.own_gap_days(mine["sums"], mine["first_at"], mine["newest_at"]).tolist()
    silent = ((mine["looked_at"] - mine["newest_at"]) / DAY_MS).tolist()
    columns = zip(asleep.tolist(), gaps, silent, strict=True)
    return {i: Because("silence", gap, days, "days", 1.0) for i, gap, days in columns}
