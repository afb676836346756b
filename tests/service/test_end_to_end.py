"""The whole service over the network: real baskets, with repeats and damaged ones among them.

On the embedded pair the first four weeks, on Apache Kafka and redis-server the whole year.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from benchmarks import reference
from benchmarks.chaos.inputs import read_inputs
from benchmarks.chaos.world import World, read_world, same_accumulators
from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from consumers.worker import Done
from producers.orders import Encoded
from stream.contracts.events import Event
from stream.customer.state import unpack
from stream.settings import Tree, load
from tests.service.pair import Flags, Pair, create, live, looking, send, world_of

MODEL: Flags = {"warmup_customers": 400, "interval_seconds": 0}
REPEATED_EVERY, DAMAGED_EVERY = 100, 200


@dataclass
class Lived:
    """A service that has processed everything."""

    pair: Pair
    settings: Tree
    sent: int
    rounds: Sequence[Done]
    world: World
    input: dict[str, list[Event]]
    """Distinct events by customer, as we read the input topic."""


@pytest.fixture(scope="module")
def lived(pair: Pair, baskets: list[Encoded]) -> Lived:
    settings = create(pair.flags(model=MODEL))
    sent = send(settings, untidy(baskets))
    rounds = live(settings, sent)
    return Lived(pair, settings, sent, rounds, world_of(settings), read_input(settings))


@pytest.fixture(scope="module")
def on_twins(baskets: list[Encoded]) -> World:
    twins = Twins(load(flags={"model": MODEL}))
    twins.send(baskets)
    drain(twins.lockstep().run_once)
    return read_world(twins.settings, MemoryTail(twins.broker), twins.store.reader)


def untidy(baskets: Iterable[Encoded]) -> Iterator[Encoded]:
    """Some baskets are sent twice, and after some come the first few bytes of the same."""
    for number, basket in enumerate(baskets):
        yield basket
        if number % REPEATED_EVERY == 0:
            yield basket
        if number % DAMAGED_EVERY == 0:
            yield basket._replace(payload=basket.payload[:50])


def read_input(settings: Tree) -> dict[str, list[Event]]:
    with looking(settings) as (tail, _):
        return read_inputs(settings, tail).by_customer()


def test_every_event_is_accepted_rejected_or_a_duplicate(lived: Lived, baskets: list[Encoded]) -> None:
    rejected = sum(done.rejected for done in lived.rounds)
    duplicates = sum(done.step.duplicates for done in lived.rounds if done.step)
    blobs = [blob for states in lived.world.journaled.values() for blob in states.values()]
    accepted = int(unpack(lived.world.features, blobs)[0]["looks"].sum())
    assert accepted == len(baskets)
    assert duplicates == len(baskets[::REPEATED_EVERY])
    assert rejected == len(baskets[::DAMAGED_EVERY])
    assert accepted + rejected + duplicates == lived.sent == sum(done.records for done in lived.rounds)


def test_topics_and_store_agree(lived: Lived) -> None:
    lived.world.check()
    assert lived.world.learner is not None
    assert lived.world.learner.snapshot is not None


def test_accumulators_are_those_of_the_twins_to_the_bit(lived: Lived, on_twins: World) -> None:
    assert same_accumulators([lived.world, on_twins])


def test_features_are_what_the_input_topic_says(lived: Lived) -> None:
    chosen = random.Random(100).sample(sorted(lived.input), 100)
    with looking(lived.settings) as (_, reader):
        documents = {customer: reader.features(customer.encode()) for customer in chosen}
    for customer, document in documents.items():
        events = lived.input[customer]
        assert document is not None, customer
        assert document["events"] == len(events)
        assert document["as_of"] >= max(event.occurred_at_ms for event in events)
        expected = reference.natural(lived.settings.customers, events, document["as_of"])
        assert document["features"] == pytest.approx(expected, rel=1e-9, abs=1e-12), customer


def test_every_customer_has_one_hash_and_one_document(lived: Lived) -> None:
    with lived.pair.redis() as client:
        keys = [key.decode() for key in client.scan_iter(count=1000)]
    for kind in ("segment", "features"):
        customers = [key.removeprefix(f"{kind}:") for key in keys if key.startswith(f"{kind}:")]
        assert sorted(customers) == sorted(lived.input)
