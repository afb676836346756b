"""What drift is told of a model: how sure decisions are, and how far the partitions are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stream.customer.holdings import Holding
from stream.model.learner import Learner
from tests.model.crowd import DAY_MS, Crowd, blobs, described, settings


def crowd() -> Crowd:
    y = blobs(np.random.default_rng(0), [[0.0, 0.0], [4000.0, 0.0], [0.0, 4000.0]], 60)
    return Crowd(y, Learner(described(2), settings()))


def test_decisions_are_the_sums_over_all_holders_and_the_changes_of_a_week() -> None:
    people = crowd()
    people.step()
    some = {1: Holding(ready=50, low_margin=7, atypical=1), 2: Holding(ready=40, low_margin=2, atypical=3)}
    for day, moves in ((0, 100), (6, 10), (7, 20)):
        people.now_ms = day * DAY_MS
        record = people.look(people.everybody)
        people.learner.learn(replace(record, holdings=some if not day else {}, moves=moves, flaps=moves // 10))
    people.learner.macro_step(0)
    judged = people.learner.state.monitor.judged
    assert judged is not None
    assert judged.decisions.tolist() == [[9, 90], [4, 90], [3, 30]]


def test_a_model_of_partitions_that_are_far_apart_is_not_judged() -> None:
    people = crowd()
    for reached_ms, is_judged in (({0: 0, 1: 0}, True), ({0: 40 * DAY_MS}, False), ({1: 35 * DAY_MS}, True)):
        people.now_ms = max(reached_ms.values())
        people.learner.learn(replace(people.look(people.everybody), reached_ms=reached_ms))
        step = people.learner.macro_step(0)
        assert step.drift.is_judged == is_judged
        packed = people.learner.to_record(step.snapshot)
        people.learner = Learner.from_record(packed, people.learner.features, settings())
        found = people.learner.drift()
        assert found is not None
        assert (found.is_judged, found.apart_ms) == (is_judged, step.drift.apart_ms)
        assert found.levels == step.drift.levels
