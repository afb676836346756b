"""Two segments become one because a person says so; it lasts, it is told, and it can be gone back from."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from stream.contracts.commands import Command, Deed
from stream.model.grouping import Grouping
from stream.model.learner import Learner
from stream.model.merging import Merger, merger
from stream.model.snapshot import Scale, Snapshot
from stream.model.sums import Sums
from tests.model.crowd import Crowd, blobs, described, settings

AT = "2024-01-01T00:00:00Z"
CENTRES = [[0.0, 0.0], [2500.0, 0.0], [12_000.0, 0.0], [0.0, 12_000.0]]


def said(deed: Deed, **what: object) -> Command:
    return Command(deed, AT, "ann", **what)  # type: ignore[arg-type]


def town(**changes: object) -> Crowd:
    """Four groups, of which the first two are neighbours."""
    y = blobs(np.random.default_rng(2), CENTRES, 60)
    fields: dict[str, object] = {"segments": 4, "cells": 40} | changes
    people = Crowd(y, Learner(described(2), settings(**fields)))
    people.step()
    people.step()
    return people


def standing(people: Crowd) -> list[int]:
    assert people.learner.snapshot is not None
    return [s.number for s in people.learner.snapshot.segments if not s.retiring]


def neighbours(people: Crowd) -> tuple[int, int]:
    """Numbers of the two that lie close together."""
    return int(people.held[0]), int(people.held[60])


def merge(people: Crowd, number: int, into: int) -> str:
    return people.learner.obey(said("merge", segment=number, into=into))


def again(people: Crowd, **changes: object) -> None:
    """Another owner takes over, under other settings."""
    learner = people.learner
    assert learner.snapshot is not None
    changed = learner.settings.model_copy(update=changes)
    people.learner = Learner.from_record(learner.to_record(learner.snapshot), learner.features, changed)


def test_the_one_has_the_customers_of_both_and_nobody_else_moves() -> None:
    people = town()
    one, other = neighbours(people)
    held = people.held.copy()
    before = people.learner.snapshot
    assert before is not None
    assert merge(people, one, other) == ""
    assert people.learner.due
    step = people.learner.macro_step(0)
    assert standing(people) == sorted({*held.tolist()} - {one})
    assert step.snapshot.epoch == before.epoch + 1, "everybody is owed a look"
    people.learner.learn(people.look(people.everybody))
    assert (people.held == np.where(held == one, other, held)).all()
    customers = {s.number: s.customers for s in step.snapshot.segments if not s.retiring}
    assert customers == Counter(people.held.tolist())


def test_the_ledger_says_what_became_of_whom_and_who_wanted_it() -> None:
    people = town()
    one, other = neighbours(people)
    merge(people, one, other)
    step = people.learner.macro_step(0)
    merged = [entry for entry in step.entries if entry.kind == "merged"]
    assert [(entry.number, entry.related) for entry in merged] == [(one, {other: 60})]
    assert {e.why for e in step.entries if e.kind in ("merged", "retiring")} == {f"s{one} merged into s{other} by ann"}
    assert [heard.command.deed for heard in step.heard] == ["merge"]
    assert people.step().heard == ()
    kinds = [(entry.kind, entry.number) for entry in people.step().entries]
    assert kinds == [("retired", one)] or one not in people.learner.state.held


@pytest.mark.parametrize("regroup", ["auto", "propose"])
def test_it_lasts_across_macro_steps_and_owners(regroup: str) -> None:
    people = town(regroup=regroup)
    one, other = neighbours(people)
    merge(people, one, other)
    people.learner.macro_step(0)
    for _ in range(4):
        people.step()
        again(people)
        assert len(standing(people)) == 3
        assert other in standing(people)
        assert people.held[0] == people.held[60] == other
        assert people.learner.state.number is not None
        assert people.learner.state.number.k == 3


def test_another_number_in_the_settings_is_the_newer_word() -> None:
    people = town()
    merge(people, *neighbours(people))
    people.learner.macro_step(0)
    again(people, segments=3)
    people.step()
    assert len(standing(people)) == 3
    again(people, segments=4, max_regroup=1.0)
    people.step()
    people.step()
    assert len(standing(people)) == 4


def test_the_number_that_stood_before_is_for_a_person_to_decide() -> None:
    people = town()
    merge(people, *neighbours(people))
    people.learner.macro_step(0)
    again(people, segments=3)
    people.step()
    again(people, segments=4)
    people.step()
    waiting = people.learner.state.docket.waiting
    assert waiting is not None
    assert len(waiting.centres) == 4
    assert people.learner.obey(said("accept", version=waiting.version)) == ""
    people.learner.macro_step(0)
    people.step()
    assert len(standing(people)) == 4


def test_with_auto_the_indices_may_only_propose_it_back() -> None:
    people = town(segments="auto", segments_least=3, segments_most=5, scan_looks=1)
    for _ in range(4):
        people.step()
    one, other = neighbours(people)
    assert one != other
    merge(people, one, other)
    people.learner.macro_step(0)
    k = len(standing(people))
    for _ in range(5):
        people.step()
        assert len(standing(people)) == k


def test_a_rollback_brings_both_back_under_their_numbers() -> None:
    people = town()
    earlier, held = people.learner.snapshot, people.held.copy()
    assert earlier is not None
    merge(people, *neighbours(people))
    people.learner.macro_step(0)
    people.step()
    assert people.learner.obey(said("rollback", version=earlier.version), earlier) == ""
    people.learner.macro_step(0)
    people.learner.learn(people.look(people.everybody))
    assert (people.held == held).all()
    for _ in range(3):
        people.step()
    assert standing(people) == [s.number for s in earlier.segments]


def test_two_merges_at_once_are_both_done() -> None:
    people = town()
    one, other = neighbours(people)
    third = int(people.held[120])
    assert merge(people, one, other) == ""
    assert merge(people, one, other) == f"there is no segment s{one} to merge"
    assert merge(people, third, other) == ""
    step = people.learner.macro_step(0)
    assert len(standing(people)) == 2
    assert {e.number for e in step.entries if e.kind == "merged"} == {one, third}
    assert [bool(heard.refusal) for heard in step.heard] == [False, True, False]
    assert merge(people, *standing(people)) == "only 2 segments are left"


def test_said_again_it_is_done_once() -> None:
    people = town()
    one, other = neighbours(people)
    merge(people, one, other)
    people.learner.macro_step(0)
    assert merge(people, one, other) == f"there is no segment s{one} to merge"
    people.step()
    assert len(standing(people)) == 3


def gone_and_back(people: Crowd, *between: Command) -> Snapshot:
    """The first segment, called early birds, is merged away, left by everybody, and gone back to."""
    number, other = neighbours(people)
    people.learner.obey(said("rename", segment=number, name="early birds"))
    earlier = people.learner.macro_step(0).snapshot
    merge(people, number, other)
    people.step()
    people.step()
    assert number not in {s.number for s in people.learner.snapshot.segments}  # type: ignore[union-attr]
    for command in between:
        assert people.learner.obey(command) == ""
    people.learner.macro_step(0)
    again(people)
    assert people.learner.obey(said("rollback", version=earlier.version), earlier) == ""
    return people.learner.macro_step(0).snapshot


def test_a_segment_that_is_gone_back_to_is_called_as_it_was() -> None:
    people = town()
    number, _ = neighbours(people)
    snapshot = gone_and_back(people)
    assert snapshot.names[number] == "early birds"
    assert people.learner.state.wordings[number].is_pinned
    assert people.learner.state.resting == {}


def test_unless_another_one_is_called_so_by_now() -> None:
    people = town()
    number, other = neighbours(people)
    snapshot = gone_and_back(people, said("rename", segment=other, name="early birds"))
    assert snapshot.names[other] == "early birds"
    assert len({s.name for s in snapshot.segments}) == len(snapshot.segments) == 4
    assert not people.learner.state.wordings[number].is_pinned


def test_a_rollback_and_a_merge_at_once() -> None:
    people = town()
    earlier = people.learner.snapshot
    assert earlier is not None
    one, other = neighbours(people)
    merge(people, one, other)
    people.learner.macro_step(0)
    assert people.learner.obey(said("rollback", version=earlier.version), earlier) == ""
    assert merge(people, other, one) == ""
    people.learner.macro_step(0)
    assert standing(people) == sorted({s.number for s in earlier.segments} - {other})


@pytest.mark.parametrize(("number", "into"), [(9, 1), (1, 9), (1, 1)])
def test_what_are_not_two_segments_is_refused(number: int, into: int) -> None:
    people = town()
    assert merge(people, number, into)
    assert not people.learner.is_told
    people.step()
    assert len(standing(people)) == 4


def test_with_another_one_in_between_there_is_no_one_segment() -> None:
    y = blobs(np.random.default_rng(2), [[-6000.0, 0.0], [-2000.0, 0.0], [6000.0, 0.0], [0.0, 12_000.0]], 60)
    people = Crowd(y, Learner(described(2), settings(segments=4)))
    people.step()
    people.step()
    left, right = int(people.held[0]), int(people.held[120])
    assert "too far apart" in merge(people, left, right)
    assert merge(people, left, int(people.held[60])) == ""


def test_a_frozen_model_can_be_merged_and_stays_so() -> None:
    people = town()
    again(people, frozen=True)
    merge(people, *neighbours(people))
    people.learner.macro_step(0)
    people.learner.obey(said("pin", segment=standing(people)[0]))
    people.learner.macro_step(0)
    assert len(standing(people)) == 3


def test_clusterers_of_river_find_their_segments_themselves() -> None:
    people = town(kind="kmeans")
    assert merge(people, *standing(people)[:2]) == "models of kind kmeans find their segments themselves"


def test_what_waits_is_better_than_segments_that_are_no_more() -> None:
    people = town()
    assert people.learner.obey(said("accept", version=3)) == "no proposal 3 waits"
    snapshot = people.learner.snapshot
    assert isinstance(snapshot, Snapshot)
    merge(people, *neighbours(people))
    assert people.learner.state.docket.waiting is None


places = st.lists(st.tuples(*[st.integers(-8000, 8000)] * 2), min_size=12, max_size=60, unique=True)


def merged(y: list[tuple[int, int]], k: int, pair: int, margin: float) -> tuple[Sums, Grouping, Merger]:
    """Each place a customer, the first ``k`` of them the centres, of which the first goes."""
    rows = np.array(y, np.int16)
    masses = Sums.of(rows, np.ones(len(rows), np.int64), np.arange(len(rows)), len(rows))
    scale = Scale(np.zeros(2), np.full(2, 3000.0), np.ones(2), 3.0)
    old = Grouping(scale, tuple(range(1, k + 1)), scale.z(rows[:k]), np.ones(k))
    return masses, old, merger(masses, old, 1, 2 + pair % (k - 1), margin)


@budget(max_examples=200, deadline=None)
@given(places, st.integers(3, 6), st.integers(0, 4), st.sampled_from([0.0, 0.25]))
def test_nobody_is_lost_and_who_moves_otherwise_moves_to_the_one(
    y: list[tuple[int, int]], k: int, pair: int, margin: float
) -> None:
    masses, old, found = merged(y, k, pair, margin)
    assert sum(sum(row.values()) for row in found.flows.values()) == masses.n.sum()
    if not margin:  # else some near a border hold the farther one
        held = Counter((old.labels(masses.mean) + 1).tolist())
        assert {number: sum(row.values()) for number, row in found.flows.items()} == held
    for number, row in found.flows.items():
        if number not in (found.number, found.into):
            assert {*row} <= {number, found.into}, "no centre moved but that of the one"
    moved = sum(n for number, row in found.flows.items() for to, n in row.items() if to != number)
    assert moved == found.joining + found.elsewhere + found.others
    assert set(found.grouping.numbers) == set(old.numbers) - {found.number}


@budget(max_examples=100, deadline=None)
@given(places, st.integers(3, 6), st.integers(0, 4))
def test_where_the_two_stand_alone_the_one_has_the_mass_of_both(y: list[tuple[int, int]], k: int, pair: int) -> None:
    _, _, found = merged(y, k, pair, 0.0)
    if found.elsewhere or found.others:
        return
    then = Counter[int]()
    for row in found.flows.values():
        then.update(row)
    assert then[found.into] == sum(sum(found.flows.get(n, {}).values()) for n in (found.number, found.into))
    assert found.refusal == ""
