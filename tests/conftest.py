"""Fixtures: servers, each started once a session and only when a test asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from consumers.embedded import EmbeddedStore
from tests import servers
from tests.brokers import GUARANTEES, Broker, KafkaKit, Kit, MemoryKit, brokers, client_of

# A shared machine may stall in the middle of an example; that is no property of the code. CI runs the same examples
# every time; on a laptop new ones are looked for.
settings.register_profile("patient", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs Java is marked so: ``pytest -m "not apache"``."""
    for item in items:
        if "apache_kafka" in getattr(item, "fixturenames", ()):
            item.add_marker("apache")


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[Broker]:
    """The broker of ``segstream[demo]``."""
    with servers.embedded_broker() as server:
        yield Broker("embedded", server.bootstrap_servers)


@pytest.fixture(scope="session")
def embedded_store() -> Iterator[EmbeddedStore]:
    """The store of ``segstream[demo]``: ``.url``."""
    with servers.embedded_store() as server:
        yield server


@pytest.fixture(scope="session")
def apache_kafka() -> Iterator[Broker]:
    """Apache Kafka 4, one node."""
    with servers.apache_kafka() as server:
        yield Broker("apache", server.bootstrap_servers)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[EmbeddedStore]:
    """redis-server: ``.url``."""
    with servers.redis_server() as server:
        yield server


@pytest.fixture(params=brokers("embedded", "apache"))
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker that has a network address."""
    return _running(request)


@pytest.fixture(params=brokers(*GUARANTEES))
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    """Each broker, for the contract suites."""
    name: str = request.param
    kit = MemoryKit() if name == "memory" else KafkaKit(_running(request), client_of(name))
    yield kit
    kit.close()


def _running(request: pytest.FixtureRequest) -> Broker:
    is_apache = request.param.startswith("apache")
    running: Broker = request.getfixturevalue("apache_kafka" if is_apache else "embedded_broker")
    return running
