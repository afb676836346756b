"""Building: everything is wired in the order that makes it safe, and tells workers, owners and groups apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TypeVar

from prometheus_client import CollectorRegistry

from consumers.build import Service, memory_backend
from consumers.memory_source import MemorySource, MemoryTail
from consumers.source import Source
from consumers.twins import Twins, drain
from consumers.worker import Clocks
from producers.memory_broker import MemorySink
from producers.orders import encode_order
from tests.consumers.shop import settings
from tests.helpers import MONDAY_MS

T = TypeVar("T")


class Order:
    """What was built, in which order and under which names."""

    def __init__(self, **kafka: object) -> None:
        self.twins = Twins(settings(kafka={"group": "g", "transactional_id": "t", **kafka}))
        self.built: list[tuple[str, ...]] = []
        broker, store = self.twins.broker, self.twins.store
        plain = memory_backend(self.twins.settings, broker, store, Clocks(self.twins.wall.now, self.twins.wall.wait))
        self.backend = replace(
            plain,
            source=self._source,
            sink=lambda transactional_id: self._note(MemorySink(broker, transactional_id), "sink", transactional_id),
            tail=lambda: self._note(MemoryTail(broker), "tail"),
            store=lambda: self._note(store, "store"),
        )

    def service(self, slot: int = 0) -> Service:
        return Service(self.twins.settings, self.backend, CollectorRegistry(), slot)

    def _source(self, topic: str, group: str, instance: str | None = None) -> Source:
        words = ("source", topic, group, *([instance] if instance else []))
        return self._note(MemorySource(self.twins.broker, topic, group), *words)

    def _note(self, part: T, *words: str) -> T:
        self.built.append(words)
        return part


def test_a_worker_fences_its_dead_predecessor_before_it_reads_any_offset() -> None:
    order = Order()
    order.service(slot=3).worker()
    assert order.built[0] == ("sink", "t-worker-3")
    assert order.built[-1] == ("source", "customer.events", "g")
    assert sorted(words[0] for words in order.built) == ["sink", "source", "store", "tail", "tail", "tail"]


def test_the_owner_has_a_group_and_an_id_of_its_own() -> None:
    order = Order()
    owner = order.service(slot=3).owner()
    assert ("source", "segstream.learning", "g-owner") in order.built
    assert ("sink", "t-owner") not in order.built, "who only stands by must not fence the owner"
    owner.run_once(0.0)
    assert order.built[-1] == ("sink", "t-owner")


def test_hosts_that_share_a_group_do_not_fence_each_others_workers() -> None:
    order = Order(instance="host-a")
    order.service(slot=1).worker()
    order.service().owner().run_once(0.0)
    sinks = [words for words in order.built if words[0] == "sink"]
    assert sinks == [("sink", "t-host-a-worker-1"), ("sink", "t-owner")], "but of all owners only one may write"
    assert ("source", "customer.events", "g") in order.built


def test_static_members_are_named_by_host_and_slot() -> None:
    order = Order(instance="host-a", static_membership=True)
    order.service(slot=1).worker()
    order.service().owner()
    sources = [words for words in order.built if words[0] == "source"]
    assert [words[-1] for words in sources] == ["host-a-worker-1", "host-a-owner"]


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
