"""Footing: an id ends when neither its people nor its place are what they were, and not before."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from stream.customer.tenure import WEEK_MS
from stream.drift.monitor import Plan
from stream.model.learner import Learner, MacroStep
from stream.model.snapshot import Vectors
from tests.model.crowd import Crowd, blobs, described, settings

FIRST = np.arange(60)
"""Who is around the first centre."""
SETTLE_DAYS = 21.0
DRIFT = np.array([0, 120], np.int16)
"""A third of a radius."""
STAY = np.array([0, 0], np.int16)


def crowd() -> Crowd:
    """Three segments of sixty, six weeks old."""
    y = blobs(np.random.default_rng(0), [[0.0, 0.0], [4000.0, 0.0], [0.0, 4000.0]], 60)
    learner = Learner(described(2), settings(challenger_gain=0.9), plan=Plan(settle_days=SETTLE_DAYS))
    people = Crowd(y, learner)
    for _ in range(6):
        week(people)
    return people


def week(people: Crowd, by: Vectors = STAY) -> MacroStep:
    """Some move, everybody is looked at, and a macro step follows."""
    to = people.y.copy()
    to[FIRST] += by
    step = people.step(to=to)
    people.now_ms += WEEK_MS
    return step


def number(people: Crowd) -> int:
    """What the last of the first sixty hold."""
    return int(people.held[59])


def leave(people: Crowd, n: int) -> None:
    """So many of those who are still there go over to the second centre."""
    there = np.flatnonzero(people.held[FIRST] == number(people))[:n]
    to = people.y.copy()
    to[there] = people.y[60 + there]
    people.learner.learn(people.look(people.everybody, to))


def test_an_id_ends_with_its_people_gone_and_its_place_left() -> None:
    people = crowd()
    old = number(people)
    steps = []
    for _ in range(6):
        leave(people, 8)
        steps.append(week(people, by=DRIFT))
    week(people)
    new = number(people)
    assert new not in (old, 0)
    last = next(step for step in steps if old in step.regrouping.gone)
    said = {(entry.kind, entry.number): entry for entry in last.entries}
    assert re.fullmatch("it stands 1.[0-9] radii .* only [34][0-9] % of its customers .*", said["retiring", old].why)
    assert said["born", new].related.keys() == {old}
    assert last.snapshot.epoch == steps[0].snapshot.epoch + 1, "its people are swept for"


def test_while_its_people_stay_it_goes_where_they_go() -> None:
    people = crowd()
    old = number(people)
    for _ in range(15):
        week(people, by=DRIFT)
    assert number(people) == old
    footing = people.learner.state.footings[old]
    assert footing.at_ms > 6 * WEEK_MS, "after the settle time it is founded anew"


def test_then_its_people_may_leave_as_long_as_the_place_stays() -> None:
    people = crowd()
    old = number(people)
    for _ in range(5):
        week(people, by=DRIFT)
    for _ in range(5):
        week(people)
    for _ in range(5):
        leave(people, 9)
        week(people)
    assert number(people) == old


def test_a_place_that_is_left_and_found_again_counts_from_the_beginning() -> None:
    people = crowd()
    old = number(people)
    founded = people.learner.state.footings[old].at_ms
    for by in [DRIFT] * 4 + [-DRIFT] * 4 + [STAY] * 4:
        week(people, by=by)
    footing = people.learner.state.footings[old]
    assert (footing.at_ms, footing.beyond_ms) == (founded, None)


def test_in_its_first_weeks_a_segment_is_founded_anew_in_each_step() -> None:
    y = blobs(np.random.default_rng(0), [[0.0, 0.0], [4000.0, 0.0], [0.0, 4000.0]], 60)
    people = Crowd(y, Learner(described(2), settings(challenger_gain=0.9), plan=Plan(settle_days=SETTLE_DAYS)))
    at = []
    for _ in range(6):
        week(people)
        at.append(people.learner.state.footings[number(people) or 1].at_ms // WEEK_MS)
    assert at == [0, 1, 2, 2, 2, 2]


def test_footings_and_tenures_outlive_a_restart() -> None:
    people = crowd()
    for _ in range(4):
        step = week(people, by=DRIFT)
    learner = people.learner
    restored = Learner.from_record(learner.to_record(step.snapshot), learner.features, learner.settings)
    assert restored.state.tenures == learner.state.tenures
    for n, footing in learner.state.footings.items():
        again = restored.state.footings[n]
        assert again.mean == pytest.approx(footing.mean)
        assert replace(again, mean=footing.mean) == footing
    assert learner.state.footings[number(people)].beyond_ms is not None


def test_footings_are_kept_of_the_assignable_alone() -> None:
    people = crowd()
    for _ in range(6):
        leave(people, 8)
        week(people, by=DRIFT)
    model = people.learner.snapshot
    assert model is not None
    assert people.learner.state.footings.keys() == {s.number for s in model.segments if not s.retiring}
