"""Pause and resume: what an operator says reaches every worker, on each broker, and is still there after a restart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from consumers.build import Service, memory_backend
from consumers.cli import app
from consumers.clients import clients
from consumers.control import ControlFeed
from consumers.topics import create_topics
from consumers.twins import Twins
from consumers.worker import Clocks
from stream.contracts.control import Control
from stream.errors import BrokerUnavailable, SettingsError
from stream.settings import TopicSettings, Tree
from tests.brokers import Broker, eventually, fresh

MISSING = "does not exist; run: segstream topics create"


@pytest.fixture(autouse=True)
def _alone(quiet_logging: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["kafka-python", "librdkafka"])
def settings(broker: Broker, request: pytest.FixtureRequest) -> Tree:
    names = (name for name, default in TopicSettings() if isinstance(default, str))
    topics = TopicSettings(**{name: fresh(name) for name in names}, partitions=1)
    return Tree(profile="none", kafka=broker.kafka(client=request.param), topics=topics)


@pytest.fixture
def feed(settings: Tree) -> Iterator[ControlFeed]:
    create_topics(settings)
    with closing(listening(settings)) as feed:
        yield feed


def listening(settings: Tree) -> ControlFeed:
    """As a worker listens, from now on."""
    feed = ControlFeed(clients(settings.kafka).tail(settings.kafka), settings.topics.control, time.time)
    feed.refresh()
    return feed


def run(settings: Tree, *command: str) -> Result:
    options = ["--set", f"kafka.bootstrap_servers={settings.kafka.bootstrap_servers}"]
    options += ["--set", f"topics.control={settings.topics.control}", "--log-level", "error"]
    return CliRunner().invoke(app, [*options, *command])


def test_a_command_reaches_who_listens_and_who_comes_later(settings: Tree, feed: ControlFeed) -> None:
    said = run(settings, "pause", "--reason", "moving the store")
    assert (said.exit_code, said.stderr) == (0, "")
    command = eventually(feed.refresh, "the command")
    assert (command.paused, command.reason) == (True, "moving the store")
    with closing(listening(settings)) as later:
        assert later.newest == command
    assert run(settings, "resume").exit_code == 0
    assert eventually(feed.refresh, "the next command") == Control(False, "", feed.newest.at if feed.newest else "")


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_where_an_older_version_made_the_topics_it_says_what_to_run(broker: Broker, command: str) -> None:
    settings = Tree(profile="none", kafka=broker.kafka(), topics=TopicSettings(control=fresh("control")))
    said = run(settings, command)
    assert (said.exit_code, said.stdout) == (2, "")
    assert MISSING in said.stderr


def test_a_reason_is_short() -> None:
    said = CliRunner().invoke(app, ["pause", "--reason", "x" * 201])
    assert said.exit_code == 2
    assert "--reason has 201 characters" in said.stderr


def test_a_worker_without_the_control_topic_says_what_to_run() -> None:
    """Everything else is there: a deployment of before the topic."""
    twins = Twins(Tree(profile="personas"))
    twins.broker.delete(twins.settings.topics.control)

    def identity(topic: str) -> tuple[str, int]:
        try:
            return twins.broker.identity(topic)
        except BrokerUnavailable:
            raise SettingsError(f"topic '{topic}' {MISSING}") from None  # as on Kafka, see test_topics

    clocks = Clocks(twins.wall.now, twins.wall.wait)
    backend = replace(memory_backend(twins.settings, twins.broker, twins.store, clocks), identity=identity)
    with pytest.raises(SettingsError, match=r"segstream\.control.*segstream topics create"):
        Service(twins.settings, backend, CollectorRegistry()).worker()
