"""What must not matter: over how many partitions customers are spread, and in which batches their events come.

Compared is the segment held after each event of a part of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.quality.data import Data, IntArray
from benchmarks.quality.service import Run, run
from stream.settings import Tree

EVENTS = 30_000
PARTITIONS = (1, 4, 16)
BATCH_EVENTS, FROZEN_EVENTS = 6_000, 3_000
"""Batches of one event are slow."""
BATCHES = (1, 64, 2000)


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

    Each partition has a clock of its own, so timers and the sweep come some minutes apart, and what is learnt at a sync
    point is not quite the same. Under one frozen model nothing may differ.
    """
    some = first(data, EVENTS)
    lives = [run(some, _over(settings, count)) for count in PARTITIONS]
    model = first_model(lives[0])
    frozen = [run(some, _over(settings, count), frozen_model=model) for count in PARTITIONS]
    return lives[1], {
        "partition_differences": differences([labels(life) for life in lives]),
        "partition_differences_frozen": differences([labels(life) for life in frozen]),
        "partition_events": len(some.events),
    }


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


def _over(settings: Tree, count: int) -> Tree:
    return settings.model_copy(update={"topics": settings.topics.model_copy(update={"partitions": count})})
