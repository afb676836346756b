"""How many segments: advice always, a change only when most indices want it twice, within bounds."""

from __future__ import annotations

import numpy as np
import pytest

from stream.model.choice import Scan, Score
from stream.model.learner import Learner
from stream.model.number import Number
from stream.packing import pack, unpack
from tests.model.crowd import Crowd, blobs, described, settings


def scan_of(k: int, upto: int = 12) -> Scan:
    """A scan in which every index wants ``k``."""
    return Scan(
        tuple(
            Score(
                n,
                inertia=1000.0 / n if n <= k else 1000.0 / k - n,
                silhouette=0.9 if n == k else 0.1,
                davies_bouldin=0.1 if n == k else 0.9,
                calinski_harabasz=900.0 if n == k else 100.0,
            )
            for n in range(2, upto + 1)
        )
    )


def test_one_scan_changes_nothing_and_two_do() -> None:
    number = Number(5).after(scan_of(6), 4, 8)
    assert (number.k, number.wanted, number.times) == (5, 6, 1)
    changed = number.after(scan_of(6), 4, 8)
    assert changed.k == 6
    assert changed.why.startswith("6 segments instead of 5: ")
    assert "silhouette" in changed.why


def test_scans_that_disagree_begin_anew() -> None:
    number = Number(5).after(scan_of(6), 4, 8).after(scan_of(7), 4, 8)
    assert (number.k, number.wanted, number.times) == (5, 7, 1)
    assert number.after(scan_of(5), 4, 8).times == 0


@pytest.mark.parametrize("wanted", [2, 3, 9, 12])
def test_never_beyond_the_bounds(wanted: int) -> None:
    number = Number(5)
    for _ in range(3):
        number = number.after(scan_of(wanted), 4, 8)
    assert all(4 <= k <= 8 or k == 0 for k in number.advice.values())
    assert 4 <= number.k <= 8


def crowd(k: int, **changes: object) -> Crowd:
    centres = [[6000.0 * np.cos(t), 6000.0 * np.sin(t)] for t in np.linspace(0, 2 * np.pi, k, endpoint=False)]
    y = blobs(np.random.default_rng(1), centres, 80)
    return Crowd(y, Learner(described(2), settings(segments=changes.pop("segments", "auto"), scan_looks=1, **changes)))


def test_auto_finds_the_number_and_says_why() -> None:
    people = crowd(7, cells=60)
    people.step()
    assert people.learner.snapshot is not None
    assert len(people.learner.snapshot.segments) == 5
    entries = [entry for _ in range(6) for entry in people.step().entries]
    assert sum(not s.retiring for s in people.learner.snapshot.segments) == 7
    assert any(entry.why.startswith("7 segments instead of 5") for entry in entries if entry.kind == "born")


def test_a_fixed_number_stays_and_the_advice_is_there() -> None:
    people = crowd(7, cells=60, segments=5)
    for _ in range(5):
        people.step()
    assert people.learner.snapshot is not None
    assert sum(not s.retiring for s in people.learner.snapshot.segments) == 5
    assert people.learner.state.number is not None
    assert 7 in people.learner.state.number.advice.values()


def test_another_number_in_the_settings_is_a_regrouping_like_any_other() -> None:
    people = crowd(6, cells=60, segments=6)
    people.step()
    people.step()
    snapshot = people.learner.snapshot
    assert snapshot is not None
    fewer = people.learner.settings.model_copy(update={"segments": 4, "regroup": "propose"})
    people.learner = Learner.from_record(people.learner.to_record(snapshot), people.learner.features, fewer)
    people.step()
    assert people.learner.state.docket.waiting is not None, "it moves many, so it waits"
    assert len(people.learner.state.docket.waiting.centres) == 4
    people.learner.settings = fewer.model_copy(update={"regroup": "auto"})
    people.step()
    assert people.learner.snapshot is not None
    assert sum(not s.retiring for s in people.learner.snapshot.segments) == 4


def test_a_persons_number_lasts_until_the_setting_changes() -> None:
    number = Number(5).decided(4, 5)
    assert number.under(5).k == 4
    assert number.under(6).k == 6
    assert number.under(6).under(5).k == 5, "what was said under another setting is over"
    assert Number(5).decided(4, 5).decided(5, 5) == Number(5)


def test_with_auto_a_persons_number_is_the_one_to_go_on_from() -> None:
    number = Number(6, wanted=7, times=1, why="7 instead").decided(5, "auto").under("auto")
    assert (number.k, number.wanted, number.times, number.why) == (5, 0, 0, "")
    assert number.after(scan_of(6), 4, 8).after(scan_of(6), 4, 8).k == 6


def test_a_record_from_before_people_could_say_a_number_is_read() -> None:
    people = crowd(6, segments=6)
    snapshot = people.step().snapshot
    head, arrays = unpack(people.learner.to_record(snapshot))
    del head["owner"]["number"]["instead_of"]
    older = Learner.from_record(pack({**head, "schema": 2}, arrays), people.learner.features, people.learner.settings)
    assert older.state.number == people.learner.state.number
