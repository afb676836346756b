"""kafka-python's network, with a memory: it tries again until a call has timed out, and tells only its log why.

Two guards answer facts about kafka-python 3.0.12, tested in tests/test_refusals.py and tests/producers.
"""

from __future__ import annotations

from socket import socket
from typing import Any

from kafka.errors import AuthorizationError, KafkaConnectionError, KafkaError, SaslAuthenticationFailedError
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from producers.refusals import Aloud, forbidden, is_untrusted, unknown_user, untrusted
from stream.errors import SegstreamError


def refused(what: str, error: BaseException) -> SegstreamError | None:
    """What we say of an error by which the broker, or we, refuse something; ``None`` if it is another."""
    if isinstance(error, SaslAuthenticationFailedError):
        return unknown_user(what, describe(error))
    if isinstance(error, AuthorizationError):
        return forbidden(what, describe(error))
    return untrusted(what, describe(error)) if is_untrusted(str(error)) else None


def describe(error: BaseException) -> str:
    """One line for an error whose message may be empty."""
    name, said = type(error).__name__, str(error)
    if name in said:  # kafka-python's say it themselves
        return said
    return f"{name}: {said}" if said else name


class Background:
    """How the last connection of a client came out: the reason of a call that only says it timed out."""

    def __init__(self) -> None:
        self.said: BaseException | None = None
        self._aloud = Aloud()

    def failed(self, error: BaseException) -> None:
        """It could not be made. A refusal outweighs what comes of it, such as less time for the next try."""
        if not isinstance(self.said, SaslAuthenticationFailedError):
            self.said = error
        refusal = refused("connect", error)
        if refusal is not None:
            self._aloud.say(refusal)

    def succeeded(self, _: object) -> None:
        """It was made: what was refused before is granted now."""
        self.said = None


class Network(KafkaNetClient):  # type: ignore[misc]
    """For ``kafka_client`` of consumers, producers and admin clients."""

    def __init__(self, background: Background, /, **config: Any) -> None:
        selector = NetworkSelector(**config)
        super().__init__(selector, _Manager(background, selector, **config), **config)


class _Manager(KafkaConnectionManager):  # type: ignore[misc]
    def __init__(self, background: Background, selector: NetworkSelector, /, **config: Any) -> None:
        super().__init__(selector, **config)
        self._background = background

    async def _connect(self, node: Any, connection: Any, **how: Any) -> None:
        connection.init_future.add_callback(self._background.succeeded)
        connection.init_future.add_errback(self._background.failed)
        await super()._connect(node, connection, **how)

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        sock = await _connected(self._net, node, self.config["socket_options"], timeout_at)
        transport = _heard_out(self._transport(sock, node.host))
        try:
            await transport.handshake()
        except Exception as error:
            transport.abort(error)
            raise KafkaConnectionError(f"Handshake failed: {error}") from error
        return transport

    def _transport(self, sock: Any, host: str) -> Any:
        if not self.ssl_enabled:
            return KafkaTCPTransport(self._net, sock, host=host)
        return KafkaSSLTransport(self._net, sock, host=host, ssl_context=self.config["ssl_context"])


async def _connected(net: NetworkSelector, node: Any, options: Any, timeout_at: float | None) -> socket:
    """K14: sockets that cannot connect are left to the garbage collector, several a second in an outage."""
    factory, failure = KafkaNetSocket(), KafkaConnectionError(f"no address of {node.host}")
    for family, kind, protocol, _, address in factory.dns_lookup(node.host, node.port):
        sock = socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            for option in options:
                sock.setsockopt(*option)
            await factory.sock_connect(net, sock, address, timeout_at=timeout_at)
        except (OSError, KafkaError) as error:
            sock.close()
            failure = KafkaConnectionError(f"unable to connect: {error}")
        else:
            return sock
    raise failure


def _heard_out(transport: Any) -> Any:
    """K13: what a broker says before it hangs up is dropped when both are read at once, such as why it does."""
    read = transport._sock_recv

    def read_to_the_end() -> tuple[bytes, Exception | None]:
        data, error = read()
        return data, None if data else error  # the end is there to be read again

    transport._sock_recv = read_to_the_end
    return transport
