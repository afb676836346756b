"""Gauging: lag, and how far back a restore would have to read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from consumers.gauging import LOOK_SECONDS, Gauging
from consumers.memory_source import MemoryTail
from consumers.source import Record
from consumers.twins import Wall
from producers.memory_broker import MemoryBroker
from producers.sink import Outgoing
from stream.errors import BrokerUnavailable
from stream.health import WorkerHealth
from stream.settings import TopicSettings
from stream.view.journal import Mark

TOPICS = TopicSettings(partitions=2)
DAY = 86_400.0
START = Mark("topic", 2, "features", 0)


class CountedTail(MemoryTail):
    """A tail that counts its reads, and is away when told."""

    reads = 0
    is_away = False

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        self.reads += 1
        return super().read(topic, partition, offset, 0.0)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        if self.is_away:
            raise BrokerUnavailable("away")
        return super().bounds(topic, partition)


class Pair:
    """Two partitions of input and journal, and a clock."""

    def __init__(self) -> None:
        self.wall = Wall()
        self.broker = MemoryBroker(lambda: round(self.wall.seconds * 1000))
        for topic in (TOPICS.events, TOPICS.journal):
            self.broker.create(topic, 2)
        self.tail, self.registry = CountedTail(self.broker), CollectorRegistry()
        self.gauging = Gauging(self.tail, TOPICS, WorkerHealth(self.registry), self.wall.now)

    def write(self, topic: str, partition: int, count: int = 1) -> int:
        return [self.broker.append(Outgoing(topic, partition, None, b"x")) for _ in range(count)][-1]

    def look(self, **marks: Mark) -> tuple[float, ...]:
        """(lag, largest lag, age of the floor); marks are named p0, p1."""
        self.wall.wait(LOOK_SECONDS)
        self.gauging.look({int(name[1:]): mark for name, mark in marks.items()})
        names = ("input_lag_records", "input_lag_largest_records", "journal_floor_age_seconds")
        found: list[Any] = [self.registry.get_sample_value(f"segstream_{name}") for name in names]
        return tuple(found)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_lag_is_what_was_not_processed_in_all_and_of_the_worst(pair: Pair) -> None:
    pair.write(TOPICS.events, 0, 10)
    pair.write(TOPICS.events, 1, 100)
    assert pair.look(p0=replace(START, next=4), p1=replace(START, next=30))[:2] == (76.0, 70.0)
    assert pair.look(p0=replace(START, next=10))[:2] == (0.0, 0.0)


def test_the_floor_is_as_old_as_its_record_and_the_oldest_counts(pair: Pair) -> None:
    pair.write(TOPICS.journal, 0, 3)
    pair.wall.wait(DAY)
    floor = pair.write(TOPICS.journal, 0)
    pair.write(TOPICS.journal, 1)
    pair.wall.wait(2 * DAY)
    newer = replace(START, floor=floor, journal=floor)
    assert pair.look(p0=newer)[2] == 2 * DAY + LOOK_SECONDS
    other = replace(START, floor=0, journal=0)
    assert pair.look(p0=newer, p1=other)[2] == 2 * DAY + 2 * LOOK_SECONDS
    assert pair.look(p0=replace(newer, floor=0), p1=other)[2] == 3 * DAY + 3 * LOOK_SECONDS


def test_an_empty_journal_has_no_age(pair: Pair) -> None:
    assert pair.look(p0=START) == (0.0, 0.0, 0.0)
    assert pair.tail.reads == 0, "and is not waited for"


def test_a_floor_that_retention_overtook_is_at_least_as_old_as_what_is_left(pair: Pair) -> None:
    pair.write(TOPICS.journal, 0, 5)
    pair.wall.wait(DAY)
    pair.write(TOPICS.journal, 0, 5)
    pair.broker.delete_before(TOPICS.journal, 0, 6)
    pair.wall.wait(DAY)
    assert pair.look(p0=replace(START, floor=2, journal=9))[2] == DAY + LOOK_SECONDS


def test_the_journal_is_read_only_when_the_floor_has_moved(pair: Pair) -> None:
    pair.write(TOPICS.journal, 0, 5)
    for journal in (2, 3, 4):
        pair.look(p0=replace(START, floor=1, journal=journal))
    assert pair.tail.reads == 1
    pair.look(p0=replace(START, floor=4, journal=4))
    assert pair.tail.reads == 2


def test_it_looks_now_and_then(pair: Pair) -> None:
    pair.write(TOPICS.events, 0, 10)
    pair.gauging.look({0: START})
    assert pair.registry.get_sample_value("segstream_input_lag_records") == 0.0
    assert pair.look(p0=START)[0] == 10.0


def test_a_broker_that_is_away_leaves_the_gauges_as_they_were(pair: Pair) -> None:
    pair.write(TOPICS.events, 0, 10)
    before = pair.look(p0=START)
    pair.tail.is_away = True
    assert pair.look(p0=START) == before


def test_lag_in_seconds_is_the_age_of_what_waits_in_the_partition_that_is_most_behind(pair: Pair) -> None:
    def seconds(**marks: Mark) -> float | None:
        pair.look(**marks)
        return pair.registry.get_sample_value("segstream_input_lag_seconds")

    for partition in (0, 1):
        pair.write(TOPICS.events, partition, 10)
    behind, done = replace(START, next=4), replace(START, next=10)
    assert seconds(p0=behind) == 0.0, "nobody knows since when"
    assert seconds(p0=behind) == LOOK_SECONDS
    pair.gauging.processed({0: round((pair.wall.now() - 40.0) * 1000), 1: round((pair.wall.now() - 50.0) * 1000)})
    assert seconds(p0=behind, p1=behind) == 50.0 + LOOK_SECONDS
    assert seconds(p0=behind, p1=done) == 40.0 + 2 * LOOK_SECONDS
    pair.wall.wait(DAY)
    assert seconds(p1=done) == 0.0
    pair.write(TOPICS.events, 1, 3)
    assert seconds(p1=done) == LOOK_SECONDS, "what came after a quiet day is not a day old"
    assert seconds(p0=behind, p1=done) == 2 * LOOK_SECONDS, "somebody else served the first one meanwhile"
