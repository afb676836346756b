"""The model feed: the newest good snapshot, and nothing else, whatever stands on the topic."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from consumers.memory_source import MemoryTail
from consumers.model_feed import FARTHEST, ModelFeed
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Outgoing
from stream.errors import BrokerUnavailable, CommitFailed
from stream.model.snapshot import Snapshot
from stream.model.snapshot_record import SCHEMA, written
from stream.packing import pack
from tests.consumers.unsteady import Faults, UnsteadyTail
from tests.helpers import shop_model

TOPIC = "model"


class ModelTopic:
    """A model topic, and a feed that reads it in small pieces."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(lambda: 0)
        self.broker.create(TOPIC, 1)
        self.faults = Faults()
        self._sink = MemorySink(self.broker, "owner")

    def feed(self) -> ModelFeed:
        return ModelFeed(UnsteadyTail(self.broker, self.faults, limit=3), TOPIC, shop_model().features_id)

    def publish(self, *values: bytes | None) -> None:
        """Each in a transaction of its own, as owners do."""
        for value in values:
            self._sink.commit([Outgoing(TOPIC, 0, None, value)], None)


@cache
def record(version: int) -> bytes:
    return recorded(shop_model(version=version))


def recorded(snapshot: Snapshot) -> bytes:
    return pack(*written(snapshot))


def of_schema(schema: int) -> bytes:
    head, arrays = written(shop_model(version=9))
    return pack({**head, "schema": schema}, arrays)


@pytest.fixture
def topic() -> ModelTopic:
    return ModelTopic()


def test_before_there_is_a_model_there_is_none(topic: ModelTopic) -> None:
    feed = topic.feed()
    assert feed.refresh() is None
    assert (feed.version, feed.names, feed.assigner) == (0, {}, None)


def test_old_ones_that_are_written_again_are_not_the_newest(topic: ModelTopic) -> None:
    topic.publish(record(1), record(2), record(3), record(2))
    assert topic.feed().refresh() is not None
    feed = topic.feed()
    feed.refresh()
    assert (feed.version, feed.refused) == (3, 1)
    topic.publish(*[record(1)] * 10)
    late = topic.feed()
    late.refresh()
    assert late.version == 1, "so many at the end that the newest was not looked for"
    late.look_back(3)
    assert late.version == 3


def test_the_newest_is_taken_and_told_once(topic: ModelTopic) -> None:
    feed = topic.feed()
    topic.publish(record(1), record(2))
    found = feed.refresh()
    assert found is not None
    assert found.version == 2
    assert (feed.version, feed.names[1]) == (2, "name of 1")
    assert feed.refresh() is None
    topic.publish(record(3), record(4))
    assert feed.refresh() is not None
    assert (feed.version, feed.refused) == (4, 0)


REFUSED: dict[str, Callable[[], bytes | None]] = {
    "damaged": lambda: record(9)[:-1] + b"?",
    "cut short": lambda: record(9)[:100],
    "older": lambda: record(1),
    "the same": lambda: record(2),
    "of other features": lambda: recorded(replace(shop_model(version=9), features_id="other")),
    "of another schema": lambda: of_schema(SCHEMA + 1),
    "pickled": lambda: pickle.dumps(shop_model(version=9)),
    "a tombstone": lambda: None,
    "nothing that can be decided by": lambda: recorded(replace(shop_model(version=9), segments=())),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_snapshot_is_refused_and_counted_and_the_last_good_one_stays(topic: ModelTopic, kind: str) -> None:
    feed = topic.feed()
    topic.publish(record(2))
    feed.refresh()
    before = feed.assigner
    topic.publish(REFUSED[kind]())
    assert feed.refresh() is None
    assert feed.refused == 1
    assert feed.assigner is before
    topic.publish(record(10))
    feed.refresh()
    assert feed.version == 10


@pytest.mark.parametrize("kind", sorted(REFUSED.keys() - {"older", "the same"}))
def test_who_starts_takes_the_newest_good_one_behind_bad_ones(topic: ModelTopic, kind: str) -> None:
    topic.publish(record(1), record(2), *[REFUSED[kind]()] * 3)
    feed = topic.feed()
    found = feed.refresh()
    assert found is not None
    assert (found.version, feed.refused) == (2, 3)


def test_the_newest_good_one_may_be_far_back(topic: ModelTopic) -> None:
    topic.publish(record(1), record(2))
    topic.publish(*[b"damaged"] * 100)
    for _ in range(50):
        topic.broker.fail_next("aborted")
        with pytest.raises(CommitFailed):
            topic.publish(record(3))
    feed = topic.feed()
    feed.refresh()
    assert (feed.version, feed.refused) == (2, 100)
    topic.publish(record(3))
    feed.refresh()
    assert feed.version == 3


def test_it_is_not_looked_for_for_ever(topic: ModelTopic) -> None:
    topic.publish(record(1), *[b"damaged"] * FARTHEST)
    feed = topic.feed()
    assert feed.refresh() is None
    assert feed.refused < FARTHEST
    topic.publish(record(2))
    feed.refresh()
    assert feed.version == 2


def test_what_is_not_visible_yet_at_the_start_is_read_later(topic: ModelTopic) -> None:
    topic.publish(record(1), record(2))
    stalled = StallingTail(topic.broker, topic.faults)
    feed = ModelFeed(stalled, TOPIC, shop_model().features_id)
    topic.faults.hide(TOPIC, 2, 5.0)
    feed.refresh()
    assert feed.version == 1
    topic.faults.wall.wait(5.0)
    feed.refresh()
    assert feed.version == 2


class StallingTail(UnsteadyTail):
    """The end is known, and what is before it does not come yet: what the embedded broker does."""

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return MemoryTail.bounds(self, topic, partition)


def test_a_lost_broker_is_told(topic: ModelTopic) -> None:
    feed = topic.feed()
    topic.publish(record(1))
    topic.faults.order("tail.bounds", BrokerUnavailable("away"))
    topic.faults.order("tail.read", BrokerUnavailable("away"), after=1)
    with pytest.raises(BrokerUnavailable):
        feed.refresh()
    assert feed.refresh() is not None
    with pytest.raises(BrokerUnavailable):
        feed.refresh()
    assert feed.version == 1
