from __future__ import annotations

from collections.abc import Iterator

import pytest

from producers.memory_broker import MemoryBroker
from producers.orders import Encoded
from producers.replay import PROGRESS_EVERY, Pace, Sent, replay
from producers.writer import MemoryWriter
from stream.errors import SettingsError

TOPIC = "customer.events"


class Wall:
    """A clock that moves only while somebody sleeps, or works."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, speed: float | None) -> Pace:
        return Pace(speed, lambda: self.now, self.sleep)


def events(*at_seconds: float) -> list[Encoded]:
    return [Encoded(f"c{i % 2}".encode(), b"%d" % i, 1_000_000 + round(at * 1000)) for i, at in enumerate(at_seconds)]


@pytest.fixture
def broker() -> MemoryBroker:
    broker = MemoryBroker()
    broker.create(TOPIC, 1)
    return broker


def written(broker: MemoryBroker) -> list[bytes]:
    records, _ = broker.read(TOPIC, 0, 0, 10_000)
    return [entry.value or b"" for _, entry in records]


def test_everything_is_sent_in_order(broker: MemoryBroker) -> None:
    wall = Wall()
    sent = replay(events(0, 5, 9), MemoryWriter(broker), TOPIC, wall.pace(None))
    assert sent == Sent(events=3, customers=2, first_ms=1_000_000, last_ms=1_009_000, seconds=0.0)
    assert written(broker) == [b"0", b"1", b"2"]
    assert wall.slept == []


def test_a_pace_is_kept_in_event_time(broker: MemoryBroker) -> None:
    wall = Wall()
    sent = replay(events(0, 60, 60, 180), MemoryWriter(broker), TOPIC, wall.pace(60.0))
    assert wall.slept == pytest.approx([1.0, 2.0])
    assert sent.seconds == pytest.approx(3.0)


def test_time_that_work_took_is_not_slept_again(broker: MemoryBroker) -> None:
    wall = Wall()

    def slow() -> Iterator[Encoded]:
        for event in events(0, 10, 20, 30):
            wall.now += 4.0
            yield event

    replay(slow(), MemoryWriter(broker), TOPIC, wall.pace(1.0))
    assert wall.now == pytest.approx(130.0)


def test_a_late_event_does_not_wait(broker: MemoryBroker) -> None:
    wall = Wall()
    replay(events(0, 10, 3, 11), MemoryWriter(broker), TOPIC, wall.pace(1.0))
    assert wall.slept == pytest.approx([10.0, 1.0])


def test_microseconds_are_not_slept(broker: MemoryBroker) -> None:
    wall = Wall()
    replay(events(*(i / 1000 for i in range(20))), MemoryWriter(broker), TOPIC, wall.pace(1.0))
    assert all(seconds >= 0.01 for seconds in wall.slept)
    assert sum(wall.slept) <= 0.02


def test_the_limit_counts_events(broker: MemoryBroker) -> None:
    sent = replay(events(0, 1, 2), MemoryWriter(broker), TOPIC, limit=2)
    assert (sent.events, sent.last_ms) == (2, 1_001_000)
    assert written(broker) == [b"0", b"1"]


def test_nothing_to_send(broker: MemoryBroker) -> None:
    sent = replay([], MemoryWriter(broker), TOPIC)
    assert (sent.events, sent.customers, sent.first_ms, sent.last_ms) == (0, 0, None, None)


def test_progress_comes_every_so_often_before_a_wait_and_at_the_end(broker: MemoryBroker) -> None:
    told: list[tuple[int, int]] = []

    def tell(count: int, at_ms: int) -> None:
        told.append((count, at_ms))

    many = events(*[0] * (PROGRESS_EVERY + 2))
    replay(many, MemoryWriter(broker), TOPIC, progress=tell)
    assert told == [(PROGRESS_EVERY, 1_000_000), (PROGRESS_EVERY + 2, 1_000_000)]
    told.clear()
    replay(events(0, 7), MemoryWriter(broker), TOPIC, Wall().pace(1.0), progress=tell)
    assert told == [(1, 1_000_000), (2, 1_007_000)]


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_must_be_above_0(speed: float) -> None:
    with pytest.raises(SettingsError, match="speed"):
        Pace(speed)
