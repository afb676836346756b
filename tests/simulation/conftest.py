"""What a simulator needs that a process does not: small pages, metrics made once, a collector that seldom looks."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from copy import copy

import pytest
from prometheus_client import CollectorRegistry

import consumers.build
import consumers.restoring
from stream.metrics import OwnerMetrics, WorkerMetrics


@pytest.fixture(scope="package", autouse=True)
def small_pages() -> Iterator[None]:
    """So that a restore of twelve customers has several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumers.restoring, "PAGE", 3)
        yield


@pytest.fixture(scope="package", autouse=True)
def metrics_made_once() -> Iterator[None]:
    """All processes count into the same: making them takes longer than a round, and nobody reads them here."""
    worker, owner = WorkerMetrics(CollectorRegistry()), OwnerMetrics(CollectorRegistry())

    def of_worker(_: CollectorRegistry) -> WorkerMetrics:
        mine = copy(worker)
        mine.health = copy(worker.health)
        return mine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumers.build, "WorkerMetrics", of_worker)
        patch.setattr(consumers.build, "OwnerMetrics", lambda _: copy(owner))
        yield


@pytest.fixture(scope="package", autouse=True)
def collect_seldom() -> Iterator[None]:
    """A schedule leaves little behind, and what all tests have imported is not garbage: a sixth of the time."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
