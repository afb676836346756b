"""Pairs of a broker and a store, and events for them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from producers.journey import Journey
from producers.orders import Encoded
from stream.errors import SettingsError
from tests.brokers import brokers, client_of
from tests.servers import missing
from tests.service.pair import Pair

BASKETS = {"embedded": 12_000, "apache": None}
"""The first four weeks, and the whole year."""


@pytest.fixture(scope="module", params=brokers("embedded", "apache"))
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The embedded broker and store, or Apache Kafka and redis-server; the store is empty before and after."""
    is_apache = request.param.startswith("apache")
    broker = request.getfixturevalue("apache_kafka" if is_apache else "embedded_broker")
    store = request.getfixturevalue("redis_server" if is_apache else "embedded_store")
    pair = Pair(broker, store.url, client_of(request.param))
    pair.empty_store()
    yield pair
    pair.empty_store()


@pytest.fixture(scope="module")
def baskets(pair: Pair) -> list[Encoded]:
    """Complete Journey, as much of it as the pair is given."""
    try:
        return list(islice(Journey(), BASKETS[pair.broker.name]))
    except SettingsError as error:
        missing(str(error))
