"""The gate: it says once why it holds, to everybody who asks, and lets go when it is told."""

from __future__ import annotations

import logging

import pytest
from prometheus_client import CollectorRegistry

from consumers.assembling import Intake
from consumers.circuit import Circuit
from consumers.control import LOOK_SECONDS, ControlFeed, tell
from consumers.holding import Gate
from consumers.memory_source import MemoryTail
from consumers.twins import Wall
from producers.memory_broker import MemoryBroker
from producers.sink import Outgoing
from producers.writer import MemoryWriter
from stream.health import WorkerHealth
from stream.view.memory_store import MemoryStore
from tests.helpers import MONDAY_MS, event

TOPIC = "control"
BAD = Outgoing("rejected", 0, None, None)


class Door:
    """A gate, who speaks to it, and what is seen of it."""

    def __init__(self) -> None:
        self.wall, self.broker, self.store = Wall(), MemoryBroker(), MemoryStore()
        self.broker.create(TOPIC, 1)
        self.registry = CollectorRegistry()
        feed = ControlFeed(MemoryTail(self.broker), TOPIC, self.wall.now)
        circuit = Circuit(share=0.05, window_seconds=60.0, least_records=10)
        self.gate = Gate(feed, circuit, self.store, WorkerHealth(self.registry), self.wall.now)
        self.gate.held()

    def say(self, paused: bool, reason: str = "") -> str | None:
        tell(MemoryWriter(self.broker), TOPIC, paused=paused, reason=reason, wall_ms=0)
        self.wall.wait(LOOK_SECONDS)
        return self.gate.held()

    def batch(self, good: int, bad: int, reason: str = "not_json") -> bool:
        mine = Intake([event("ann", MONDAY_MS)] * good, [BAD] * bad, [reason] * bad)
        through = self.gate.lets_through({0: mine})
        if through:
            self.gate.committed({0: mine})
        return through

    def flag(self, name: str) -> float | None:
        return self.registry.get_sample_value(name)

    def statuses(self) -> dict[int, str | None]:
        return {p: self.store.reader.status(p) for p in range(3)}


@pytest.fixture
def door() -> Door:
    return Door()


def test_it_stands_open_unless_told(door: Door) -> None:
    assert door.gate.held() is None
    assert door.batch(100, 0)
    assert (door.flag("segstream_paused"), door.flag("segstream_circuit_open")) == (0.0, 0.0)


def test_a_pause_says_since_when_why_and_how_it_ends(door: Door) -> None:
    held = door.say(True, "moving the store")
    assert held == "paused since 1970-01-01T00:00:00.000Z: moving the store; it goes on with: segstream resume"
    assert door.flag("segstream_paused") == 1.0
    assert door.say(False) is None
    assert door.flag("segstream_paused") == 0.0


def test_words_of_others_are_made_safe(door: Door) -> None:
    assert "\\x1b[31mred\\n" in (door.say(True, "\x1b[31mred\n") or "")


def test_every_partition_is_told_once_and_new_ones_when_they_come(door: Door) -> None:
    held = door.say(True)
    door.gate.tell({0, 1})
    assert door.statuses() == {0: held, 1: held, 2: None}
    door.store.publish_status(0, "somebody else's word")
    door.gate.tell({0, 2})
    assert door.statuses()[0] == "somebody else's word"
    assert door.statuses()[2] == held
    door.gate.tell({1})
    door.gate.tell({0, 1})
    assert door.statuses()[0] == held, "a partition that came back is told again"


def test_another_reason_is_told_to_everybody(door: Door) -> None:
    door.say(True, "one")
    door.gate.tell({0})
    held = door.say(True, "two")
    door.gate.tell({0})
    assert door.statuses()[0] == held


def test_a_batch_of_poison_opens_the_circuit_and_says_what_is_bad(door: Door) -> None:
    assert not door.batch(5, 25, "from_future")
    assert door.flag("segstream_circuit_open") == 1.0
    door.gate.tell({0})
    held = door.gate.held()
    assert held == door.statuses()[0]
    assert held is not None
    assert held.startswith("circuit open: too many bad records, 25 of the 30 at hand (from_future)")


def test_resume_accepts_what_the_circuit_stopped(door: Door) -> None:
    assert not door.batch(0, 30)
    assert door.say(False) is None
    assert door.flag("segstream_circuit_open") == 0.0
    assert door.batch(0, 30)


def test_a_pause_over_an_open_circuit_is_said_first_and_resume_ends_both(door: Door) -> None:
    assert not door.batch(0, 30)
    assert (door.say(True) or "").startswith("paused")
    assert door.flag("segstream_circuit_open") == 1.0
    assert door.say(False) is None
    assert door.batch(0, 30)


def test_resume_after_a_mere_pause_lets_no_poison_through(door: Door) -> None:
    door.say(True)
    door.say(False)
    assert not door.batch(0, 30)


def test_the_log_has_one_sentence_each(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "consumers.holding"):
        door.batch(0, 30)
        for _ in range(5):
            door.gate.held()
        door.say(False)
    assert [(r.levelname, r.message.partition(":")[0]) for r in caplog.records] == [
        ("ERROR", "holding"),
        ("WARNING", "resumed"),
        ("WARNING", "going on"),
    ]
