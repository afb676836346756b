from __future__ import annotations

import tomllib

import pytest

from consumers.migrating import target_of
from consumers.migrating.target import PARTITIONED
from consumers.topics import shapes
from stream.errors import SettingsError
from stream.settings import TopicSettings, load

TOPICS = TopicSettings(partitions=3)


def test_only_partitioned_topics_get_new_names() -> None:
    new = target_of(TOPICS, 8, ".wide").new
    changed = {word for word, value in new if value != getattr(TOPICS, word)}
    assert changed == {*PARTITIONED, "partitions"}
    assert {getattr(new, word) for word in PARTITIONED} == {
        "customer.events.wide",
        "segment.changes.wide",
        "customer.events.rejected.wide",
        "segstream.journal.wide",
    }


def test_what_is_partitioned_is_what_the_shapes_say() -> None:
    wide = {
        name for name, shape in shapes(TOPICS.model_copy(update={"partitions": 7})).items() if shape.partitions == 7
    }
    assert wide == {getattr(TOPICS, word) for word in PARTITIONED}
    assert target_of(TOPICS, 7).wanted == {
        name: shape for name, shape in shapes(target_of(TOPICS, 7).new).items() if shape.partitions == 7
    }


def test_the_next_generation_takes_the_place_of_the_last() -> None:
    second = target_of(TOPICS, 8).new
    third = target_of(second, 3).new
    assert (second.changes, third.changes) == ("segment.changes.v2", "segment.changes.v3")
    assert target_of(TopicSettings(events="events.v10"), 8).new.events == "events.v11"


def test_the_lines_are_settings() -> None:
    target = target_of(TOPICS, 8)
    assert load(flags=tomllib.loads("\n".join(target.lines))).topics == target.new


@pytest.mark.parametrize(
    ("partitions", "suffix", "said"),
    [
        (3, None, "--partitions: 'customer.events' has 3 already"),
        (0, None, "--partitions: 0 is not between 1 and 1024"),
        (1025, None, "--partitions: 1025 is not between"),
        (8, "", "--suffix: '' cannot end"),
        (8, " v2", "--suffix: ' v2' cannot end"),
        (8, ".rejected", "--suffix: 'customer.events.rejected' is in use"),
    ],
)
def test_what_leads_nowhere_is_refused(partitions: int, suffix: str | None, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        target_of(TOPICS, partitions, suffix)


def test_a_suffix_that_is_in_use_is_refused() -> None:
    second = target_of(TOPICS, 8).new
    with pytest.raises(SettingsError, match=r"'customer\.events\.rejected\.v2' is in use"):
        target_of(second, 3, ".v2")
