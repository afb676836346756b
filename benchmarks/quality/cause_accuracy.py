"""Cause accuracy: of changes whose true cause is known from how they were made, how many are told with it?"""

from __future__ import annotations

from typing import Any

from benchmarks.quality.causes import PLAYS
from benchmarks.quality.mixed_causes import MIXED_PLAYS
from benchmarks.quality.scene import Scene, scene_of
from benchmarks.quality.service import Run


def cause_accuracy(life: Run) -> dict[str, Any]:
    """Of every play that customers and models of a life can act; all plays count alike, however many change in one."""
    scene = scene_of(life)
    return {} if scene is None else of_plays(scene)


def of_plays(scene: Scene) -> dict[str, Any]:
    """Share right, over all plays, in the worst, and in each with the number of its changes."""
    found = {name: list(play(scene)) for name, play in {**PLAYS, **MIXED_PLAYS}.items()}
    right = {
        name: sum(truth is change.cause for truth, change in judged) / len(judged)
        for name, judged in found.items()
        if judged
    }
    return {
        "cause_accuracy": sum(right.values()) / len(right) if right else None,
        "cause_accuracy_worst": min(right.values(), default=None),
        "cause_changes": sum(map(len, found.values())),
        "cause_accuracy_by": {n: {"right": right.get(n), "changes": len(judged)} for n, judged in found.items()},
    }
