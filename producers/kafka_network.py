"""kafka-python's network, with a memory: it tries again until a call has timed out, and tells only its log why."""

from __future__ import annotations

from typing import Any

from kafka.errors import AuthorizationError, SaslAuthenticationFailedError
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

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

    async def _build_transport(self, *given: Any, **named: Any) -> Any:
        """K13: what a broker says before it hangs up is dropped when both are read at once, such as why it does."""
        transport = await super()._build_transport(*given, **named)
        read = transport._sock_recv

        def read_to_the_end() -> tuple[bytes, Exception | None]:
            data, error = read()
            return data, None if data else error  # the end is there to be read again

        transport._sock_recv = read_to_the_end
        return transport
