"""A frozen model stays where it is, whatever its customers do and whatever is said of names."""

from __future__ import annotations

import numpy as np
import pytest

from stream.contracts.commands import Command
from stream.model.grouping import Grouping
from stream.model.learner import Learner
from stream.model.snapshot import Snapshot
from tests.model.crowd import Crowd, blobs, described, settings

AT = "2024-01-01T00:00:00Z"
PLACES = [[-9000.0, 0.0], [0.0, 9000.0], [9000.0, 0.0]]


def frozen(**changes: object) -> Crowd:
    """Three groups and the model of them, which is the last."""
    people = Crowd(blobs(np.random.default_rng(3), PLACES, 60, sd=300), Learner(described(2), settings(**changes)))
    made = people.step().snapshot
    still = people.learner.settings.model_copy(update={"frozen": True})
    people.learner = Learner.from_record(people.learner.to_record(made), people.learner.features, still)
    people.step()
    return people


def newest(people: Crowd) -> Snapshot:
    assert people.learner.snapshot is not None
    return people.learner.snapshot


def numbers(people: Crowd) -> list[int]:
    """The segment nearest to each customer, by number."""
    grouping = Grouping.of(newest(people))
    return np.array(grouping.numbers)[grouping.labels(people.y)].tolist()


def squeezed(people: Crowd) -> None:
    """Everybody draws near to the first group: the population's mean and spread are others, two groups are empty."""
    people.step(to=(people.y // 20 + np.array([-8500, 0])).astype(np.int16))


def test_where_it_stands_does_not_follow_the_population() -> None:
    people = frozen()
    before = newest(people)
    squeezed(people)
    after = newest(people)
    assert after.version == before.version + 1
    assert after.epoch == before.epoch
    assert after.scale is before.scale
    assert [(s.number, s.centroid, s.radius, s.name, s.rule) for s in after.segments] == [
        (s.number, s.centroid, s.radius, s.name, s.rule) for s in before.segments
    ]


def test_a_segment_that_nobody_stands_nearest_to_stays_and_says_so() -> None:
    people = frozen()
    profiles = {s.number: s.profile for s in newest(people).segments}
    squeezed(people)
    customers = {s.number: s.customers for s in newest(people).segments}
    (home,) = set(numbers(people))
    assert customers == {number: 180 * (number == home) for number in profiles}
    for segment in newest(people).segments:
        assert (segment.profile == profiles[segment.number]) == (segment.number != home)
    people.y = blobs(np.random.default_rng(4), PLACES, 60, sd=300)
    assert len(set(numbers(people))) == 3, "who comes back finds it where it was"


@pytest.mark.parametrize("kind", ["cells", "kmeans"])
def test_a_rename_moves_nobody(kind: str) -> None:
    people = frozen(kind=kind)
    before = numbers(people)
    people.y = (people.y // 3).astype(np.int16)
    there = numbers(people)
    assert people.learner.obey(Command("rename", AT, "ann", segment=before[0], name="early birds")) == ""
    step = people.step(to=people.y)
    assert numbers(people) == there
    assert [(e.kind, e.number, e.name, e.why) for e in step.entries] == [
        ("renamed", before[0], "early birds", "renamed by ann")
    ]
    assert newest(people).names[before[0]] == "early birds"
    assert {s.name for s in newest(people).segments if s.number == before[0]} == {"early birds"}


def test_thawed_it_goes_on_from_where_the_population_is() -> None:
    people = frozen()
    squeezed(people)
    thawed = people.learner.settings.model_copy(update={"frozen": False})
    people.learner = Learner.from_record(people.learner.to_record(newest(people)), people.learner.features, thawed)
    assert people.step().snapshot.scale.mean[0] < -8000
