from __future__ import annotations

import subprocess
import sys
import threading

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
    before = threading.active_count()
    try:
        with Watchdog(60, codes.append).watching("commit"):
            assert threading.active_count() == before + 1
            if error:
                raise error
    except ValueError:
        pass
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(10)
    assert threading.active_count() == before
    assert codes == []


def test_nothing_can_hold_it_up() -> None:
    hanging = (
        "import threading\n"
        "from producers.watchdog import Watchdog\n"
        "with Watchdog(0.05).watching('commit'):\n"
        "    threading.Event().wait(60)\n"
    )
    ended = subprocess.run([sys.executable, "-c", hanging], capture_output=True, timeout=30, check=False)
    assert ended.returncode == EXIT_CODE
