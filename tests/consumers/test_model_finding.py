"""A model is found by its version, near or far, and a search for one that is not there ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from consumers.memory_source import MemoryTail
from consumers.model_finding import _WINDOW, _WINDOWS, find_model
from consumers.source import Record
from tests.consumers.test_model_feed import TOPIC, ModelTopic, record
from tests.helpers import shop_model


class CountingTail(MemoryTail):
    """Counts what it reads."""

    read_records = 0

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        records, after = super().read(topic, partition, offset, timeout_seconds)
        self.read_records += len(records)
        return records, after


def published(versions: Sequence[int], *, aborted: int = 0) -> CountingTail:
    """One transaction each, and before each so many that came to nothing."""
    topic = ModelTopic()
    for version in versions:
        topic.publish(*[b"damaged"] * aborted, record(version))
    return CountingTail(topic.broker, limit=50)


def found(tail: CountingTail, version: int | None) -> int | None:
    snapshot = find_model(tail, TOPIC, shop_model().features_id, version)
    return None if snapshot is None else snapshot.version


@pytest.mark.parametrize("aborted", [0, 1])
@pytest.mark.parametrize("version", [1, 2, 40, 299, 300])
def test_each_is_found_without_reading_all(version: int, aborted: int) -> None:
    tail = published(range(1, 301), aborted=aborted)
    assert found(tail, version) == version
    assert tail.read_records < 300


@pytest.mark.parametrize("version", [None, 0, 150, 301])
def test_one_that_is_not_there_is_not_found(version: int | None) -> None:
    assert found(published([*range(1, 150), *range(151, 301)]), version) is None


def test_what_is_deleted_is_not_found_and_the_first_that_is_kept_is() -> None:
    topic = ModelTopic()
    topic.publish(*map(record, range(1, 101)))
    topic.broker.delete_before(TOPIC, 0, 100)
    tail = CountingTail(topic.broker, limit=50)
    kept = [version for version in range(1, 101) if found(tail, version)]
    assert kept == list(range(kept[0], 101))
    assert 45 < kept[0] < 55


def test_damage_is_not_looked_through_for_ever() -> None:
    topic = ModelTopic()
    topic.publish(record(1), *[b"damaged"] * (_WINDOW * _WINDOWS))
    tail = CountingTail(topic.broker, limit=50)
    assert found(tail, 1) is None
    assert tail.read_records <= _WINDOW * _WINDOWS


def test_an_empty_topic_has_none() -> None:
    assert found(published([]), 1) is None
