"""What must not matter: over how many partitions customers are spread, and in which batches their events come.

Compared is the segment held after each event of a part of the data.

A sync point is a moment that every partition has reached, and up to which everything is learnt. In a quiet partition
time does not pass, so customers whom nobody counts are glanced at in each of them, as many as carry its clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.quality.data import Data, IntArray
from benchmarks.quality.service import Run, run
from benchmarks.quality.stage import EXTRA, extras, glance
from producers.orders import Encoded
from stream.settings import Tree

EVENTS = 30_000
PARTITIONS = (1, 4, 16)
BATCH_EVENTS, FROZEN_EVENTS = 6_000, 3_000
"""Batches of one event are slow."""
BATCHES = (1, 64, 2000)
SYNC_EVENTS = 2000
"""Between two sync points, the glances included."""


def first(data: Data, events: int) -> Data:
    """The first events of the data."""
    return replace(data.only(np.arange(len(data.events)) < events), checkpoint_days=())


def labels(life: Run) -> IntArray:
    """Segment held after each event, (events,)."""
    return life.history.held_after(life.data.customer, life.data.at_ms)


def differences(found: Sequence[IntArray]) -> int:
    """Events after which not all have the same label.

    >>> differences([np.array([1, 2, 3]), np.array([1, 2, 2]), np.array([1, 1, 3])])
    2
    """
    return int((np.stack(found) != found[0]).any(axis=0).sum())


def partitions(data: Data, settings: Tree) -> tuple[Run, dict[str, int]]:
    """The same events in the same batches over 1, 4 and 16 partitions: one of the runs, and the differing labels.

    With sync points, without them, and under one frozen model. Without them each partition has a clock of its own:
    timers and the sweep come some minutes apart, and what is learnt from a batch is not quite the same.
    """
    some = first(data, EVENTS)
    synced = with_sync_points(some, settings.customers.jump_witnesses)
    counted = np.array([not event.key.startswith(EXTRA.encode()) for event in synced.events])
    together = [labels(run(synced, over(settings, count), SYNC_EVENTS))[counted] for count in PARTITIONS]
    lives = [run(some, over(settings, count)) for count in PARTITIONS]
    model = first_model(lives[0])
    frozen = [run(some, over(settings, count), frozen_model=model) for count in PARTITIONS]
    return lives[1], {
        "partition_differences": differences(together),
        "partition_differences_unsynced": differences([labels(life) for life in lives]),
        "partition_differences_frozen": differences([labels(life) for life in frozen]),
        "partition_events": len(some.events),
    }


def with_sync_points(data: Data, witnesses: int, every: int = SYNC_EVENTS) -> Data:
    """The same events, and before each ``every`` are full a glance at extras of every partition."""
    names = extras(max(PARTITIONS), witnesses)
    events: list[Encoded] = []
    size = every - len(names)
    for start in range(0, len(data.events), size):
        events += data.events[start : start + size]
        events += [glance(name, events[-1].occurred_at_ms) for name in names]
    return replace(data, events=events)


def batches(data: Data, settings: Tree) -> dict[str, Any]:
    """The same events in batches of 1, 64 and 2000 from the first model on: frozen must be equal, learning nearly."""
    some = first(data, BATCH_EVENTS)
    lives = [run(some, settings, then=size) for size in BATCHES]
    learning = [labels(life)[lives[0].macro_steps[0].events :] for life in lives]
    model = first_model(lives[0])
    less = first(data, FROZEN_EVENTS)
    frozen = [labels(run(less, settings, size, frozen_model=model)) for size in BATCHES]
    return {
        "batch_agreement": _least_same(learning),
        "batch_differences_frozen": differences(frozen),
        "batch_events": len(some.events),
        "batch_events_frozen": len(less.events),
    }


def first_model(life: Run) -> bytes:
    """The record of a run's first model."""
    entries, _ = life.twins.broker.read(life.settings.topics.model, 0, 0, 2)
    return entries[0][1].value or b""


def _least_same(found: Sequence[IntArray]) -> float:
    return min(float(np.mean(other == found[0])) for other in found[1:])


def over(settings: Tree, count: int) -> Tree:
    """The same settings with so many partitions."""
    return settings.model_copy(update={"topics": settings.topics.model_copy(update={"partitions": count})})
