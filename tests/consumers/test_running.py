"""Running: a process that is told to end finishes its round first, and is scraped while it runs."""

from __future__ import annotations

import logging
import os
import platform
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from consumers import running
from consumers.embedded import free_port
from consumers.supervising import USER_ERROR
from stream.errors import SettingsError
from stream.metrics import WorkerMetrics
from stream.settings import Tree, load
from tests.brokers import eventually

ROOT = Path(__file__).parents[2]
SECONDS = 60.0

ROUNDS = """
import sys, time
from pathlib import Path
from consumers.running import _until_told
folder = Path(sys.argv[1])
def round_():
    (folder / "began").touch()
    while not (folder / "go on").exists():
        time.sleep(0.01)
    (folder / "finished").touch()
_until_told(round_)
(folder / "ended").touch()
"""
SUPERVISED = """
import sys
from consumers.running import run
from stream.settings import load
sys.exit(run(load(), 1, sys.argv[1:]))
"""


@dataclass
class Started:
    """Three processes that start side by side: importing takes each a second or so."""

    folder: Path
    rounds: subprocess.Popen[bytes]
    mistaken: subprocess.Popen[bytes]
    supervisor: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("rounds")
    nobody = ("--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set", "metrics.enabled=false")
    with ExitStack() as stack:
        yield Started(
            folder,
            stack.enter_context(child(ROUNDS, str(folder))),
            stack.enter_context(child(SUPERVISED, "--set", "kafka.no_such_setting=1")),
            stack.enter_context(child(SUPERVISED, *nobody)),
        )


@contextmanager
def child(code: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own; killed at the end, with its children, if it is still there."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SEGSTREAM_")}
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, env=environ, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        for each in descendants(process):
            each.kill()
        process.kill()
        process.communicate()


def descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def worker_and_owner(process: subprocess.Popen[bytes]) -> list[psutil.Process] | None:
    children = descendants(process)
    return children if len(children) == 2 else None


def test_told_to_end_it_finishes_its_round(started: Started) -> None:
    folder = started.folder
    eventually(lambda: (folder / "began").exists() or None, "the round", SECONDS)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):  # somebody is impatient
        started.rounds.send_signal(number)
    (folder / "go on").touch()
    assert started.rounds.wait(SECONDS) == 0
    assert (folder / "finished").exists()
    assert (folder / "ended").exists()


def test_told_to_end_the_supervisor_ends_its_children(started: Started) -> None:
    children = eventually(lambda: worker_and_owner(started.supervisor), "worker and owner", SECONDS)
    started.supervisor.send_signal(signal.SIGTERM)
    assert started.supervisor.wait(SECONDS) == 0
    assert not [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_a_wrong_setting_of_the_children_ends_all(started: Started) -> None:
    assert started.mistaken.wait(SECONDS) == USER_ERROR


# Metrics


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def metrics(**fields: object) -> Tree:
    return load(flags={"metrics": fields})


def test_a_process_is_scraped_while_it_runs() -> None:
    port = free_port()
    with running._serving(metrics(port=port - 1), 1) as registry:
        WorkerMetrics(registry).assigned({1, 2})
        told = scraped(port)
        assert "segstream_assigned_partitions 2.0" in told
        assert 'segstream_settings_info{client="kafka-python",digest="' in told
        assert (
            f'segstream_build_info{{python="{platform.python_version()}",version="{version("segstream")}"}} 1.0' in told
        )
        assert "process_resident_memory_bytes" in told
    with pytest.raises(urllib.error.URLError):
        scraped(port)


def test_metrics_are_a_setting() -> None:
    port = free_port()
    with running._serving(metrics(enabled=False, port=port), 0), pytest.raises(urllib.error.URLError):
        scraped(port)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_port_0_is_any_free_port_for_every_process(place: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, running.__name__), running._serving(metrics(port=0), place) as registry:
        WorkerMetrics(registry)
        port = int(caplog.messages[-1].rpartition(":")[2].split("/")[0])
        assert port > 1023
        assert "segstream_assigned_partitions" in scraped(port)


def test_a_port_that_is_none_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match=r"metrics\.port"), running._serving(metrics(port=65_534), 2):
        pass


def test_a_start_that_hangs_ends() -> None:
    hanging = (
        "import time\n"
        "from consumers import running\n"
        "running.START_SECONDS = 0.1\n"
        "with running._in_time():\n"
        "    time.sleep(60)\n"
    )
    ended = subprocess.run([sys.executable, "-c", hanging], capture_output=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert b"Timeout" in ended.stderr


def test_a_start_in_time_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "START_SECONDS", 0.1)
    with running._in_time():
        pass
    time.sleep(0.3)
