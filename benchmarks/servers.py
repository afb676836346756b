"""The real servers: Apache Kafka (KRaft, one node) and redis-server, as children on 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from consumers.embedded import HOST, ChildServer, EmbeddedStore, free_port
from stream.errors import SettingsError

KAFKA_LIBS = Path(os.environ.get("KAFKA_TEST_LIBS", Path(__file__).parent.parent / ".servers/kafka/libs"))
_CLUSTER = "c2Vnc3RyZWFtLXRlc3RzLQ"


class Listener(NamedTuple):
    """One of a broker's."""

    port: int
    told: int
    """The port that its clients are told to go on through."""
    protocol: str = "PLAINTEXT"


class ApacheKafka(ChildServer):
    """Apache Kafka 4 from the jars of deploy/kafka-for-tests/pom.xml. Raises ``SettingsError`` if they are missing.

    ``detour``: clients that come in at ``detour_port`` are told to go on through this port, where a proxy stands.
    """

    def __init__(self, detour: int | None = None) -> None:
        super().__init__("kafka", start_seconds=60.0)
        java = shutil.which("java")
        if java is None:
            raise SettingsError("Java is not installed")
        if not any(KAFKA_LIBS.glob("kafka_2.13-*.jar")):
            raise SettingsError("no Apache Kafka jars; fetch them with: make servers")
        self._java = [
            java,
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            f"{KAFKA_LIBS}/*",
        ]
        self._detour = detour
        self.detour_port = 0

    @property
    def bootstrap_servers(self) -> str:
        """For ``kafka.bootstrap_servers``."""
        return f"{HOST}:{self.port}"

    @property
    def version(self) -> str:
        """As its jar says."""
        return next(KAFKA_LIBS.glob("kafka_2.13-*.jar")).stem.removeprefix("kafka_2.13-")

    def terminate(self) -> None:
        """SIGTERM: it closes its logs, and they stay for ``launch``."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60.0)

    def command(self) -> Sequence[str]:
        """See ``ChildServer``. The first time its folder is formatted."""
        properties = self.folder / "server.properties"
        if not properties.exists():
            self._format(properties)
        return [*self._java, "kafka.Kafka", str(properties)]

    def listeners(self) -> dict[str, Listener]:
        """Where it listens, by name."""
        found = {"PLAINTEXT": Listener(self.port, self.port)}
        if self._detour is not None:
            self.detour_port = free_port()
            found["DETOUR"] = Listener(self.detour_port, self._detour)
        return found

    def more_properties(self) -> Sequence[str]:
        """What goes into its properties beside the usual."""
        return ()

    def formatting(self) -> Sequence[str]:
        """What its folder is formatted with beside the usual."""
        return ()

    def _format(self, properties: Path) -> None:
        lines = (*_properties(self.folder, self.listeners(), free_port()), *self.more_properties())
        properties.write_text("\n".join(lines))
        formatting = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(properties), *self.formatting()]
        subprocess.run([*self._java, *formatting], check=True, capture_output=True, timeout=60)


class RedisServer(EmbeddedStore):
    """redis-server of this machine, in memory unless ``options`` say otherwise. Raises ``SettingsError``."""

    def __init__(self, *options: str) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            raise SettingsError("redis-server is not installed")
        super().__init__(binary)
        self.options = options

    def command(self) -> Sequence[str]:
        """See ``ChildServer``. Of an option given twice the last counts."""
        return [*super().command(), *self.options]


def _properties(folder: Path, listeners: Mapping[str, Listener], controller_port: int) -> Sequence[str]:
    """One node, nothing replicated, and nothing that waits: groups form and transactions time out at once."""
    listening = ",".join(f"{name}://{HOST}:{at.port}" for name, at in listeners.items())
    advertised = ",".join(f"{name}://{HOST}:{at.told}" for name, at in listeners.items())
    protocols = ",".join(f"{name}:{at.protocol}" for name, at in listeners.items())
    return (
        "process.roles=broker,controller",
        "node.id=1",
        f"controller.quorum.voters=1@{HOST}:{controller_port}",
        "controller.listener.names=CONTROLLER",
        f"listeners={listening},CONTROLLER://{HOST}:{controller_port}",
        f"advertised.listeners={advertised}",
        f"listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT",
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
