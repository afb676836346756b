"""What every Kafka client here shares: address, security, timeouts, quiet logs, and the way errors are translated."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError

from stream.errors import BrokerUnavailable, SettingsError
from stream.settings import KafkaSettings


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
        **_security(settings),
    }


def quiet_logs() -> None:
    """Keep kafka-python's loggers at INFO or above: at DEBUG they print whole requests, SASL passwords included (K8)."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("kafka.")]
    for name in ("kafka", *names):
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() < logging.INFO:
            logger.setLevel(logging.INFO)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn kafka-python's errors into ours: refused rights are a setting, everything else is the broker.

    ``what`` reads like "poll customer.events".
    """
    try:
        yield
    except (AuthorizationError, SaslAuthenticationFailedError) as error:
        raise SettingsError(f"the broker refuses to {what}: {describe(error)}") from error
    except KafkaError as error:
        raise BrokerUnavailable(f"cannot {what}: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """One line for an error whose message may be empty."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


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
