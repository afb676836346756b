"""From changed states to messages: previous, current, cause, reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.contracts.changes import Cause, SegmentChange, change_message
from stream.customer.features import DAY_MS, NEVER, FeatureSet
from stream.customer.state import States, Status
from stream.decision.agenda import NO_EVENT
from stream.decision.assign import NONE, Assigner
from stream.decision.batch import Batch
from stream.decision.explain import Because, Explainer, Otherwise
from stream.model.snapshot import IntArray

_ATYPICAL = 1
_SILENT = (Status.NEW, Status.CLOSED)


@dataclass(frozen=True)
class Changed:
    """Looks side by side: states before and after, and which of them changed segment or status."""

    customer: IntArray
    event: IntArray
    before: States
    after: States
    changed: NDArray[np.bool_]

    def only_changed(self) -> Changed:
        """Without the looks that changed nothing."""
        kept = self.changed
        return Changed(self.customer[kept], self.event[kept], self.before[kept], self.after[kept], kept[kept])

    @staticmethod
    def join(parts: Iterable[Changed]) -> Changed:
        """One after the other."""
        columns = zip(*((p.customer, p.event, p.before, p.after, p.changed) for p in parts), strict=True)
        return Changed(*map(np.concatenate, columns))

    @property
    def flaps(self) -> int:
        """Moves back to the segment held before the last one."""
        after, before = self.after["segment"], self.before
        return int(((after != before["segment"]) & (after != NONE) & (after == before["previous"])).sum())


def report(
    features: FeatureSet, assigner: Assigner | None, batch: Batch, changed: Changed
) -> list[tuple[int, SegmentChange]]:
    """One message for each change: (position of the customer in the batch, message)."""
    story = _Story(features, assigner, changed)
    return [
        (int(who), story.message(i, batch.customers[who], _trigger(batch, changed.event[i]), batch.wall_ms))
        for i, who in enumerate(changed.customer)
    ]


def _trigger(batch: Batch, event: int) -> str | None:
    return None if event == NO_EVENT else batch.events[event].event_id


@dataclass(frozen=True)
class _Story:
    """What is told of a batch of changes; everything numeric is computed for all of them at once."""

    features: FeatureSet
    assigner: Assigner | None
    changed: Changed

    def message(self, i: int, customer: str, trigger: str | None, wall_ms: int) -> SegmentChange:
        """The i-th change as a message."""
        before, after = self.changed.before[i], self.changed.after[i]
        margin, fit = float(after["margin"]), float(after["fit"])
        return change_message(
            customer_id=customer,
            version=int(after["version"]),
            previous=self._state(before),
            current=self._state(after),
            cause=self.causes[i],
            occurred_at_ms=int(after["looked_at"]),
            decided_at_ms=wall_ms,
            margin=None if np.isnan(margin) else margin,
            fit=None if np.isnan(fit) else fit,
            atypical=bool(after["atypical"] & _ATYPICAL),
            membership=self._membership(i),
            reasons=self._reasons(i),
            counterfactual=self._counterfactual(i),
            provisional=self._id(int(after["provisional"])) or None,
            model_version=int(after["model_version"]),
            trigger_event_id=trigger,
        )

    @cached_property
    def causes(self) -> list[Cause]:
        """The cause of each change."""
        before, after = self.changed.before, self.changed.after
        rung_model, rung_time = self._rungs
        return [
            self._cause(before[i], after[i], int(rung_model[i]), int(rung_time[i]), self.changed.event[i] == NO_EVENT)
            for i in range(len(after))
        ]

    @staticmethod
    def _cause(before: Any, after: Any, rung_model: int, rung_time: int, by_itself: bool) -> Cause:
        if after["status"] == Status.CLOSED:
            return Cause.EXPIRED
        if before["status"] in _SILENT or before["segment"] == NONE and after["segment"] != NONE:
            return Cause.FIRST
        if after["status"] == Status.DORMANT and before["status"] != Status.DORMANT:
            return Cause.TIME
        if before["segment"] == after["segment"]:
            return Cause.TIME if by_itself else Cause.BEHAVIOUR
        if rung_model == after["segment"]:
            return Cause.MODEL
        if rung_time == after["segment"]:
            return Cause.TIME
        return Cause.BEHAVIOUR

    @cached_property
    def _moved(self) -> IntArray:
        """Changes of segment (not only of status) into a segment."""
        before, after = self.changed.before["segment"], self.changed.after["segment"]
        return np.flatnonzero((before != after) & (after != NONE))

    @cached_property
    def _explainer(self) -> Explainer | None:
        return Explainer(self.features, self.assigner) if self.assigner is not None and len(self._moved) else None

    @cached_property
    def _rungs(self) -> tuple[IntArray, IntArray]:
        nowhere = np.full(len(self.changed.after), NONE)
        if self._explainer is None:
            return nowhere, nowhere
        return self._explainer.rungs(self.changed.before, self.changed.after["looked_at"])

    @cached_property
    def _explained(self) -> dict[int, tuple[list[Because], Otherwise | None]]:
        if self._explainer is None:
            return {}
        before, after = self.changed.before[self._moved], self.changed.after[self._moved]
        old, new = before["segment"].astype(np.int64), after["segment"].astype(np.int64)
        reasons = self._explainer.reasons(before["entry_y"], after["y"], old, new)
        otherwise = self._explainer.counterfactuals(after["y"], old)
        return dict(zip(self._moved.tolist(), zip(reasons, otherwise, strict=True), strict=True))

    def _state(self, row: Any) -> dict[str, str] | None:
        if row["status"] in _SILENT:
            return None
        number = int(row["segment"])
        names = self.assigner.snapshot.names if self.assigner is not None else {}
        return {"id": self._id(number), "name": names.get(number, ""), "status": Status(row["status"]).name.lower()}

    @staticmethod
    def _id(number: int) -> str:
        return f"s{number}" if number else ""

    def _membership(self, i: int) -> list[dict[str, Any]]:
        if i not in self._explained or self.assigner is None:
            return []
        squared = self._distances[i] ** 2
        two = np.argsort(squared)[:2]
        inverse = 1.0 / np.maximum(squared[two], 1e-12)
        shares = inverse / inverse.sum()
        numbers = self.assigner.numbers[two]
        return [{"id": self._id(int(n)), "share": float(s)} for n, s in zip(numbers, shares, strict=True)]

    @cached_property
    def _distances(self) -> NDArray[np.float64]:
        """To all centroids; membership is that of fuzzy c-means with m = 2 (Bezdek, 1981) over the nearest two."""
        assert self.assigner is not None  # noqa: S101  only reached with a model
        return self.assigner.distances(self.changed.after["y"])

    def _reasons(self, i: int) -> list[dict[str, Any]]:
        after = self.changed.after[i]
        if i in self._explained:
            return [self._named(b) for b in self._explained[i][0]]
        if after["status"] == Status.DORMANT and after["newest_at"] != NEVER:
            return [self._silence(i)]
        return []

    def _named(self, because: Because) -> dict[str, Any]:
        feature = self.features.features[because.feature]
        return {"feature": feature.name, "unit": feature.unit} | {
            k: v for k, v in because._asdict().items() if k != "feature"
        }

    def _silence(self, i: int) -> dict[str, Any]:
        row = self.changed.after[i : i + 1]
        gap = self.features.own_gap_days(row["sums"], row["first_at"], row["newest_at"])[0]
        silent_days = (int(row["looked_at"][0]) - int(row["newest_at"][0])) / DAY_MS
        return {"feature": "silence", "unit": "days", "before": float(gap), "after": silent_days, "contribution": 1.0}

    def _counterfactual(self, i: int) -> dict[str, Any] | None:
        otherwise = self._explained[i][1] if i in self._explained else None
        if otherwise is None:
            return None
        feature = self.features.features[otherwise.feature]
        return {"feature": feature.name, "unit": feature.unit, "value": otherwise.value, "now": otherwise.now}


