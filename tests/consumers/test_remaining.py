"""What remains is told apart from what only looks so, and is looked into only where nothing moves."""

from __future__ import annotations

import pytest

from consumers.remaining import Remaining
from producers.memory_broker import MemoryBroker, MemorySink
from producers.sink import Outgoing
from tests.consumers.test_gauging import CountedTail

TOPIC = "events"


class Input:
    """One partition, written to in transactions or not."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(lambda: 0)
        self.broker.create(TOPIC, 1)
        self.tail = CountedTail(self.broker)
        self.remaining = Remaining(self.tail, TOPIC)
        self._sink = MemorySink(self.broker, "outbox")

    def commit(self) -> None:
        """A record, and the marker behind it."""
        self._sink.commit([Outgoing(TOPIC, 0, None, b"x")], None)

    def append(self) -> None:
        """A record without."""
        self.broker.append(Outgoing(TOPIC, 0, None, b"x"))

    def looked(self, next_offset: int, times: int = 2) -> tuple[int, int]:
        """Records that wait, after some looks, and where one may go on."""
        waiting = [self.remaining.records(0, next_offset) for _ in range(times)][-1]
        return waiting, self.remaining.passed(0, next_offset)


@pytest.fixture
def topic() -> Input:
    return Input()


def test_a_marker_is_no_record(topic: Input) -> None:
    topic.commit()
    assert topic.looked(1) == (0, 2)


def test_records_wait_whatever_stands_between_them(topic: Input) -> None:
    topic.commit()
    topic.append()
    assert topic.looked(0) == (3, 0)
    assert topic.looked(1) == (2, 1)
    assert topic.looked(2) == (1, 2)
    assert topic.looked(3) == (0, 3)


def test_it_is_looked_into_once_and_only_if_nothing_has_moved(topic: Input) -> None:
    topic.commit()
    assert topic.looked(1, times=1) == (1, 1)
    assert topic.tail.reads == 0
    assert topic.looked(1, times=5) == (0, 2)
    assert topic.tail.reads == 1
    topic.commit()
    assert topic.looked(1, times=1) == (3, 1)
    assert topic.looked(1, times=5) == (3, 1)
    assert topic.tail.reads == 2


def test_what_was_found_of_one_place_is_not_believed_of_another(topic: Input) -> None:
    topic.commit()
    topic.looked(1)
    assert topic.remaining.passed(0, 0) == 0
    assert topic.remaining.passed(1, 1) == 1


def test_what_retention_took_is_not_called_nothing(topic: Input) -> None:
    topic.append()
    topic.commit()
    topic.broker.delete_before(TOPIC, 0, 2)
    assert topic.looked(0) == (3, 0)
