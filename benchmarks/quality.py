"""Quality: are the segments as good as a batch re-fit at every moment?

    python -m benchmarks.quality --json [--data journey] [--batch 1000] [--settings FILE]

Runs the service's own engine (same fold, same step, same learner; broker and store in memory) over a year and stops at
monthly checkpoints. There, every customer who is not dormant is taken where it stands *now*, and the inertia of the
service's centroids is compared with scikit-learn's batch k-means (n_init 10) on the same vectors in the same scale.
river's KMeans, fed the same vectors event by event, stands beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import cluster
from sklearn.cluster import KMeans

from consumers.twins import Twins, drain
from producers.journey import Journey
from producers.orders import Encoded
from stream.contracts.changes import decode_change
from stream.customer.features import FeatureSet
from stream.customer.state import States, Status, unpack
from stream.decision.assign import Assigner
from stream.settings import Tree, load

MONTH_MS = 30 * 86_400_000
BASELINES = ("river_kmeans",)
A_B_A_EVENTS = 5
"""A change back within this many of the customer's own events is a flap."""


@dataclass
class Baseline:
    """river's KMeans with its defaults, learning the scaled vector of every look."""

    model: cluster.KMeans = field(default_factory=lambda: cluster.KMeans(n_clusters=5, seed=7))

    def learn(self, z: NDArray[np.float64]) -> None:
        """Learn row by row."""
        for row in z.tolist():
            self.model.learn_one(dict(enumerate(row)))

    def centroids(self) -> NDArray[np.float64]:
        """Shape (k, d)."""
        return np.array([[center[i] for i in sorted(center)] for center in self.model.centers.values()])


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=["journey"], default="journey")
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    flags = {"kafka": {"max_poll_records": arguments.batch}, "model": {"interval_seconds": 0}}
    report = run(load(arguments.settings, flags=flags), Journey())
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 0


def run(settings: Tree, events: Iterable[Encoded]) -> dict[str, Any]:
    """The report over a stream of events in time order."""
    twins = Twins(settings)
    lockstep, features, baseline = twins.lockstep(), FeatureSet(settings.customers), Baseline()
    checkpoints = []
    sent = 0
    for month, batch in _months(events):
        for chunk in _chunks(batch, settings.kafka.max_poll_records):
            sent += twins.send(chunk)
            for done in drain(lockstep.run_once, idle_rounds=1):
                if done.step is not None and (assigner := lockstep.assigner) is not None:
                    baseline.learn(assigner.snapshot.scale.z(done.step.rows["y"][done.step.touched]))
        if lockstep.assigner is not None:
            checkpoints.append({"month": month, **_checkpoint(features, twins, lockstep.assigner, baseline)})
    changes = [decode_change(value) for value in twins.changes()]
    moved = [c for c in changes if c.previous and c.current and c.previous.id and c.previous.id != c.current.id]
    causes = Counter(c.cause.value for c in changes)
    ratio = "inertia_ratio"
    return {
        "summary": {
            "settings": _said(settings),
            "events": sent,
            "inertia_ratio_max": max(c[ratio] for c in checkpoints),
            "changes_per_1000": 1000 * len(moved) / sent,
            "changes_by_cause": dict(sorted(causes.items())),
            "largest_share": max(c["largest_share"] for c in checkpoints),
        },
        "checkpoints": checkpoints,
        "baselines": {
            "river_kmeans": {"inertia_ratio_max": max(c["baselines"]["river_kmeans"][ratio] for c in checkpoints)}
        },
    }


def _said(settings: Tree) -> str:
    model = settings.model
    return f"{settings.profile}, {model.kind}, k {model.segments}, margin {model.margin}"


def _months(events: Iterable[Encoded]) -> Iterator[tuple[int, Iterator[Encoded]]]:
    start: list[int] = []

    def month(event: Encoded) -> int:
        start[:] = start or [event[2]]
        return (event[2] - start[0]) // MONTH_MS + 1

    return groupby(events, month)


def _chunks(events: Iterator[Encoded], size: int) -> Iterator[list[Encoded]]:
    chunk: list[Encoded] = []
    for event in events:
        chunk.append(event)
        if len(chunk) == size:
            yield chunk
            chunk = []
    yield chunk


def _checkpoint(features: FeatureSet, twins: Twins, assigner: Assigner, baseline: Baseline) -> dict[str, Any]:
    rows = _active(features, twins)
    now = np.full(len(rows), rows["looked_at"].max())
    aged = features.y(rows["sums"], rows["first_at"], rows["newest_at"], now)
    scale, enterable = assigner.snapshot.scale, assigner.centroids[assigner.enterable]
    z, z_aged = scale.z(rows["y"]), scale.z(aged)
    batch, batch_aged = (KMeans(len(enterable), n_init=10, random_state=0).fit(v).inertia_ for v in (z, z_aged))
    held = Counter(rows["segment"][rows["segment"] > 0].tolist())
    return {
        "customers": len(rows),
        "segments": len(enterable),
        "inertia_ratio": _inertia(z, enterable) / batch,
        "inertia_ratio_aged": _inertia(z_aged, enterable) / batch_aged,
        "largest_share": max(held.values()) / held.total(),
        "baselines": {"river_kmeans": {"inertia_ratio": _inertia(z, baseline.centroids()) / batch}},
    }


def _active(features: FeatureSet, twins: Twins) -> States:
    blobs = [
        blob
        for partition in range(twins.settings.topics.partitions)
        for _, blob in twins.store.reader.states(partition)
    ]
    rows, _ = unpack(features, blobs)
    return rows[(rows["status"] == Status.READY) | (rows["status"] == Status.COLD)]


def _inertia(z: NDArray[np.float64], centroids: NDArray[np.float64]) -> float:
    return float(((z[:, None, :] - centroids[None]) ** 2).sum(axis=2).min(axis=1).sum())


if __name__ == "__main__":
    sys.exit(main())
