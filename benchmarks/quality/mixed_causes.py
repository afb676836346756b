"""Two or three causes at a time: which is the true one is found by taking away what else has happened.

The cause is the first of: the model, time, the event, with which alone the customer would have come to be where it is.
So each play is lived through in several worlds, alike but for that. What would have been is what the service did there;
why, it is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.quality.causes import Judged
from benchmarks.quality.scene import Scene
from stream.contracts.changes import Cause, SegmentChange
from stream.customer.features import DAY_MS

LATER_DAYS = 10
"""Silence before the event: long enough to move some, too short to put anybody to sleep."""


@dataclass(frozen=True)
class Worlds:
    """Where each customer is after a model is put, or not, and ``later_ms`` have passed, and an event came, or not."""

    scene: Scene
    is_moved: bool
    later_ms: int

    def judged(self) -> Iterator[Judged]:
        """Every change from the model's on, of customers who came a short time ago."""
        scene, names = self.scene, self.scene.recent
        before = scene.open().held()
        by_model, by_time = self._at(scene.ms + 1), self._at(scene.ms + max(self.later_ms, 1))
        where = dict(before)
        for change in sorted(self._all(before), key=lambda told: told.version):
            name = change.customer_id
            if name not in names or change.current is None:
                continue
            to, is_event = change.current.id, change.trigger_event_id is not None
            if self.is_moved and where.get(name) == before.get(name) and by_model.get(name) == to:
                yield Cause.MODEL, change
            elif not is_event or by_time.get(name) == to:
                yield Cause.TIME, change
            else:
                yield Cause.BEHAVIOUR, change
            where[name] = to

    def _at(self, ms: int) -> dict[str, str]:
        """Where everybody is seen to be at a time, if no event comes."""
        stage = self.scene.open()
        if self.is_moved:
            stage.put(self.scene.moved)
        stage.send(self.scene.glances(ms))
        return stage.held()

    def _all(self, held: Mapping[str, str]) -> list[SegmentChange]:
        """What is told if everything happens: each customer makes one order as others do."""
        scene, stage = self.scene, self.scene.open()
        told = stage.put(scene.moved) if self.is_moved else []
        events = scene.strange(scene.recent & held.keys(), held, scene.ms + max(self.later_ms, 1), 1)
        return told + stage.send(events)


def model_or_event(scene: Scene) -> Iterable[Judged]:
    """An order right after the model has moved."""
    return Worlds(scene, is_moved=True, later_ms=0).judged()


def time_or_event(scene: Scene) -> Iterable[Judged]:
    """An order after some days without, under one model."""
    return Worlds(scene, is_moved=False, later_ms=LATER_DAYS * DAY_MS).judged()


def model_time_or_event(scene: Scene) -> Iterable[Judged]:
    """The model moves, days pass, and then comes an order."""
    return Worlds(scene, is_moved=True, later_ms=LATER_DAYS * DAY_MS).judged()


MIXED_PLAYS: Mapping[str, Callable[[Scene], Iterable[Judged]]] = {
    "model_or_event": model_or_event,
    "time_or_event": time_or_event,
    "model_time_or_event": model_time_or_event,
}
