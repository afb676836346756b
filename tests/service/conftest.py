"""Pairs of a broker and a store, and events for them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from producers.journey import Journey
from producers.orders import Encoded
from stream.errors import SettingsError
from tests.brokers import brokers
from tests.servers import missing
from tests.service.pair import Pair

BASKETS = 12_000


@pytest.fixture(scope="module", params=brokers("embedded", "apache"))
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The embedded broker and store, or Apache Kafka and redis-server; the store is empty before and after."""
    is_apache = request.param == "apache"
    broker = request.getfixturevalue("apache_kafka" if is_apache else "embedded_broker")
    store = request.getfixturevalue("redis_server" if is_apache else "embedded_store")
    pair = Pair(broker, store.url)
    pair.empty_store()
    yield pair
    pair.empty_store()


@pytest.fixture(scope="session")
def baskets() -> list[Encoded]:
    """The first four weeks of Complete Journey."""
    try:
        return list(islice(Journey(), BASKETS))
    except SettingsError as error:
        missing(str(error))
