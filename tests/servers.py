"""Real servers for the tests: Apache Kafka (KRaft, one node) and redis-server, as children on 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from consumers.embedded import HOST, ChildServer, EmbeddedBroker, EmbeddedStore, free_port
from stream.errors import SettingsError

KAFKA_LIBS = Path(os.environ.get("KAFKA_TEST_LIBS", Path(__file__).parent.parent / ".servers/kafka/libs"))
_CLUSTER = "c2Vnc3RyZWFtLXRlc3RzLQ"


def missing(what: str) -> NoReturn:
    """A missing server skips on a laptop and fails in CI: nothing is green because it did not run."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI=true")
    pytest.skip(what)


class ApacheKafka(ChildServer):
    """Apache Kafka 4 from the jars of deploy/kafka-for-tests/pom.xml."""

    def __init__(self) -> None:
        super().__init__("kafka", start_seconds=60.0)
        java = shutil.which("java")
        if java is None:
            missing("Java is not installed")
        if not any(KAFKA_LIBS.glob("kafka_2.13-*.jar")):
            missing("no Apache Kafka jars; fetch them with: make servers")
        self._java = [
            java,
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            f"{KAFKA_LIBS}/*",
        ]

    @property
    def bootstrap_servers(self) -> str:
        """For ``kafka.bootstrap_servers``."""
        return f"{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        properties = self.folder / "server.properties"
        properties.write_text(_properties(self.folder, self.port, free_port()))
        formatting = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(properties)]
        subprocess.run([*self._java, *formatting], check=True, capture_output=True, timeout=60)
        return [*self._java, "kafka.Kafka", str(properties)]


def embedded_broker() -> EmbeddedBroker:
    """The broker of ``segstream[demo]``."""
    try:
        return EmbeddedBroker()
    except SettingsError as error:
        missing(str(error))


def embedded_store() -> EmbeddedStore:
    """The store of ``segstream[demo]``."""
    try:
        return EmbeddedStore()
    except SettingsError as error:
        missing(str(error))


def redis_server() -> EmbeddedStore:
    """redis-server of this machine."""
    binary = shutil.which("redis-server")
    if binary is None:
        missing("redis-server is not installed")
    return EmbeddedStore(binary)


def _properties(folder: Path, port: int, controller_port: int) -> str:
    """One node, nothing replicated, and nothing that waits: groups form and transactions time out at once."""
    return "\n".join(
        (
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@{HOST}:{controller_port}",
            "controller.listener.names=CONTROLLER",
            f"listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
            f"advertised.listeners=PLAINTEXT://{HOST}:{port}",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            f"log.dirs={folder / 'data'}",
            "auto.create.topics.enable=false",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=2",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.num.partitions=2",
            "transaction.state.log.min.isr=1",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms=500",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "group.min.session.timeout.ms=500",
            "num.network.threads=2",
            "num.io.threads=2",
            "log.cleaner.threads=1",
        )
    )
