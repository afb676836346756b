"""The page as a process of its own: it says what it cannot reach, and ends with whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from consumers.embedded import free_port, listens
from consumers.page.serving import address, beside
from stream.errors import SettingsError
from stream.settings import Tree, load
from tests.brokers import eventually


def nowhere(**page: object) -> Tree:
    """Neither broker nor store."""
    return load(
        flags={
            "kafka": {"bootstrap_servers": f"127.0.0.1:{free_port()}", "request_timeout_seconds": 1},
            "redis": {"url": f"redis://127.0.0.1:{free_port()}/0", "timeout_seconds": 1},
            "page": {"port": free_port(), **page},
        }
    )


def get(url: str) -> bytes:
    with urllib.request.urlopen(url.partition("#")[0], timeout=10) as answer:  # noqa: S310 (our own)
        content: bytes = answer.read()
        return content


def test_beside_it_is_there_with_a_token_and_gone_afterwards() -> None:
    settings = nowhere()
    with beside(settings) as where:
        assert where is not None
        assert where.startswith(f"http://127.0.0.1:{settings.page.port}/#token=")
        assert b"<!doctype html>" in get(where)

        def sentence() -> str | None:
            said = json.loads(get(f"{address(settings)}api/snapshot"))["status"]
            return said["words"][0] if said["kind"] == "unreachable" else None

        found = eventually(sentence, "it says what it cannot reach", 30.0)
        assert found.startswith("the store has not answered yet (Redis at 127.0.0.1")
    assert not listens(settings.page.port)


def test_beside_another_port_is_taken_where_its_own_is_not_free() -> None:
    settings = nowhere()
    with beside(settings) as first, beside(settings) as second:
        assert first is not None
        assert second is not None
        assert first.partition("#")[0] != second.partition("#")[0]


def test_it_ends_with_a_parent_that_is_killed() -> None:
    settings = nowhere()
    script = (
        "import time\nfrom consumers.page.serving import beside\nfrom stream.settings import load\n"
        "if __name__ == '__main__':\n"
        f"    with beside(load(flags={{'page': {{'port': {settings.page.port}}}}})) as where:\n"
        "        print(where, flush=True)\n        time.sleep(60)\n"
    )
    root = Path(__file__).parent.parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("http://")
        parent.kill()
    eventually(lambda: not listens(settings.page.port) or None, "the page is gone", 10.0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_end(number: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-m", "consumers.cli", "dashboard", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: listens(port) or None, "the page listens", 30.0)
        assert b"segstream" in get(f"http://127.0.0.1:{port}/")
        began = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in said) == (0, False)
    assert time.monotonic() - began < 10
    assert f"the page is at http://127.0.0.1:{port}/" in said


def test_a_taken_port_is_named() -> None:
    from consumers.page.serving import serve

    settings = nowhere()
    with beside(settings), pytest.raises(SettingsError, match=r"^page\.port: 127\.0\.0\.1:\d+ cannot be listened on"):
        serve(settings)


@pytest.mark.parametrize("page", [{"token": "short"}, {"port": 0}, {"hosts": "x"}])
def test_settings_of_the_page_are_checked(page: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"^page\."):
        nowhere(**page)
