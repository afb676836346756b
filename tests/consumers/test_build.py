"""Building: everything is wired in the order that makes it safe, and tells workers, owners and groups apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TypeVar

from prometheus_client import CollectorRegistry

from consumers.build import Service, memory_backend
from consumers.memory_source import MemorySource, MemoryTail
from consumers.twins import Twins, drain
from consumers.worker import Clocks
from producers.memory_broker import MemorySink
from producers.orders import encode_order
from tests.consumers.shop import settings
from tests.helpers import MONDAY_MS

T = TypeVar("T")


class Order:
    """What was built, in which order and under which names."""

    def __init__(self) -> None:
        self.twins = Twins(settings(kafka={"group": "g", "transactional_id": "t"}))
        self.built: list[tuple[str, ...]] = []
        broker, store = self.twins.broker, self.twins.store
        plain = memory_backend(self.twins.settings, broker, store, Clocks(self.twins.wall.now, self.twins.wall.wait))
        self.backend = replace(
            plain,
            source=lambda topic, group: self._note(MemorySource(broker, topic, group), "source", topic, group),
            sink=lambda transactional_id: self._note(MemorySink(broker, transactional_id), "sink", transactional_id),
            tail=lambda: self._note(MemoryTail(broker), "tail"),
            store=lambda: self._note(store, "store"),
        )

    def service(self, slot: int = 0) -> Service:
        return Service(self.twins.settings, self.backend, CollectorRegistry(), slot)

    def _note(self, part: T, *words: str) -> T:
        self.built.append(words)
        return part


def test_a_worker_fences_its_dead_predecessor_before_it_reads_any_offset() -> None:
    order = Order()
    order.service(slot=3).worker()
    assert order.built[0] == ("sink", "t-worker-3")
    assert order.built[-1] == ("source", "customer.events", "g")
    assert sorted(words[0] for words in order.built) == ["sink", "source", "store", "tail", "tail"]


def test_the_owner_has_a_group_and_an_id_of_its_own() -> None:
    order = Order()
    order.service(slot=3).owner()
    assert ("sink", "t-owner") in order.built
    assert ("source", "segstream.learning", "g-owner") in order.built


def test_a_restart_in_the_same_slot_fences_and_another_slot_does_not() -> None:
    def fenced(*slots: int) -> int:
        order = Order()
        for slot in slots:
            order.service(slot).worker()
        return order.twins.broker.init_transactions("t-worker-0") - 1  # ourselves

    assert (fenced(0, 0), fenced(0, 1)) == (1, 0)


def test_worker_and_owner_share_the_compiled_declarations() -> None:
    service = Order().service()
    assert service.features is service.features
    assert service.features.features_id == Order().service().features.features_id


def test_partitions_are_as_many_as_the_broker_has_not_as_the_settings_say() -> None:
    twins = Twins(settings(topics={"partitions": 2}))
    twins.send([encode_order(f"e{i}", f"c{i}", MONDAY_MS, UTC, 1.0) for i in range(8)])
    twins.settings = settings(topics={"partitions": 4})
    worker = twins.service().worker()
    assert sum(done.rejected for done in drain(worker.run_once)) == 0
    identity = twins.broker.identity(twins.settings.topics.events)
    assert {(mark.topic_id, mark.partitions) for mark in worker.marks.values()} == {identity}
