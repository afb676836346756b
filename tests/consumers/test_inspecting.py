"""The inspecting commands from the command line, on a broker and a store that a service has just filled."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from consumers.build import Service, kafka_backend
from consumers.cli import app
from consumers.embedded import EmbeddedStore, free_port
from consumers.lockstep import Lockstep
from consumers.topics import create_topics
from producers.kafka_writer import KafkaWriter
from producers.personas import Personas
from stream.settings import Tree, load
from tests.brokers import Broker, brokers, eventually, fresh
from tests.consumers.shop import MODEL, PLAN

DATABASE = 5
"""Of the shared store; the tests of the store use the first."""


@dataclass(frozen=True)
class Live:
    """A service that has processed everything and gone home."""

    flags: dict[str, Any]
    tree: Tree

    @property
    def options(self) -> list[str]:
        """The same settings on a command line."""
        return [
            word
            for section, values in self.flags.items()
            for pair in (values.items() if isinstance(values, dict) else [(None, values)])
            for word in ("--set", f"{section}.{pair[0]}={pair[1]}" if pair[0] else f"{section}={pair[1]}")
        ]

    def run(self, *command: str) -> Result:
        return CliRunner().invoke(app, [*self.options, "--log-level", "error", *command])


@pytest.fixture(scope="module", params=brokers("embedded", "apache"))
def live(request: pytest.FixtureRequest) -> Live:
    real = request.param == "apache"
    broker: Broker = request.getfixturevalue("apache_kafka" if real else "embedded_broker")
    store: EmbeddedStore = request.getfixturevalue("redis_server" if real else "embedded_store")
    kafka = broker.kafka()
    names = ("events", "changes", "ledger", "profiles", "rejected", "journal", "learning", "model", "control")
    flags = {
        "profile": "personas",
        "kafka": {
            "bootstrap_servers": kafka.bootstrap_servers,
            "group": kafka.group,
            "transactional_id": kafka.transactional_id,
            "session_timeout_seconds": kafka.session_timeout_seconds,
            "poll_timeout_seconds": 0.01,
        },
        "topics": {name: fresh(name) for name in names},
        "redis": {"url": f"{store.url.rpartition('/')[0]}/{DATABASE}"},
        "model": MODEL,
    }
    tree = load(flags=flags)
    create_topics(tree)
    _process(tree)
    return Live(flags, tree)


def _process(tree: Tree) -> None:
    writer = KafkaWriter(tree.kafka)
    sent = 0
    for key, payload, _ in Personas(PLAN):
        writer.send(tree.topics.events, key, payload)
        sent += 1
    writer.flush()
    writer.close()
    _work(tree, sent)


def _work(tree: Tree, sent: int) -> None:
    service = Service(tree, kafka_backend(tree), CollectorRegistry())
    lockstep = Lockstep(service.worker(), service.owner())
    done = 0

    def probe() -> bool | None:
        nonlocal done
        done += lockstep.run_once().records
        return True if done >= sent else None

    eventually(probe, f"{sent} events processed")
    lockstep.close()


@pytest.fixture(autouse=True)
def _as_before(quiet_logging: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line sets logging up for its process, and reads the environment."""
    for name in [name for name in os.environ if name.startswith("SEGSTREAM_")]:
        monkeypatch.delenv(name)


def test_customers_as_json_csv_and_table_are_the_same_customers(live: Live) -> None:
    by_json = [json.loads(line) for line in live.run("customers", "--json").stdout.splitlines()]
    by_csv = list(csv.DictReader(io.StringIO(live.run("customers", "--csv").stdout)))
    assert len(by_json) == PLAN.customers
    assert {row["customer_id"] for row in by_csv} == {row["customer_id"] for row in by_json}
    table = live.run("customers", "--limit", "7").stdout.splitlines()
    assert len(table) == 1 + 7 + 1
    assert table[-1].startswith("7 shown, there are more")


def test_customers_by_segment_and_status(live: Live) -> None:
    everybody = [json.loads(line) for line in live.run("customers", "--json").stdout.splitlines()]
    wanted = {row["customer_id"] for row in everybody if (row["id"], row["status"]) == ("s1", "ready")}
    found = live.run("customers", "--segment", "s1", "--status", "ready", "--json").stdout.splitlines()
    assert {json.loads(line)["customer_id"] for line in found} == wanted
    assert live.run("customers", "--segment", "s99").stdout == "no such customers\n"


def test_segments_as_json_and_table(live: Live) -> None:
    said = json.loads(live.run("segments", "--json").stdout)["segments"]
    table = live.run("segments").stdout
    assert {segment["id"] for segment in said} >= {"s1", "s2", "s3"}
    assert all(f"{segment['id']} {segment['name']}" in table for segment in said)


def test_a_report_is_one_file_and_the_same_facts_as_json(live: Live, tmp_path: Path) -> None:
    file = tmp_path / "day.html"
    written = live.run("report", "--html", str(file), "--hours", "336")
    assert (written.exit_code, written.stderr) == (0, "")
    said = json.loads(live.run("report", "--json", "--hours", "336").stdout)
    assert said["headline"] in written.stdout
    assert written.stdout.endswith(f"written to {file}\n")
    text = file.read_text(encoding="utf-8")
    assert said["headline"] in html.unescape(text)
    sizes = {segment["id"]: segment["after"] for segment in said["segments"]}
    rows = [json.loads(line) for line in live.run("customers", "--json").stdout.splitlines()]
    awake = Counter(row["id"] for row in rows if row["id"] and row["status"] != "dormant")
    assert {id_: n for id_, n in sizes.items() if n} == awake
    assert [path.name for path in tmp_path.iterdir()] == ["day.html"]
    both = live.run("report", "--json", "--html", str(file), "--day", "2001-01-01")
    assert (json.loads(both.stdout)["headline"], both.stderr[:10]) == ("no customers yet", "2001-01-01")


def test_a_report_that_cannot_be_made_says_what_to_mend_and_ends_with_2(live: Live, tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    for options, mend in {
        (): "--html FILE, or --json",
        ("--html", str(tmp_path / "no" / "day.html")): "cannot be written",
        ("--json", "--day", "yesterday"): "YYYY-MM-DD",
        ("--json", "--day", "2001-01-01", "--hours", "3"): "not both",
    }.items():
        result = live.run("report", *options)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), options
        assert mend in result.stderr
    for setting, mend in (
        (f"redis.url=redis://{nowhere}/0", "mend redis.url"),
        (f"kafka.bootstrap_servers={nowhere}", "kafka.bootstrap_servers"),
    ):
        result = live.run("--set", setting, "--set", "kafka.request_timeout_seconds=1", "report", "--json")
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), setting
        assert mend in result.stderr


def test_a_customer_is_shown_with_its_features_and_changes(live: Live) -> None:
    rows = [json.loads(line) for line in live.run("customers", "--json").stdout.splitlines()]
    customer = max(rows, key=lambda row: int(row["version"]))["customer_id"]
    page = live.run("customer", "show", customer)
    assert page.exit_code == 0
    assert page.stdout.startswith(f"customer {customer}\n")
    assert "Features" in page.stdout
    assert "Last changes" in page.stdout
    said = json.loads(live.run("customer", "show", customer, "--json").stdout)
    assert said["changes"][0]["version"] == int(said["segment"]["version"])


def test_a_customer_is_held_shown_as_held_and_released(live: Live) -> None:
    rows = [json.loads(line) for line in live.run("customers", "--json").stdout.splitlines()]
    customer, id_ = next((row["customer_id"], row["id"]) for row in rows if row["status"] != "dormant")
    other = "s1" if id_ != "s1" else "s2"
    held = live.run("customer", "override", customer, other, "--until", "7d", "--by", "anna", "--reason", "knows")
    assert (held.exit_code, held.stderr) == (0, "")
    _work(live.tree, 1)
    (row,) = (json.loads(line) for line in live.run("customers", "--status", "locked", "--json").stdout.splitlines())
    assert (row["customer_id"], row["id"], row["cause"]) == (customer, other, "override")
    assert "by anna: knows" in live.run("customer", "show", customer).stdout
    assert live.run("customer", "release", customer).exit_code == 0
    _work(live.tree, 1)
    assert live.run("customers", "--status", "locked").stdout == "no such customers\n"
    assert live.run("audit").exit_code == 0
    refused = live.run("customer", "override", customer, "s99")
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_an_unknown_customer_ends_with_one_sentence_and_1(live: Live) -> None:
    result = live.run("customer", "show", "nob\x1bdy")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "segstream: customer 'nob\\x1bdy' is not known: no accepted event of this id has been processed\n"
    )


def test_the_doctor_finds_nothing_that_fails(live: Live) -> None:
    result = live.run("doctor", "--json")
    said = json.loads(result.stdout)
    # The tests' own session timeout is what it may complain of.
    assert {finding["check"] for finding in said["findings"] if finding["result"] != "ok"} <= {"settings"}
    assert (result.exit_code, said["ok"]) == (0, True)
    assert {finding["check"] for finding in said["findings"]} >= {"broker", "topics", "keys", "store", "model"}
    assert "ok    broker" in live.run("doctor").stdout


def test_the_audit_finds_no_difference(live: Live) -> None:
    result = live.run("audit", "--json")
    said = json.loads(result.stdout)
    assert [part for part in said["parts"] if part["differences"]] == []
    assert (result.exit_code, said["ok"]) == (0, True)
    assert live.run("audit").stdout.rstrip().endswith("7 ok")


def test_topics_are_created_once(live: Live) -> None:
    assert live.run("topics", "create").stdout == "all topics exist\n"


def test_a_watch_shows_what_was_and_ends_with_ctrl_c_and_0(live: Live) -> None:
    changes = sum(int(json.loads(line)["version"]) for line in live.run("customers", "--json").stdout.splitlines())
    code, lines = _interrupted(live, ["watch", "--from-beginning", "--json"], lambda seen: len(seen) >= changes)
    assert code == 0
    versions: dict[str, list[int]] = {}
    for change in map(json.loads, lines):
        versions.setdefault(change["customer_id"], []).append(change["version"])
    assert all(told == list(range(1, len(told) + 1)) for told in versions.values())
    assert sum(map(len, versions.values())) == changes


def test_a_watch_of_one_customer_shows_only_that_one(live: Live) -> None:
    rows = [json.loads(line) for line in live.run("customers", "--json").stdout.splitlines()]
    row = max(rows, key=lambda row: int(row["version"]))
    command = ["watch", "--from-beginning", "--customer", row["customer_id"]]
    code, lines = _interrupted(live, command, lambda seen: len(_dated(seen)) >= int(row["version"]))
    assert code == 0
    assert lines[0].startswith(f"changes of {row['customer_id']}, event time in UTC")
    assert all(row["customer_id"] in line for line in _dated(lines))


def test_a_watch_on_a_terminal_has_the_board_below_the_feed_and_stays_so_after_ctrl_c(live: Live) -> None:
    command = [sys.executable, "-m", "consumers.cli", *live.options, "watch", "--from-beginning"]
    terminal, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = _until(terminal, "active customers in 3 segments")
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=30)
    os.close(terminal)
    assert code == 0
    assert "Ctrl-C ends" in seen
    assert "drift" in seen
    assert "Traceback" not in seen


def _until(terminal: int, words: str) -> str:
    """What a terminal shows up to and a little beyond ``words``, without its colours."""
    seen = ""

    def read() -> str | None:
        nonlocal seen
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65_536).decode(errors="replace")
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen)
        return plain if words in plain and "drift" in plain.rpartition(words)[2] else None

    return eventually(read, f"the terminal shows '{words}'", 60.0)


def _dated(lines: list[str]) -> list[str]:
    """The first line of each change; where there is little room it takes more than two."""
    return [line for line in lines[1:] if line[:1].isdigit()]


def _interrupted(live: Live, command: list[str], enough: Callable[[list[str]], bool]) -> tuple[int, list[str]]:
    """Run until enough lines have come, then Ctrl-C; the exit code and the lines."""
    start = [sys.executable, "-m", "consumers.cli", *live.options, *command]
    with subprocess.Popen(start, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not enough(lines) and (line := process.stdout.readline()):
            lines.append(line.rstrip("\n"))
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=30)
        finally:  # where signals are ignored, as in a shell's background job, it would never end
            process.kill()
    return process.returncode, [*lines, *rest.splitlines()]
