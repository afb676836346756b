"""The twins: time moves only when told to, and what is sent goes where Kafka's own partitioner would put it."""

from __future__ import annotations

from datetime import UTC

from consumers.twins import Twins, Wall, drain
from consumers.worker import Done
from producers.orders import encode_order
from stream.contracts.changes import decode_change
from stream.contracts.partitioning import partition_of
from stream.customer.features import FeatureSet
from stream.decision.step import Stepper
from tests.consumers.shop import settings
from tests.helpers import MONDAY_MS
from tests.town import Town

ORDERS = [encode_order(f"e{i}", f"c{i}", MONDAY_MS, UTC, 1.0) for i in range(8)]


def test_the_wall_clock_moves_only_by_waiting() -> None:
    wall = Wall(100.0)
    assert wall.now() == wall.now() == 100.0
    wall.wait(2.5)
    assert wall.now() == 102.5


def test_every_topic_of_the_settings_exists() -> None:
    twins = Twins(settings(topics={"partitions": 3}))
    found = {name: twins.broker.partitions(getattr(twins.settings.topics, name)) for name in TOPICS}
    assert found == TOPICS


TOPICS = {
    "events": 3,
    "changes": 3,
    "rejected": 3,
    "journal": 3,
    "ledger": 1,
    "profiles": 1,
    "learning": 1,
    "model": 1,
    "control": 1,
}


def test_events_go_to_the_partition_of_their_key_at_the_time_of_the_wall() -> None:
    twins = Twins(settings())
    assert twins.send(ORDERS) == len(ORDERS)
    for partition in range(twins.settings.topics.partitions):
        entries, _ = twins.broker.read(twins.settings.topics.events, partition, 0, 100)
        mine = [order for order in ORDERS if partition_of(order.key, 4) == partition]
        assert [(entry.key, entry.value) for _, entry in entries] == [(o.key, o.payload) for o in mine]
        assert all(entry.timestamp_ms == twins.wall.now() * 1000 for _, entry in entries)


def test_changes_are_those_of_all_partitions() -> None:
    twins = Twins(settings())
    twins.send(ORDERS)
    drain(twins.lockstep().run_once)
    assert {decode_change(value).customer_id for value in twins.changes()} == {f"c{i}" for i in range(8)}


def test_draining_goes_on_until_nothing_has_happened_for_some_rounds() -> None:
    features = FeatureSet(settings().customers)
    busy = Done(1, step=Stepper(features, None).step(Town(features).batch([])))
    rounds = iter([Done(), busy, Done(), Done(), busy, Done(), Done(), Done(), busy])
    assert drain(lambda: next(rounds), idle_rounds=3) == [busy, busy]
    assert next(rounds) is busy
