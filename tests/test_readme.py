"""The README's snippets run, as they stand, against a running service."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from consumers.build import Service, kafka_backend
from consumers.embedded import EmbeddedStore
from consumers.lockstep import Lockstep
from consumers.topics import create_topics
from producers.kafka_writer import KafkaWriter
from producers.personas import Personas, PersonasPlan
from stream.settings import Tree, load
from tests.brokers import Broker, eventually

README = Path(__file__).parent.parent / "README.md"
SNIPPETS = dict(re.findall(r"<!-- run: (\w+) -->\n```\w+\n(.*?)```", README.read_text(), re.DOTALL))


@pytest.fixture(scope="module")
def running(embedded_broker: Broker, embedded_store: EmbeddedStore) -> Iterator[Tree]:
    """A service that has seen some months of some customers, under the topic names of the README."""
    settings = load(
        flags={
            "profile": "personas",
            "kafka": {
                "bootstrap_servers": embedded_broker.bootstrap_servers,
                "session_timeout_seconds": 6,
                "poll_timeout_seconds": 0.01,
            },
            "redis": {"url": embedded_store.url},
            "model": {"warmup_customers": 100, "interval_seconds": 0},
        }
    )
    create_topics(settings)
    writer = KafkaWriter(settings.kafka)
    # The README asks for customer 1.
    renamed = ((key, payload) for key, payload, _ in Personas(PersonasPlan(customers=200, days=60, seed=5)))
    first, sent = None, 0
    for key, payload in renamed:
        first = first or key
        one = b"1" if key == first else key
        writer.send(settings.topics.events, one, payload.replace(b'"' + key + b'"', b'"' + one + b'"'))
        sent += 1
    writer.flush()
    writer.close()
    service = Service(settings, kafka_backend(settings), CollectorRegistry())
    lockstep = Lockstep(service.worker(), service.owner())
    processed = 0

    def done() -> bool | None:
        nonlocal processed
        processed += lockstep.run_once().records
        return processed >= sent or None

    eventually(done, "everything processed", 60.0)
    yield settings
    lockstep.close()


def addressed(snippet: str, settings: Tree) -> str:
    servers, url = settings.kafka.bootstrap_servers, settings.redis.url.get_secret_value()
    return snippet.replace("127.0.0.1:9092", servers).replace("redis://127.0.0.1:6379/0", url)


def test_the_readme_has_its_snippets() -> None:
    assert set(SNIPPETS) == {"subscribe", "read", "watch"}


@pytest.mark.parametrize(("name", "says"), [("subscribe", "first"), ("read", "'status': "), ("read", "s1")])
def test_a_python_snippet_runs(name: str, says: str, running: Tree) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", addressed(SNIPPETS[name], running)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert says in ran.stdout


def test_the_commands_run(running: Tree, tmp_path: Path) -> None:
    for line in SNIPPETS["watch"].splitlines():
        arguments = line.split("#")[0].split()[1:]
        options = ["--set", f"kafka.bootstrap_servers={running.kafka.bootstrap_servers}"]
        options += ["--set", f"redis.url={running.redis.url.get_secret_value()}", "--set", "profile=personas"]
        command = [sys.executable, "-m", "consumers.cli", *options, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.strip()
    assert [file.name for file in tmp_path.iterdir()] == ["day.html"]
