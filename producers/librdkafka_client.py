"""What every librdkafka client here shares: address, security, timeouts, quiet logs, translated errors."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException

from producers.kafka_client import NAMED_TWICE, milliseconds
from producers.refusals import Aloud, forbidden, is_untrusted, unknown_user, untrusted
from stream.errors import BrokerUnavailable, SegstreamError, SettingsError
from stream.settings import KafkaSettings

Client = TypeVar("Client")

_log = logging.getLogger("kafka.librdkafka")
"""Below the logger of kafka-python: whoever silences one client silences the other."""

_UNKNOWN_USER = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})
_FORBIDDEN = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
# librdkafka refuses a request timeout that is not a second longer than the wait inside a fetch.
_FETCH_SLACK_SECONDS = 1.0
_HEAR_SECONDS = 0.5


class Background:
    """What a client said in the background, while it tried again: the reason of a call that only says it timed out."""

    def __init__(self) -> None:
        self.said: KafkaError | None = None
        self._aloud = Aloud()

    def __call__(self, error: KafkaError) -> None:
        """The ``error_cb`` of a client; called while it is polled. A refusal outweighs what comes of it."""
        is_refused = self.said is not None and self.said.code() in _UNKNOWN_USER | _FORBIDDEN
        if error.code() != KafkaError._ALL_BROKERS_DOWN and not is_refused:
            self.said = error
        refusal = _refused("connect", error)
        if refusal is not None:
            self._aloud.say(refusal)


def hear(poll: Callable[[float], object], background: Background) -> None:
    """Let a client that failed hand over what was said in the background, should that take a moment."""
    deadline = time.monotonic() + _HEAR_SECONDS
    while background.said is None and time.monotonic() < deadline:
        poll(_HEAR_SECONDS / 20)


def client_config(settings: KafkaSettings, background: Background) -> dict[str, Any]:
    """The configuration that consumers and producers have in common. Raises ``SettingsError``."""
    request_ms = milliseconds(settings.request_timeout_seconds)
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "socket.timeout.ms": max(request_ms, milliseconds(settings.poll_timeout_seconds + _FETCH_SLACK_SECONDS)),
        "socket.connection.setup.timeout.ms": max(1000, request_ms),
        # The default of 10 s leaves a worker blind for that long after its broker is back.
        "reconnect.backoff.max.ms": 1000,
        # What changed without an error to tell it, such as new partitions, is noticed this soon (default: 300 s).
        "topic.metadata.refresh.interval.ms": 30_000,
        "allow.auto.create.topics": False,
        # Brokers may ask clients for figures of themselves (KIP-714); ours are on our own port.
        "enable.metrics.push": False,
        # Without "debug", which is never set, librdkafka logs neither requests nor secrets.
        "logger": _log,
        "error_cb": background,
        **_security(settings),
    }


def built(kind: Callable[[dict[str, Any]], Client], config: dict[str, Any]) -> Client:
    """A consumer or producer. Raises ``SettingsError`` for what librdkafka does not take, before it connects."""
    try:
        return kind(config)
    except KafkaException as error:
        said = error_of(error).str().strip()
        raise SettingsError(f"librdkafka does not take these settings of kafka: {said}") from error


@contextmanager
def translated(what: str, background: Background) -> Iterator[None]:
    """Turn librdkafka's errors into ours: refused rights are a setting, everything else is the broker.

    ``what`` reads like "poll customer.events".
    """
    try:
        yield
    except KafkaException as error:
        reasons = [error_of(error), *([background.said] if background.said else [])]
        for reason in reasons:
            if reason.code() == KafkaError._FATAL and "group.instance.id" in reason.str():
                raise SettingsError(NAMED_TWICE) from error
            refusal = _refused(what, reason)
            if refusal is not None:
                raise refusal from error
        raise BrokerUnavailable(f"cannot {what}: {'; '.join(map(describe, reasons))}") from error
    background.said = None


def error_of(exception: KafkaException) -> KafkaError:
    """What an exception of librdkafka is about."""
    reason = exception.args[0]
    return reason if isinstance(reason, KafkaError) else KafkaError(KafkaError._FAIL, str(reason))


def describe(error: KafkaError) -> str:
    """One line for an error.

    >>> describe(KafkaError(KafkaError._TIMED_OUT, "too late"))
    '_TIMED_OUT: too late'
    """
    return f"{error.name()}: {error.str()}"


def _refused(what: str, reason: KafkaError) -> SegstreamError | None:
    """What we say of an error by which the broker, or we, refuse something; ``None`` if it is another."""
    if reason.code() in _UNKNOWN_USER:
        return unknown_user(what, describe(reason))
    if reason.code() in _FORBIDDEN:
        return forbidden(what, describe(reason))
    return untrusted(what, describe(reason)) if is_untrusted(reason.str()) else None


def _security(settings: KafkaSettings) -> Mapping[str, Any]:
    if settings.security == "plaintext":
        return {"security.protocol": "plaintext"}
    # Chain and host name are checked by default; its OpenSSL 3 speaks TLS 1.2 and above at its default level.
    config = {"security.protocol": "ssl", "ssl.ca.location": _authorities(settings)}
    if settings.security == "tls":
        return config
    if settings.username is None or settings.password is None:
        raise SettingsError("kafka.security = 'sasl_tls' needs kafka.username and kafka.password")
    return {
        **config,
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": settings.username.get_secret_value(),
        "sasl.password": settings.password.get_secret_value(),
    }


def _authorities(settings: KafkaSettings) -> str:
    """Whom to trust; without a setting, whom this machine trusts."""
    if settings.ca_file is None:
        return "probe"
    try:
        ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise SettingsError(f"kafka.ca_file '{settings.ca_file}' cannot be used: {error}") from error
    return settings.ca_file
