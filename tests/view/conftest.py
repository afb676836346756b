"""The implementations of the store that its contract is tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from stream.view.memory_store import MemoryStore
from stream.view.reader import Reader
from stream.view.redis_reader import RedisReader
from stream.view.redis_store import RedisStore
from stream.view.store import Store
from tests.view.server import Server

SERVERS = ["redis", "valkey"]


@dataclass
class View:
    """One store as two workers and a reader have it."""

    store: Store
    other: Store
    reader: Reader
    restart: Callable[[], None]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """One server of each kind for the whole session, started when first asked for."""
    started: dict[str, Server] = {}

    def of(kind: str) -> Server:
        if kind not in started:
            started[kind] = Server(kind, tmp_path_factory.mktemp(kind))
        return started[kind]

    yield of
    for server in started.values():
        server.stop()


@pytest.fixture(params=["memory", *SERVERS])
def view(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Iterator[View]:
    """An empty store of each kind."""
    if request.param == "memory":
        memory = MemoryStore()
        yield View(memory, memory, memory.reader, memory.lose)
        return
    server = servers(request.param)
    with server.client() as client:
        client.flushall()
    view = View(
        RedisStore(server.settings()),
        RedisStore(server.settings()),
        RedisReader(server.settings()),
        server.restart,
    )
    yield view
    for end in (view.store, view.other, view.reader):
        end.close()


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Of server."""
    return str(request.param)


@pytest.fixture
def server(kind: str, servers: Callable[[str], Server]) -> Server:
    """A server that the test leaves as it found it; empty."""
    shared = servers(kind)
    with shared.client() as client:
        client.flushall()
    return shared


@pytest.fixture
def own_server(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server to break."""
    server = Server(kind, tmp_path_factory.mktemp(kind))
    yield server
    server.stop()
