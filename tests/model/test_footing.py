"""Footing: an id ends when neither its people nor its place are what they were, and not before."""

from __future__ import annotations

import re

import numpy as np

from stream.contracts.commands import Command
from stream.contracts.timestamps import rfc3339
from stream.customer.tenure import WEEK_MS
from stream.drift.monitor import Plan
from stream.model.grouping import Grouping
from stream.model.learner import Learner
from stream.model.macro_step import MacroStep
from stream.model.proposals import Docket, Waiting
from stream.model.snapshot import FloatArray, Scale, Vectors
from stream.model.state import pack_state
from tests.model.crowd import Crowd, blobs, described, settings

FIRST = np.arange(60)
"""Who is around the first centre."""
SETTINGS = settings(challenger_gain=0.9)
PLAN = Plan(settle_days=21.0)
DRIFT = np.array([0, 120], np.int16)
"""A third of a radius."""
STAY = np.array([0, 0], np.int16)


def newcomers() -> Crowd:
    """Three times sixty, whom nobody has looked at."""
    y = blobs(np.random.default_rng(0), [[0.0, 0.0], [4000.0, 0.0], [0.0, 4000.0]], 60)
    return Crowd(y, Learner(described(2), SETTINGS, plan=PLAN))


def crowd() -> Crowd:
    """Three segments of sixty, six weeks old."""
    people = newcomers()
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


def centroid(step: MacroStep, of: int) -> tuple[FloatArray, Scale]:
    """Where a segment's customers are, whatever the model says."""
    scale = step.regrouping.grouping.scale
    return scale.z(step.regrouping.sums.mean[step.regrouping.grouping.numbers.index(of)][None])[0], scale


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
    founded = people.learner.state.footings[old].mean[1]
    for _ in range(15):
        week(people, by=DRIFT)
    assert number(people) == old
    assert people.learner.state.footings[old].mean[1] > founded + 4 * DRIFT[1], "after the settle time founded anew"


def test_then_its_people_may_leave_as_long_as_the_place_stays() -> None:
    people = crowd()
    old = number(people)
    for _ in range(5):
        week(people, by=DRIFT)
    for _ in range(5):
        week(people)
    leave(people, 40)
    for _ in range(3):
        week(people)
    assert number(people) == old


def test_who_left_while_it_stood_there_is_not_missed_when_the_others_go_on_together() -> None:
    """Turnover is no reason: those of the last day at the old place count, not those of the founding."""
    people = crowd()
    old = number(people)
    for _ in range(5):
        leave(people, 9)
        week(people)
    for _ in range(8):
        week(people, by=DRIFT)
    assert number(people) == old


def test_a_place_that_is_left_and_found_again_counts_from_the_beginning() -> None:
    people = crowd()
    old = number(people)
    founded = people.learner.state.footings[old].mean
    for by in [DRIFT] * 4 + [-DRIFT] * 4 + [STAY] * 4:
        week(people, by=by)
    footing = people.learner.state.footings[old]
    assert footing.beyond_ms is None
    assert np.array_equal(footing.mean, founded)
    assert footing.people_ms == people.now_ms - WEEK_MS


def test_half_way_people_are_those_of_the_settle_time_ago() -> None:
    people = crowd()
    old = number(people)
    there_ms = people.learner.state.footings[old].people_ms
    seen = []
    for by in [2 * DRIFT] + [STAY] * 4:
        week(people, by=by)
        seen.append((people.learner.state.footings[old].people_ms - there_ms) // WEEK_MS)
    assert seen == [0, 0, 3, 3, 3]


def test_in_its_first_weeks_a_segment_is_founded_anew_in_each_step() -> None:
    people = newcomers()
    seen = []
    for _ in range(6):
        week(people, by=DRIFT)
        seen.append(people.learner.state.footings)
    means = [footings[number(people)].mean[1] for footings in seen]
    assert means[0] < means[1] < means[2] == means[3] == means[4] == means[5]


def test_a_merge_that_a_person_wanted_stands() -> None:
    people = crowd()
    old, other = number(people), int(people.held[60])
    leave(people, 40)
    assert people.learner.obey(Command("merge", rfc3339(0), segment=other, into=old, by="ann")) == ""
    for _ in range(4):
        step = week(people)
        assert old in step.regrouping.grouping.numbers
    assert number(people) == old


def test_nor_does_an_id_end_in_the_step_in_which_a_person_accepts_what_stands() -> None:
    people = crowd()
    old = number(people)
    for _ in range(4):
        leave(people, 6)
        week(people, by=DRIFT)
    leave(people, 20)
    learner, snapshot = people.learner, people.learner.snapshot
    assert snapshot is not None
    record = pack_state(learner.state, snapshot)
    for is_said in (False, True):
        learner = Learner.from_record(record, learner.features, SETTINGS, PLAN)
        if is_said:
            centroids = snapshot.scale.steps(Grouping.of(snapshot).centroids)
            learner.state.docket = Docket(Waiting(snapshot.version, centroids, 0.1, {}))
            assert learner.obey(Command("accept", rfc3339(0), version=snapshot.version)) == ""
        assert (old in learner.macro_step(0).regrouping.gone) == (not is_said)


def test_a_frozen_model_ends_nothing() -> None:
    people = crowd()
    old = number(people)
    frozen = people.learner.settings.model_copy(update={"frozen": True})
    snapshot = people.learner.snapshot
    assert snapshot is not None
    record = people.learner.to_record(snapshot)
    people.learner = Learner.from_record(record, people.learner.features, frozen, PLAN)
    for _ in range(6):
        leave(people, 8)
        assert people.learner.obey(Command("pin", rfc3339(0), segment=old)) == "", "the only reason for a step"
        step = week(people, by=DRIFT)
        assert not step.regrouping.gone
    assert people.learner.state.footings[old].radii(*centroid(step, old)) > 1


def test_footings_and_tenures_outlive_a_restart_and_go_on_alike() -> None:
    people, again = crowd(), crowd()
    for _ in range(3):
        for some in (people, again):
            leave(some, 8)
            week(some, by=DRIFT)
    for _ in range(5):
        snapshot = again.learner.snapshot
        assert snapshot is not None
        record = again.learner.to_record(snapshot)
        again.learner = Learner.from_record(record, again.learner.features, again.learner.settings, PLAN)
        steps = []
        for some in (people, again):
            leave(some, 5)
            steps.append(week(some, by=DRIFT))
        assert steps[0].entries == steps[1].entries
        assert people.learner.to_record(steps[0].snapshot) == again.learner.to_record(steps[1].snapshot)


def test_footings_are_kept_of_the_assignable_alone() -> None:
    people = crowd()
    for _ in range(6):
        leave(people, 8)
        week(people, by=DRIFT)
    model = people.learner.snapshot
    assert model is not None
    assert people.learner.state.footings.keys() == {s.number for s in model.segments if not s.retiring}
