from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import suppress
from queue import SimpleQueue

import pytest

from producers.watchdog import EXIT_CODE, Watchdog


def test_it_ends_the_process_when_a_call_takes_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    ended = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    with Watchdog(0.01, end).watching("commit"):
        assert ended.wait(10)
    assert codes == [EXIT_CODE]
    assert "'commit' did not return in 0.01 s" in capsys.readouterr().err


@pytest.mark.parametrize("error", [None, ValueError])
def test_it_is_quiet_when_the_call_returns_or_raises(error: type[Exception] | None) -> None:
    codes: list[int] = []
    watchdog = Watchdog(0.05, codes.append)
    for _ in range(3):
        with suppress(ValueError), watchdog.watching("commit"):
            if error:
                raise error
    time.sleep(0.2)
    assert codes == []


def test_it_watches_again_and_each_call_from_its_own_beginning() -> None:
    ended: SimpleQueue[int] = SimpleQueue()
    watchdog = Watchdog(0.5, ended.put)
    for _ in range(3):
        with watchdog.watching("commit"):
            time.sleep(0.2)
    assert ended.empty()
    with watchdog.watching("commit"):
        assert ended.get(timeout=10) == EXIT_CODE


def test_watching_starts_no_thread() -> None:
    """Without memory that may hang, and nobody would be watching."""
    watchdog = Watchdog(60)
    before = threading.active_count()
    with watchdog.watching("commit"):
        assert threading.active_count() == before


def test_a_watchdog_that_fails_ends_the_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("builtins.print", fail)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    ended: SimpleQueue[int] = SimpleQueue()
    with Watchdog(0.01, ended.put).watching("commit"):
        assert ended.get(timeout=10) == EXIT_CODE


def test_nothing_can_hold_it_up() -> None:
    hanging = (
        "import threading\n"
        "from producers.watchdog import Watchdog\n"
        "with Watchdog(0.05).watching('commit'):\n"
        "    threading.Event().wait(60)\n"
    )
    ended = subprocess.run([sys.executable, "-c", hanging], capture_output=True, timeout=30, check=False)
    assert ended.returncode == EXIT_CODE
