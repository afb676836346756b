"""Large regroupings wait for a person when they are to, and what people decide is done, once, across restarts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from stream.contracts.commands import Command, Deed
from stream.drift.monitor import SETTLED_HALF_LIVES, Plan
from stream.model.grouping import Grouping
from stream.model.kmeans import nearest
from stream.model.learner import Learner
from stream.model.macro_step import MacroStep
from stream.model.proposals import Docket, foretold, likely_held, moved_share
from stream.model.snapshot import Scale, Vectors
from stream.model.sums import Sums
from tests.model.crowd import Crowd, blobs, described, settings

AT = "2024-01-01T00:00:00Z"
ZERO = np.zeros(2)
HOUR_MS = 3_600_000


def said(deed: Deed, **what: object) -> Command:
    return Command(deed, AT, "ann", **what)  # type: ignore[arg-type]


def stuck(plan: Plan | None = None, **changes: object) -> Crowd:
    """Two segments, left and right, which is right until half of the customers go far up."""
    rng = np.random.default_rng(3)
    y = blobs(rng, [[0.0, 0.0], [3000.0, 0.0]] * 2, 60, sd=250) + rng.normal(0, [600, 0], (240, 2))
    people = Crowd(y.astype(np.int16), Learner(described(2), settings(segments=2, **changes), plan=plan))
    people.step()
    people.step()
    return people


def drift(people: Crowd) -> MacroStep:
    """The top goes away."""
    people.step(to=upwards(people))
    return people.step()


def groups(people: Crowd) -> list[int]:
    snapshot = people.learner.snapshot
    assert snapshot is not None
    standing = [s for s in snapshot.segments if not s.retiring]
    z = snapshot.scale.z(people.y)
    numbers = np.array([s.number for s in standing])
    return numbers[nearest(z, snapshot.centroids_of(standing))].tolist()


def split_of(people: Crowd) -> tuple[bool, bool]:
    """Whether the segments tell left from right, and top from bottom."""
    mine = np.array(groups(people)).reshape(4, 60)
    major = [Counter(row.tolist()).most_common(1)[0][0] for row in mine]
    return major[0] != major[1], major[0] != major[2]


def test_by_itself_a_better_grouping_is_adopted() -> None:
    people = stuck()
    assert split_of(people) == (True, False)
    drift(people)
    assert split_of(people) == (False, True)
    assert people.learner.state.docket.waiting is None


def upwards(people: Crowd) -> Vectors:
    """The top half, far up."""
    far = people.y.copy()
    far[120:, 1] = np.clip(far[120:, 1].astype(np.int64) + 11_000, -16_000, 16_000)
    return far


def test_a_better_grouping_is_seen_twice_also_across_a_restart() -> None:
    people = stuck()
    assert not people.step(to=upwards(people)).regrouping.challenger_won
    assert split_of(people) == (True, False)
    learner = people.learner
    assert learner.snapshot is not None
    people.learner = Learner.from_record(learner.to_record(learner.snapshot), learner.features, learner.settings)
    assert people.step().regrouping.challenger_won
    assert split_of(people) == (False, True)
    assert people.learner.state.docket.challenge is None


def test_what_looks_better_for_a_step_only_is_let_go() -> None:
    people = stuck()
    home = people.y.copy()
    people.step(to=upwards(people))
    for _ in range(4):
        assert not people.step(to=home).regrouping.challenger_won
    assert split_of(people) == (True, False)
    assert people.learner.state.docket.challenge is None


def test_in_event_time_it_must_be_better_for_a_third_of_a_half_life() -> None:
    people = stuck(plan=Plan(settle_days=9.0 * SETTLED_HALF_LIVES))
    begun_ms = people.now_ms
    people.step(to=upwards(people))
    for hours in range(1, 73):
        people.now_ms = begun_ms + hours * HOUR_MS
        assert people.step().regrouping.challenger_won == (hours == 72)


def test_a_challenge_outlives_a_step_that_misses_it_but_not_half_of_the_patience() -> None:
    docket = Docket().challenged(100).unchallenged(104, 10).challenged(106)
    assert docket.is_challenged_since(100)
    assert not docket.is_challenged_since(99)
    assert docket.unchallenged(110, 10).challenged(112).is_challenged_since(100)
    assert docket.unchallenged(111, 10).challenge is None


def test_when_it_is_to_ask_it_waits_with_its_matrix() -> None:
    people = stuck(regroup="propose")
    drift(people)
    assert split_of(people) == (True, False)
    waiting = people.learner.state.docket.waiting
    assert waiting is not None
    assert waiting.moved_share > 0.3
    assert sum(sum(row.values()) for row in waiting.flows.values()) == 240
    assert waiting.gain > people.learner.settings.challenger_gain
    first = waiting.version
    people.step()
    again = people.learner.state.docket.waiting
    assert again is not None
    assert again.version == first, "it keeps its number while it waits"


def test_small_ones_do_not_wait() -> None:
    people = stuck(regroup="propose", max_regroup=1.0)
    drift(people)
    assert split_of(people) == (False, True)


def test_accepted_it_is_adopted_as_foretold_and_the_ledger_says_who_wanted_it() -> None:
    people = stuck(regroup="propose")
    drift(people)
    waiting = people.learner.state.docket.waiting
    assert waiting is not None
    before = groups(people)
    assert people.learner.obey(said("accept", version=waiting.version)) == ""
    assert people.learner.due
    step = people.learner.macro_step(1)
    flows = Counter(zip(before, groups(people), strict=True))
    foretold = {(old, new): n for old, row in waiting.flows.items() for new, n in row.items()}
    off = sum(abs(flows[pair] - foretold.get(pair, 0)) for pair in {*flows, *foretold}) / 2
    assert off <= 0.05 * len(before)
    assert split_of(people) == (False, True)
    assert people.learner.state.docket.waiting is None
    born = [entry for entry in step.entries if entry.kind == "born"]
    assert {entry.why for entry in born} <= {f"proposal {waiting.version} accepted by ann"}
    assert born or step.regrouping.challenger_won


def test_of_a_cell_that_a_border_crosses_only_a_part_moves() -> None:
    rng = np.random.default_rng(5)
    y = rng.normal([0.0, 0.0], 1000.0, (400, 2)).astype(np.int16)
    cell, scale = Sums.of(y, np.ones(400, np.int64), np.zeros(400, np.int64), 1), Scale(ZERO, ZERO + 1000, ZERO + 1, 9)
    old = Grouping(scale, (1, 2), np.array([[0.5, 0.0], [9.0, 0.0]]), ZERO + 1)
    new = Grouping(scale, (3, 4), np.array([[-1.0, 0.0], [1.0, 0.0]]), ZERO + 1)
    flows = foretold(cell, scale, old, new, 0.0)
    assert sum(flows[1].values()) == 400
    assert flows[1][3] == pytest.approx(int((y[:, 0] < 0).sum()), abs=40)


def test_near_a_border_some_hold_the_farther_segment_and_beyond_the_margin_nobody_does() -> None:
    scale = Scale(ZERO, ZERO + 1, ZERO + 1, 99)
    old = Grouping(scale, (1, 2), np.array([[0.0, 0.0], [10.0, 0.0]]), ZERO + 1)
    middle, near = np.tile([4.99, 0.0], (1000, 1)), np.tile([2.0, 0.0], (1000, 1))
    assert np.mean(likely_held(old, middle, 0.25) == 2) == pytest.approx(0.5, abs=0.05)
    assert (likely_held(old, near, 0.25) == 1).all()
    assert (likely_held(old, middle, 0.0) == 1).all()


def test_rejected_it_does_not_come_back() -> None:
    people = stuck(regroup="propose")
    drift(people)
    waiting = people.learner.state.docket.waiting
    assert waiting is not None
    assert people.learner.obey(said("reject", version=waiting.version)) == ""
    for _ in range(4):
        people.step()
        assert people.learner.state.docket.waiting is None
    assert split_of(people) == (True, False)


@pytest.mark.parametrize("deed", ["accept", "reject"])
def test_only_what_waits_can_be_decided(deed: Deed) -> None:
    people = stuck(regroup="propose")
    assert people.learner.obey(said(deed, version=7)) == "no proposal 7 waits"
    assert not people.learner.is_told


def test_a_rollback_brings_the_old_segments_back_under_their_ids_and_asks_from_then_on() -> None:
    people = stuck()
    earlier, old = people.learner.snapshot, groups(people)
    assert earlier is not None
    drift(people)
    assert split_of(people) == (False, True)
    assert people.learner.obey(said("rollback", version=earlier.version), earlier) == ""
    step = people.learner.macro_step(1)
    assert [s.number for s in step.snapshot.segments if not s.retiring] == [s.number for s in earlier.segments]
    stayed = np.array(groups(people))[:120] == np.array(old)[:120]
    assert stayed.mean() > 0.95, "but for those between the two, whose distances have another scale now"
    people.step()
    people.step()
    assert split_of(people) == (True, False), "the challenger is proposed, and not adopted"
    assert people.learner.state.docket.waiting is not None


def test_a_model_that_is_gone_cannot_be_gone_back_to() -> None:
    people = stuck()
    assert people.learner.obey(said("rollback", version=1)) == "model 1 is not kept any more"


def test_what_waits_and_what_was_decided_survive_a_restart() -> None:
    people = stuck(regroup="propose")
    drift(people)
    learner = people.learner
    snapshot = learner.snapshot
    assert snapshot is not None
    again = Learner.from_record(learner.to_record(snapshot), learner.features, learner.settings)
    assert again.state.docket.waiting is not None
    assert learner.state.docket.waiting is not None
    assert again.state.docket.waiting.flows == learner.state.docket.waiting.flows
    people.learner = again
    assert again.obey(said("reject", version=again.state.docket.waiting.version)) == ""
    step = again.macro_step(1)
    third = Learner.from_record(again.to_record(step.snapshot), learner.features, learner.settings)
    assert third.state.docket.rejected is not None
    people.learner = third
    people.step()
    assert third.state.docket.waiting is None


def test_a_renamed_segment_keeps_its_name_whatever_its_customers_do() -> None:
    people = stuck()
    assert people.learner.obey(said("rename", segment=1, name="early birds")) == ""
    step = people.learner.macro_step(1)
    assert step.snapshot.names[1] == "early birds"
    renamed = [entry for entry in step.entries if entry.kind == "renamed"]
    assert [(entry.number, entry.why) for entry in renamed] == [(1, "renamed by ann")]
    record = people.learner.to_record(step.snapshot)
    people.learner = Learner.from_record(record, people.learner.features, people.learner.settings)
    for shift in (2000, 4000):
        people.now_ms += 30 * 86_400_000
        people.step(to=(people.y + np.array([shift // 10, 0])).astype(np.int16))
    assert people.learner.snapshot is not None
    assert people.learner.snapshot.names[1] == "early birds"


def test_names_are_not_given_twice_nor_to_nobody() -> None:
    people = stuck()
    assert people.learner.snapshot is not None
    taken = people.learner.snapshot.names[2]
    assert people.learner.obey(said("rename", segment=1, name=taken)) == f"another segment is called '{taken}'"
    assert people.learner.obey(said("pin", segment=9)) == "there is no segment s9"
    assert people.learner.obey(said("pin", segment=1)) == ""
    assert people.learner.state.wordings[1].is_pinned
    assert people.learner.obey(said("unpin", segment=1)) == ""
    assert not people.learner.state.wordings[1].is_pinned


def test_a_frozen_model_can_be_renamed_and_stays_where_it_is() -> None:
    people = stuck()
    before = people.learner.snapshot
    assert before is not None
    frozen = people.learner.settings.model_copy(update={"frozen": True})
    people.learner = Learner.from_record(people.learner.to_record(before), people.learner.features, frozen)
    assert people.learner.obey(said("rename", segment=2, name="night owls")) == ""
    assert people.learner.due
    after = people.learner.macro_step(1).snapshot
    assert after.names[2] == "night owls"
    there, here = (s.scale.steps(s.centroids_of(s.segments)) for s in (before, after))
    assert np.allclose(there, here)


def test_nobody_moves_in_a_matrix_without_moves() -> None:
    assert moved_share({}) == 0.0
    assert moved_share({1: {1: 5}, 2: {2: 5}}) == 0.0
