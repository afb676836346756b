"""The control feed: the newest good command counts, across restarts."""

from __future__ import annotations

import pytest

from consumers.control import LOOK_SECONDS, ControlFeed, tell
from consumers.memory_source import MemoryTail
from consumers.twins import Wall
from producers.memory_broker import MemoryBroker
from producers.sink import Outgoing
from producers.writer import MemoryWriter
from stream.contracts.control import KEY, MAX_REASON, Control, decode_control, encode_control
from stream.errors import BadRecord

TOPIC = "control"
AT = "2027-01-15T08:00:00.000Z"


class Desk:
    """A broker with the control topic, an operator and a clock."""

    def __init__(self) -> None:
        self.wall, self.broker = Wall(), MemoryBroker()
        self.broker.create(TOPIC, 1)

    def feed(self) -> ControlFeed:
        return ControlFeed(MemoryTail(self.broker), TOPIC, self.wall.now)

    def say(self, paused: bool, reason: str = "") -> None:
        wall_ms = round(self.wall.now() * 1000)
        tell(MemoryWriter(self.broker), TOPIC, paused=paused, reason=reason, wall_ms=wall_ms)

    def noise(self, value: bytes | None = b"noise") -> None:
        self.broker.append(Outgoing(TOPIC, 0, KEY, value))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_before_anything_was_said_there_is_no_command(desk: Desk) -> None:
    feed = desk.feed()
    assert (feed.refresh(), feed.newest) == (None, None)


def test_a_command_is_new_once(desk: Desk) -> None:
    feed = desk.feed()
    feed.refresh()
    desk.say(True, "deploying")
    desk.wall.wait(LOOK_SECONDS)
    command = feed.refresh()
    assert command == feed.newest == Control(True, "deploying", AT)
    desk.wall.wait(LOOK_SECONDS)
    assert feed.refresh() is None
    assert feed.newest == command


def test_what_was_said_before_the_feed_began_holds_but_is_not_new(desk: Desk) -> None:
    desk.say(False)
    desk.say(True, "still")
    feed = desk.feed()
    assert feed.refresh() is None
    assert feed.newest is not None
    assert feed.newest.paused


def test_of_several_the_newest_counts(desk: Desk) -> None:
    feed = desk.feed()
    feed.refresh()
    desk.say(True)
    desk.say(False)
    desk.wall.wait(LOOK_SECONDS)
    command = feed.refresh()
    assert command is not None
    assert not command.paused


def test_it_looks_about_once_a_second(desk: Desk) -> None:
    feed = desk.feed()
    feed.refresh()
    desk.say(True)
    desk.wall.wait(LOOK_SECONDS * 0.9)
    assert feed.refresh() is None
    desk.wall.wait(LOOK_SECONDS * 0.1)
    assert feed.refresh() is not None


@pytest.mark.parametrize("value", [b"noise", None, b"{}", b'{"paused":"perhaps","reason":"","at":"now"}'])
def test_a_bad_command_is_passed_over(desk: Desk, value: bytes | None) -> None:
    feed = desk.feed()
    feed.refresh()
    desk.say(True)
    desk.noise(value)
    desk.wall.wait(LOOK_SECONDS)
    command = feed.refresh()
    assert command is not None
    assert command.paused
    other = desk.feed()
    other.refresh()
    assert other.newest == command


def test_a_command_behind_many_bad_ones_is_found(desk: Desk) -> None:
    desk.say(True)
    for _ in range(50):
        desk.noise()
    feed = desk.feed()
    feed.refresh()
    assert feed.newest is not None
    assert feed.newest.paused


def test_the_record_is_read_back() -> None:
    command = Control(True, "why", AT)
    assert decode_control(encode_control(command)) == command
    with pytest.raises(BadRecord):
        decode_control(encode_control(Control(True, "x" * (MAX_REASON + 1), AT)))
