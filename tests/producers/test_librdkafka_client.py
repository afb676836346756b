from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import KafkaError, KafkaException
from pydantic import SecretStr

from consumers.librdkafka_source import LibrdkafkaSource
from consumers.librdkafka_tail import LibrdkafkaTail
from producers.librdkafka_client import Background, client_config, translated
from producers.librdkafka_sink import LibrdkafkaSink
from producers.watchdog import Watchdog
from stream.errors import BrokerUnavailable, SettingsError
from stream.settings import KafkaSettings

REFUSED = KafkaError(KafkaError._AUTHENTICATION, "wrong password")
LATE = KafkaError(KafkaError._TIMED_OUT, "too late")


def config(**settings: Any) -> dict[str, Any]:
    return client_config(KafkaSettings(**settings), Background())


def test_plaintext_is_the_default() -> None:
    ours = config(bootstrap_servers="a:1,b:2")
    assert ours["bootstrap.servers"] == "a:1,b:2"
    assert ours["security.protocol"] == "plaintext"


def test_sasl_goes_over_tls_and_never_in_plain() -> None:
    ours = config(security="sasl_tls", username=SecretStr("ann"), password=SecretStr("secret"))
    assert ours["security.protocol"] == "sasl_ssl"
    assert (ours["sasl.mechanism"], ours["sasl.username"], ours["sasl.password"]) == ("SCRAM-SHA-512", "ann", "secret")


def test_nothing_that_is_shown_in_logs_is_turned_on() -> None:
    """With "debug" librdkafka would log in its own words; chain and host name are checked unless turned off."""
    ours = config(security="tls")
    assert {"debug", "enable.ssl.certificate.verification", "ssl.endpoint.identification.algorithm"}.isdisjoint(ours)
    assert ours["logger"].name.startswith("kafka.")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"security": "sasl_tls", "username": SecretStr("ann")}, "kafka.username and kafka.password"),
        ({"security": "tls", "ca_file": "/nowhere/ca.pem"}, "kafka.ca_file '/nowhere/ca.pem'"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        config(**settings)


def test_a_ca_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("not a certificate")
    with pytest.raises(SettingsError, match="ca_file"):
        config(security="tls", ca_file=str(ca))


def test_a_setting_that_librdkafka_does_not_take_is_named() -> None:
    settings = KafkaSettings(request_timeout_seconds=0.2, transaction_timeout_seconds=0.5)
    with pytest.raises(SettingsError, match=r"transaction\.timeout\.ms"):
        LibrdkafkaSink(settings, "slot", Watchdog(1))


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (LATE, BrokerUnavailable),
        (REFUSED, SettingsError),
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), SettingsError),
    ],
)
def test_errors_are_ours(error: KafkaError, ours: type[Exception]) -> None:
    with pytest.raises(ours, match=error.name()), translated("poll", Background()):
        raise KafkaException(error)


def test_a_refusal_in_the_background_is_why_a_call_timed_out() -> None:
    background = Background()
    for error in (REFUSED, KafkaError(KafkaError._TRANSPORT, "gone"), KafkaError(KafkaError._ALL_BROKERS_DOWN)):
        background(error)
    with pytest.raises(SettingsError, match="wrong password"), translated("poll", background):
        raise KafkaException(LATE)


def test_a_refusal_is_said_aloud_but_not_each_time(caplog: pytest.LogCaptureFixture) -> None:
    background = Background()
    for error in (REFUSED, KafkaError(KafkaError._TRANSPORT, "gone"), REFUSED):
        background(error)
    (said,) = caplog.messages
    assert said.startswith("waiting: cannot connect: the broker does not take kafka.username and kafka.password")


def test_a_certificate_that_is_not_accepted_is_an_outage_with_a_name() -> None:
    failed = KafkaException(KafkaError(KafkaError._SSL, "SSL routines::certificate verify failed"))
    with pytest.raises(BrokerUnavailable, match=r"not accepted.*kafka\.ca_file"), translated("poll", Background()):
        raise failed


def test_what_was_said_before_a_success_is_forgotten() -> None:
    background = Background()
    background(REFUSED)
    with translated("poll", background):
        pass
    with pytest.raises(BrokerUnavailable, match=r"too late$"), translated("poll", background):
        raise KafkaException(LATE)


WATCHDOG = Watchdog(60)
BUILD = pytest.mark.parametrize(
    "build",
    [
        lambda settings: LibrdkafkaSink(settings, "slot", WATCHDOG),
        lambda settings: LibrdkafkaSource(settings, "topic", "group"),
        LibrdkafkaTail,
    ],
    ids=["sink", "source", "tail"],
)
Build = Callable[[KafkaSettings], object]


@pytest.fixture
def nowhere() -> Iterator[KafkaSettings]:
    """Settings for a port that is taken, so that nobody else will listen there, and refuses all connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*taken.getsockname())
        yield KafkaSettings(bootstrap_servers=address, request_timeout_seconds=1.0, transaction_timeout_seconds=1.1)


@BUILD
def test_trying_in_vain_leaves_neither_threads_nor_files_behind(nowhere: KafkaSettings, build: Build) -> None:
    """Also while the errors are still looked at."""
    settings, kept = nowhere.model_copy(update={"request_timeout_seconds": 0.2}), []

    def attempt() -> None:
        with pytest.raises(BrokerUnavailable) as caught:
            build(settings)
        kept.append(caught)

    attempt()
    process = psutil.Process()
    before = process.num_threads(), process.num_fds()
    for _ in range(3):
        attempt()
    assert (process.num_threads(), process.num_fds()) == before


@BUILD
def test_trying_in_vain_says_why(nowhere: KafkaSettings, build: Build) -> None:
    with pytest.raises(BrokerUnavailable, match="Connection refused"):
        build(nowhere)
