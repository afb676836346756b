"""What every Kafka client here shares: address, security, timeouts, quiet logs, and the way errors are translated."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import FencedInstanceIdError, KafkaError

from producers.kafka_network import Background, Network, describe, refused
from stream.errors import BrokerUnavailable, SegstreamError, SettingsError
from stream.settings import KafkaSettings

Client = TypeVar("Client")

_CONNECTION = "kafka.net.connection"

NAMED_TWICE = (
    "kafka.instance: another process has taken the place of this one in the group, as a static member of the same "
    "name; give every host a name of its own, and run each worker once"
)


def milliseconds(seconds: float) -> int:
    """Seconds as whole milliseconds, which is what kafka-python takes.

    >>> milliseconds(0.2)
    200
    """
    return round(seconds * 1000)


def client_config(settings: KafkaSettings) -> dict[str, Any]:
    """The arguments that consumers, producers and admin clients have in common. Raises ``SettingsError``."""
    quiet_logs()
    timeout_ms = milliseconds(settings.request_timeout_seconds)
    return {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "request_timeout_ms": timeout_ms,
        "bootstrap_timeout_ms": timeout_ms,
        # The default of 30 s leaves a worker blind for that long after its broker is back.
        "reconnect_backoff_max_ms": 1000,
        # What changed without an error to tell it, such as new partitions, is noticed this soon (default: 300 s).
        "metadata_max_age_ms": 30_000,
        **_security(settings),
    }


def quiet_logs() -> None:
    """Keep kafka-python's loggers at INFO or above: at DEBUG they print whole requests, SASL passwords too (K8).

    Connections are kept at WARNING: at INFO they print the user's name.
    """
    names = [name for name in logging.root.manager.loggerDict if name.startswith("kafka.")]
    for name in ("kafka", *names, _CONNECTION):
        logger, least = logging.getLogger(name), logging.WARNING if name == _CONNECTION else logging.INFO
        if logger.getEffectiveLevel() < least:
            logger.setLevel(least)


def connect(kind: Callable[..., Client], background: Background, **config: Any) -> Client:
    """A consumer, producer or admin client. Raises what its constructor raises, but leaves nothing behind (K9).

    The constructor waits for the broker; when that fails, its thread and its sockets would stay for ever, once for
    every try of an outage.
    """
    networks: list[Network] = []

    def network(**settings: Any) -> Network:
        networks.append(Network(background, **settings))
        return networks[-1]

    try:
        return kind(**config, kafka_client=network)
    except BaseException:
        for opened in networks:
            opened.close()
        raise


@contextmanager
def administrating(settings: KafkaSettings, what: str) -> Iterator[KafkaAdminClient]:
    """An admin client for the block, with its errors ``translated``."""
    background = Background()
    with (
        translated(what, background),
        connect(KafkaAdminClient, background, **client_config(settings)) as admin,
    ):
        yield admin


@contextmanager
def translated(what: str, background: Background) -> Iterator[None]:
    """Turn kafka-python's errors into ours: refused rights are a setting, everything else is the broker.

    ``what`` reads like "poll customer.events".
    """
    try:
        yield
    except FencedInstanceIdError as error:
        raise SettingsError(NAMED_TWICE) from error
    except KafkaError as error:
        raise _ours(what, [error] if background.said is None else [error, background.said]) from error


def _ours(what: str, reasons: Sequence[BaseException]) -> SegstreamError:
    refusals = filter(None, (refused(what, reason) for reason in reasons))
    return next(refusals, BrokerUnavailable(f"cannot {what}: {'; '.join(map(describe, reasons))}"))


def _security(settings: KafkaSettings) -> Mapping[str, Any]:
    if settings.security == "plaintext":
        return {"security_protocol": "PLAINTEXT"}
    try:
        # A context of our own: kafka-python ignores some ssl_* settings. This one checks chain and host name.
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise SettingsError(f"kafka.ca_file '{settings.ca_file}' cannot be used: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.security == "tls":
        return {"security_protocol": "SSL", "ssl_context": context}
    if settings.username is None or settings.password is None:
        raise SettingsError("kafka.security = 'sasl_tls' needs kafka.username and kafka.password")
    return {
        "security_protocol": "SASL_SSL",
        "ssl_context": context,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.username.get_secret_value(),
        "sasl_plain_password": settings.password.get_secret_value(),
    }
