"""How many series a process can have at most: everything that a label can say, said at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from prometheus_client import CollectorRegistry

from consumers.running import describe
from stream.contracts.changes import Cause
from stream.contracts.examples import PROFILE
from stream.contracts.reasons import Reason
from stream.metrics import OwnerMetrics, WorkerMetrics
from stream.settings import Tree
from stream.settings.tree import MOST_SEGMENTS
from tests.helpers import shop_model

BUDGET = 1_500
SEGMENTS = [f"s{number}" for number in range(1, MOST_SEGMENTS + 1)]


def process() -> CollectorRegistry:
    registry = CollectorRegistry()
    describe(registry, Tree())
    return registry


def series(registry: CollectorRegistry) -> int:
    return sum(len(family.samples) for family in registry.collect())


def test_a_worker_that_has_seen_everything_stays_below_the_budget() -> None:
    registry = process()
    metrics = WorkerMetrics(registry)
    for ends in product([*SEGMENTS, "none"], repeat=2):
        metrics.transitions.labels(*ends)
    for reason in Reason:
        metrics.rejected.labels(reason)
    for cause in Cause:
        metrics.changes.labels(cause.value)
    for kind in ("StoreUnavailable", "BrokerUnavailable"):
        metrics.outages.labels(kind)
    assert 300 < series(registry) < BUDGET * 0.5


def test_an_owner_of_the_most_segments_stays_below_the_budget() -> None:
    registry = process()
    metrics = OwnerMetrics(registry)
    base = shop_model()
    many = tuple(replace(base.segments[0], number=n, name=f"name {n}") for n in range(1, MOST_SEGMENTS + 1))
    kinds = ("born", "shifted", "split", "merged", "renamed", "retiring", "retired", "drift")
    metrics.observe(replace(base, segments=many), kinds, 0.1, 1.0)
    metrics.show_value([replace(PROFILE, id=id_) for id_ in SEGMENTS])
    assert PROFILE.value is not None
    for why in ("bad_record", "bad_command", "command"):
        metrics.refused.labels(why)
    assert 150 < series(registry) < BUDGET * 0.5
