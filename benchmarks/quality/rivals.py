"""The table of one baseline, with the keys of the service's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.quality.agreement import active
from benchmarks.quality.baselines import KINDS, Lived, describe, live
from benchmarks.quality.checkpoints import Ceiling, against_truth, grouped
from benchmarks.quality.data import Data
from benchmarks.quality.history import History, history_of_labels
from benchmarks.quality.service import Run
from benchmarks.quality.summary import empty, of_history
from benchmarks.quality.vectors import Vectors, last_events
from stream.model.snapshot import Scale


def rival(name: str, run: Run, y: Vectors, ceiling: Ceiling | None) -> dict[str, Any]:
    """Let one baseline live through the data of a run of the service, from that one's first model on.

    In the scale that the service ended with: one from the first week would clip most of the year, so the baselines are
    given the benefit of hindsight.
    """
    first, model = run.macro_steps[0], run.settings.model
    scale = run.macro_steps[-1].assigner.snapshot.scale
    lived = live(KINDS[name], run.data, y, scale, first.events, model.first_segments, model.seed)
    history = history_of_labels(run.data, lived.labels)
    rows = []
    for day in lived.centres_z:
        row = _row(run.data, history, y, scale, lived, day)
        rows.append(row | (against_truth(history, day, ceiling) if ceiling is not None else {}))
    summary = empty(f"{name}, k {model.segments}") | describe(KINDS[name], lived)
    seen = _cut(run.data, len(lived.labels))
    moves = history_of_labels(seen, lived.labels)
    return {**summary, **of_history(seen, moves, len(lived.labels), first.events, rows), "checkpoints": rows}


def _row(data: Data, history: History, y: Vectors, scale: Scale, lived: Lived, day: int) -> dict[str, Any]:
    ms = data.end_of_day_ms(day)
    who = np.flatnonzero(active(data, ms))
    z = scale.z(y[last_events(data, ms)[who]])
    labels = history.held(ms)[who]
    return grouped(data, history, day, z, labels, lived.centres_z[day])


def _cut(data: Data, events: int) -> Data:
    """The part of the data that a bounded baseline has seen."""
    return data if events == len(data.events) else data.only(np.arange(len(data.events)) < events)
