from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from consumers.cli_produce import Job, app, send
from consumers.kafka_tail import KafkaTail
from consumers.topics import Shape, create
from producers.files import read_orders
from producers.memory_broker import MemoryBroker
from producers.orders import Events
from producers.personas import Personas, PersonasPlan
from producers.replay import Pace
from producers.writer import MemoryWriter
from stream.errors import SettingsError
from stream.settings import Tree, load
from tests.brokers import Broker, fresh

TOPIC = "customer.events"
PLAN = PersonasPlan(customers=20, days=30)
NO_BROKER = load(flags={"kafka": {"security": "tls", "ca_file": "nowhere.pem"}})
"""Settings that fail before a socket is opened."""
FILE = "customer,time,amount\nc1,1709294400,5\nc2,1709294401,6\n"


def run(*arguments: str, settings: Tree = NO_BROKER) -> BaseException | None:
    """What a command raised; the entry point turns it into an exit code."""
    return CliRunner().invoke(app, arguments, obj=settings).exception


def sent_by(job_events: Events, *, as_json: bool, limit: int | None = None) -> tuple[MemoryBroker, str, str]:
    broker = MemoryBroker()
    broker.create(TOPIC, 4)
    out, err = io.StringIO(), io.StringIO()
    job = Job("personas", TOPIC, job_events, Pace(), limit, as_json)
    send(job, MemoryWriter(broker), Console(file=out, width=40), Console(file=err, quiet=as_json))
    return broker, out.getvalue(), err.getvalue()


def records(broker: MemoryBroker) -> int:
    return sum(len(broker.read(TOPIC, partition, 0, 100_000)[0]) for partition in range(4))


def test_json_is_one_line_that_says_what_was_sent() -> None:
    personas = Personas(PLAN)
    broker, out, err = sent_by(personas, as_json=True)
    said = json.loads(out)
    assert out.count("\n") == 1
    assert err == ""
    assert records(broker) == said["events"] == len(personas)
    assert said["customers"] == len({event.key for event in personas})
    assert (said["source"], said["topic"], said["first"][:10]) == ("personas", TOPIC, "2023-01-01")
    assert said.keys() >= {"last", "seconds", "events_per_second"}


def test_people_get_a_table() -> None:
    broker, out, _ = sent_by(Personas(PLAN), as_json=False, limit=10)
    assert records(broker) == 10
    assert [line.split() for line in out.splitlines()][2] == ["events", "10"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "nowhere.csv"], "'nowhere.csv' is neither 'journey' nor a file"),
        (["replay", "journey", "--timezone", "UTC"], "are for files"),
        (["replay", "journey", "--columns", "time=t"], "are for files"),
        (["replay", __file__, "--profiles"], "--profiles is for 'journey'"),
        (["replay", __file__], "the format is told by the ending"),
        (["replay", "journey", "--speed", "0"], "speed: must be above 0"),
        (
            ["personas", "--customers", "5", "--days", "5", "--truth", "/nowhere/truth.csv"],
            "cannot be written",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(arguments: list[str], message: str) -> None:
    error = run(*arguments)
    assert isinstance(error, SettingsError)
    assert message in str(error)


def test_the_truth_is_written_beside(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    error = run("personas", "--customers", "20", "--days", "30", "--truth", str(truth))
    assert isinstance(error, SettingsError)
    assert "nowhere.pem" in str(error)
    with truth.open(newline="") as file:
        rows = [tuple(row) for row in csv.reader(file)][1:]
    assert rows == [(c, str(at), str(p)) for c, at, p in Personas(PLAN).truth()]


def test_a_file_arrives_in_kafka(embedded_broker: Broker, tmp_path: Path) -> None:
    topic = fresh("events")
    settings = load(flags={"topics": {"events": topic}}).model_copy(update={"kafka": embedded_broker.kafka()})
    create(settings.kafka, {topic: Shape(partitions=1)})
    (tmp_path / "web.csv").write_text(FILE)
    assert run("replay", str(tmp_path / "web.csv"), "--json", settings=settings) is None
    tail = KafkaTail(settings.kafka)
    records, _ = tail.read(topic, 0, 0, 10.0)
    tail.close()
    assert [(record.key, record.value) for record in records] == [
        event[:2] for event in read_orders(tmp_path / "web.csv", {})
    ]
