"""The proxy of the chaos harness, before an echo and before something that speaks frames as Kafka does."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.chaos.proxy import END_TXN, PRODUCE, Proxy, Rules
from tests.brokers import eventually

SECONDS = 5.0
SOON_SECONDS = 0.2


class _Echo(socketserver.BaseRequestHandler):
    """Says what it hears."""

    def handle(self) -> None:
        while heard := self.request.recv(4096):
            self.request.sendall(heard)


class _Broker(socketserver.StreamRequestHandler):
    """Answers every request with its correlation id."""

    def handle(self) -> None:
        while size := self.rfile.read(4):
            request = self.rfile.read(int.from_bytes(size, "big"))
            self.wfile.write((4).to_bytes(4, "big") + request[4:8])


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def before(handler: type[socketserver.BaseRequestHandler], *, frames: bool) -> Iterator[Proxy]:
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Proxy(server.server_address[1], frames=frames) as proxy:
            yield proxy
        server.shutdown()


@pytest.fixture
def echo() -> Iterator[Proxy]:
    with before(_Echo, frames=False) as proxy:
        yield proxy


@pytest.fixture
def broker() -> Iterator[Proxy]:
    with before(_Broker, frames=True) as proxy:
        yield proxy


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), SECONDS)


def request(kind: int, correlation: int) -> bytes:
    body = kind.to_bytes(2, "big") + (0).to_bytes(2, "big") + correlation.to_bytes(4, "big") + b"rest"
    return len(body).to_bytes(4, "big") + body


def reply(correlation: int) -> bytes:
    return (4).to_bytes(4, "big") + correlation.to_bytes(4, "big")


def is_silent(client: socket.socket) -> bool:
    client.settimeout(SOON_SECONDS)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(SECONDS)
    return False


def test_without_rules_everything_passes(echo: Proxy) -> None:
    with connected(echo) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"


def test_dropped_replies_are_gone_and_the_connection_stays(echo: Proxy) -> None:
    with connected(echo) as client:
        with echo.under(Rules(drop_replies=True)) as rules:
            client.sendall(b"one")
            eventually(lambda: rules.met or None, "a dropped reply")
        assert is_silent(client)
        client.sendall(b"two")
        assert client.recv(3) == b"two"


def test_held_requests_arrive_when_the_rule_is_lifted(echo: Proxy) -> None:
    with connected(echo) as client:
        with echo.under(Rules(hold_requests=True)) as rules:
            client.sendall(b"late")
            eventually(lambda: rules.met or None, "a held request")
            assert is_silent(client)
        assert client.recv(4) == b"late"


def test_replies_are_delayed(echo: Proxy) -> None:
    with connected(echo) as client, echo.under(Rules(delay_seconds=2 * SOON_SECONDS)):
        client.sendall(b"slow")
        assert is_silent(client)
        assert client.recv(4) == b"slow"


def test_cut_ends_every_connection(echo: Proxy) -> None:
    with connected(echo) as one, connected(echo) as other:
        for client in (one, other):
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        assert echo.cut() == 2
        for client in (one, other):
            with pytest.raises(ConnectionError):
                assert_open(client)


def assert_open(client: socket.socket) -> None:
    if client.recv(1) == b"":
        raise ConnectionResetError


def test_refused_connections_are_closed(echo: Proxy) -> None:
    with echo.under(Rules(refuse=True)), connected(echo) as client, pytest.raises(ConnectionError):
        assert_open(client)


def test_a_rule_concerns_only_its_kind_of_request(broker: Proxy) -> None:
    with connected(broker) as client:
        with broker.under(Rules(drop_replies=True, kinds=frozenset({PRODUCE}))) as rules:
            client.sendall(request(PRODUCE, 7) + request(END_TXN, 8))
            assert client.recv(8) == reply(8)
            assert rules.met == 1
        client.sendall(request(PRODUCE, 9))
        assert client.recv(8) == reply(9)


def test_frames_are_passed_on_whatever_pieces_they_come_in(broker: Proxy) -> None:
    with connected(broker) as client:
        for byte in request(END_TXN, 1) + request(END_TXN, 2):
            client.sendall(bytes([byte]))
        got = b""
        while len(got) < 16:
            got += client.recv(16)
        assert got == reply(1) + reply(2)


def test_the_upstream_can_change_for_new_connections(echo: Proxy) -> None:
    with before(_Broker, frames=True) as other:
        echo.upstream = other.port
        with connected(echo) as client:
            client.sendall(request(END_TXN, 3))
            assert client.recv(8) == reply(3)
