"""Late, out of order and twice: the disorder is what it says, and what it costs is found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.quality.data import Data, personas
from benchmarks.quality.lateness import LATE_DAYS, accumulators_worst, late, lateness, segments_same
from benchmarks.quality.service import Run, run
from producers.personas import PersonasPlan
from stream.customer.features import DAY_MS
from tests.benchmarks.test_quality_measures import small


@pytest.fixture(scope="module")
def data() -> Data:
    return personas(PersonasPlan(customers=60, days=62, seed=8))


@pytest.fixture(scope="module")
def life(data: Data) -> Run:
    return run(data, small(), batch=100)


def test_some_come_late_and_some_twice_and_none_is_missing(data: Data) -> None:
    arrivals = late(data, 1)
    counts = Counter(arrivals.data.events)
    assert counts.keys() == set(data.events)
    assert len(arrivals.data.events) - len(data.events) == arrivals.repeated == sum(n == 2 for n in counts.values())
    behind = np.maximum.accumulate(arrivals.data.at_ms) - arrivals.data.at_ms
    assert 0 < behind.max() <= LATE_DAYS * DAY_MS
    assert 0.06 < np.mean(behind > 0) < 0.14


def test_disorder_changes_next_to_nothing(life: Run) -> None:
    found = lateness(life, 1)["lateness"]
    assert 0 < found["accumulators_worst"] < 1e-9
    assert found["duplicates_rejected"] == 1.0
    assert found["segments_same_frozen"] >= 0.95
    assert 0 < found["segment_ids_same_learning"] <= found["segments_same_learning"] <= 1


def test_an_event_that_is_lost_is_seen_in_the_sums(data: Data, life: Run) -> None:
    keep = np.ones(len(data.events), dtype=bool)
    keep[-1] = False
    other = run(replace(data.only(keep), checkpoint_days=()), small(), batch=100)
    assert accumulators_worst(life, life) == 0.0
    assert accumulators_worst(life, other) > 1e-3
    assert segments_same(life, life) == segments_same(life, life, by_customers=True) == 1.0


def test_customers_that_only_one_run_knows_are_no_comparison(data: Data, life: Run) -> None:
    other = run(replace(data.only(data.customer != 0), checkpoint_days=()), small(), batch=100)
    with pytest.raises(ValueError, match="never saw"):
        segments_same(life, other)
