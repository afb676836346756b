from __future__ import annotations

import gc
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
)
from pydantic import SecretStr

from producers.kafka_client import client_config, connect, translated
from producers.kafka_network import Background, describe
from stream.errors import BrokerUnavailable, SettingsError
from stream.settings import KafkaSettings


def test_plaintext_is_the_default() -> None:
    config = client_config(KafkaSettings(bootstrap_servers="a:1,b:2"))
    assert config["bootstrap_servers"] == ["a:1", "b:2"]
    assert config["security_protocol"] == "PLAINTEXT"


def test_tls_checks_the_chain_and_the_host_name() -> None:
    config = client_config(KafkaSettings(security="tls"))
    context = config["ssl_context"]
    assert config["security_protocol"] == "SSL"
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_sasl_goes_over_tls_and_never_in_plain() -> None:
    settings = KafkaSettings(security="sasl_tls", username=SecretStr("ann"), password=SecretStr("secret"))
    config = client_config(settings)
    assert config["security_protocol"] == "SASL_SSL"
    assert config["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (config["sasl_plain_username"], config["sasl_plain_password"]) == ("ann", "secret")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (KafkaSettings(security="sasl_tls", username=SecretStr("ann")), "kafka.username and kafka.password"),
        (KafkaSettings(security="tls", ca_file="/nowhere/ca.pem"), "kafka.ca_file '/nowhere/ca.pem'"),
    ],
)
def test_a_wrong_setting_is_named(settings: KafkaSettings, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        client_config(settings)


def test_a_ca_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("not a certificate")
    with pytest.raises(SettingsError, match="ca_file"):
        client_config(KafkaSettings(security="tls", ca_file=str(ca)))


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (KafkaTimeoutError("too late"), BrokerUnavailable),
        (SaslAuthenticationFailedError("wrong password"), SettingsError),
        (TopicAuthorizationFailedError("t"), SettingsError),
    ],
)
def test_errors_are_ours(error: Exception, ours: type[Exception]) -> None:
    with pytest.raises(ours, match=type(error).__name__), translated("poll", Background()):
        raise error


def test_why_connections_failed_is_why_a_call_timed_out() -> None:
    background = Background()
    background.failed(SaslAuthenticationFailedError("wrong password"))
    background.failed(KafkaConnectionError("no time left"))
    with pytest.raises(SettingsError, match=r"kafka\.password.*wrong password"), translated("poll", background):
        raise KafkaTimeoutError


def test_why_connections_fail_is_said_aloud_but_not_each_time(caplog: pytest.LogCaptureFixture) -> None:
    background = Background()
    for _ in range(3):
        background.failed(SaslAuthenticationFailedError("wrong password"))
        background.failed(KafkaConnectionError("no time left"))
    (said,) = caplog.messages
    assert said.startswith("waiting: cannot connect: the broker does not take kafka.username and kafka.password")


def test_a_connection_that_is_made_forgets_why_others_failed() -> None:
    background = Background()
    background.failed(SaslAuthenticationFailedError("wrong password"))
    background.succeeded(True)
    with pytest.raises(BrokerUnavailable, match=r"^cannot poll: KafkaTimeoutError$"), translated("poll", background):
        raise KafkaTimeoutError


def test_an_error_without_a_message_still_says_something() -> None:
    assert describe(ValueError()) == "ValueError"
    assert describe(ValueError("x")) == "ValueError: x"
    assert describe(KafkaTimeoutError("x")) == "KafkaTimeoutError: x"


def test_connections_that_are_refused_leave_no_sockets_to_the_garbage_collector() -> None:
    """K14: it may not come for minutes, and an outage lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address, background = "{}:{}".format(*taken.getsockname()), Background()
        gc.collect()
        gc.disable()
        try:
            before = psutil.Process().num_fds()
            with pytest.raises(BrokerUnavailable, match="REFUSED"), translated("connect", background):
                connect(KafkaConsumer, background, bootstrap_servers=address, bootstrap_timeout_ms=500)
            assert psutil.Process().num_fds() == before
        finally:
            gc.enable()


@pytest.mark.parametrize("kind", [KafkaProducer, KafkaConsumer, KafkaAdminClient])
def test_trying_in_vain_leaves_neither_threads_nor_files_behind(kind: Any) -> None:
    """K9: the constructors start a thread and sockets before they wait for the broker, and keep them when it fails."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = "{}:{}".format(*silent.getsockname())
        config: dict[str, Any] = {"bootstrap_servers": address, "bootstrap_timeout_ms": 100}

        def attempt() -> None:
            background = Background()
            with pytest.raises(BrokerUnavailable), translated("connect", background):
                connect(kind, background, **config)

        attempt()
        threads, files = threading.active_count(), psutil.Process().num_fds()
        for _ in range(3):
            attempt()
        assert threading.active_count() == threads
        assert psutil.Process().num_fds() == files
