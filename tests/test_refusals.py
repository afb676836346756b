"""What is said when the broker does not let us in, by both clients, on Apache Kafka."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from pydantic import SecretStr

from benchmarks.guarded_kafka import HERE, GuardedKafka
from consumers.clients import clients
from consumers.topics import Shape, create, describe
from producers.watchdog import Watchdog
from stream.errors import BrokerUnavailable, SegstreamError, SettingsError
from stream.settings import KafkaSettings
from tests import servers
from tests.brokers import fresh, joined

USER, PASSWORD = "canary-user", "canary-password"

pytestmark = pytest.mark.apache

Build = Callable[[KafkaSettings], Any]
BUILDS: dict[str, Build] = {
    "source": lambda kafka: clients(kafka).source(kafka, "t", "group", None),
    "sink": lambda kafka: clients(kafka).sink(kafka, fresh("slot"), Watchdog(60)),
    "tail": lambda kafka: clients(kafka).tail(kafka),
    "admin": lambda kafka: describe(kafka, ["t"]),
}
everywhere = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())


@pytest.fixture(scope="module")
def broker() -> Iterator[GuardedKafka]:
    with servers.guarded_kafka(USER, PASSWORD) as broker:
        create(settings_of(broker), {"t": Shape(1)})
        yield broker


@pytest.fixture(scope="module")
def expired(broker: GuardedKafka) -> Iterator[GuardedKafka]:
    broker.show(broker.authority.certificate("expired", HERE, -1))
    yield broker
    broker.show()


@pytest.fixture(params=["kafka-python", "librdkafka"])
def client(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def settings_of(broker: GuardedKafka, **changes: Any) -> KafkaSettings:
    settings = KafkaSettings(
        bootstrap_servers=f"127.0.0.1:{broker.guarded_port}",
        security="sasl_tls",
        ca_file=str(broker.authority.file),
        username=SecretStr(USER),
        password=SecretStr(PASSWORD),
        request_timeout_seconds=2.0,
        transaction_timeout_seconds=3.0,
        session_timeout_seconds=3.0,
    )
    return settings.model_copy(update=changes)


def refusal(build: Build, kafka: KafkaSettings, kind: type[SegstreamError]) -> str:
    with pytest.raises(kind) as caught:
        build(kafka)
    said = str(caught.value)
    assert "canary" not in said
    return said


def test_who_knows_the_password_is_let_in(broker: GuardedKafka, client: str) -> None:
    kafka = settings_of(broker, client=client)
    source = clients(kafka).source(kafka, "t", fresh("group"), None)
    joined(source, {0})
    source.close()


@everywhere
def test_a_wrong_password_is_a_setting(broker: GuardedKafka, client: str, build: Build) -> None:
    kafka = settings_of(broker, client=client, password=SecretStr("canary-wrong"))
    assert "kafka.username and kafka.password" in refusal(build, kafka, SettingsError)


def test_a_right_that_is_missing_is_a_setting(broker: GuardedKafka, client: str) -> None:
    kafka, group = settings_of(broker, client=client), fresh("group")
    broker.forbid(group)
    source = clients(kafka).source(kafka, "t", group, None)
    assert "grant it to kafka.username" in refusal(lambda _: joined(source, {0}), kafka, SettingsError)
    source.close()


@everywhere
def test_an_expired_certificate_is_an_outage_with_a_name(expired: GuardedKafka, client: str, build: Build) -> None:
    said = refusal(build, settings_of(expired, client=client), BrokerUnavailable)
    assert "certificate is not accepted" in said
    assert "kafka.ca_file" in said


def test_handshakes_that_fail_leave_no_sockets_to_the_garbage_collector(expired: GuardedKafka) -> None:
    """K14; of sockets that cannot even connect: tests/producers/test_kafka_client.py."""
    kafka, process = settings_of(expired), psutil.Process()
    gc.collect()
    gc.disable()
    try:
        before = process.num_fds()
        refusal(BUILDS["tail"], kafka, BrokerUnavailable)
        assert process.num_fds() == before
    finally:
        gc.enable()
