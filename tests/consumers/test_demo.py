"""The demo's own judgements. The run itself is a command, and CI runs it: ``make demo``."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from consumers import demo
from consumers.cli import app, flags
from consumers.embedded import EmbeddedStore
from stream.contracts.changes import Cause, SegmentChange
from stream.contracts.examples import CHANGE
from stream.errors import SegstreamError
from stream.settings import load

assert CHANGE.current is not None
HASH = {
    "id": CHANGE.current.id,
    "name": "whatever it is called now",
    "status": CHANGE.current.status.value,
    "version": str(CHANGE.version),
    "cause": CHANGE.cause.value,
}
CLOSED = replace(CHANGE, current=None, cause=Cause.EXPIRED)


@pytest.mark.parametrize("field", ["id", "status", "version", "cause"])
def test_a_hash_says_what_was_last_told_or_it_does_not_match(field: str) -> None:
    assert demo._says_the_same(HASH, CHANGE)
    assert not demo._says_the_same({**HASH, field: "other"}, CHANGE)


def test_who_is_closed_has_no_hash() -> None:
    assert demo._says_the_same(None, CLOSED)
    assert not demo._says_the_same(HASH, CLOSED)
    assert not demo._says_the_same(None, CHANGE)


def at(minute: int, cause: Cause) -> SegmentChange:
    return replace(CHANGE, cause=cause, occurred_at=f"2017-06-03T22:{minute:02}:00.000Z")


def test_the_changes_shown_are_the_newest_of_each_kind_in_time_order() -> None:
    changes = [at(minute, cause) for cause in (Cause.MODEL, Cause.TIME, Cause.BEHAVIOUR) for minute in range(20, 30)]
    told = demo._telling([*changes, CLOSED, replace(at(59, Cause.BEHAVIOUR), reasons=())])
    minutes = {cause: [int(c.occurred_at[14:16]) for c in told if c.cause == cause] for cause in Cause}
    shown = {Cause.BEHAVIOUR: [26, 27, 28, 29], Cause.TIME: [27, 28, 29], Cause.MODEL: [29]}
    assert {cause: at for cause, at in minutes.items() if at} == shown
    assert [c.occurred_at for c in told] == sorted(c.occurred_at for c in told)


def said_by(code: str) -> int:
    out = subprocess.PIPE
    return demo._sent(subprocess.Popen([sys.executable, "-S", "-c", code], stdout=out, stderr=out, text=True))


def test_the_producer_says_how_many_it_sent() -> None:
    assert said_by("""print('hello'); print('{"events": 17}')""") == 17


@pytest.mark.parametrize(
    ("code", "why"), [("raise SystemExit('first\\nno broker')", "no broker"), ("raise SystemExit(3)", "no word")]
)
def test_a_producer_that_failed_is_told(code: str, why: str) -> None:
    with pytest.raises(SegstreamError, match=f"the producer failed: {why}"):
        said_by(code)


def said_while_up(broker: Any, store: Any, page: str | None) -> str:
    """What the demo prints when the replay is over, until somebody presses Ctrl-C."""

    def ctrl_c() -> None:
        raise KeyboardInterrupt

    console: Any = Console(file=io.StringIO(), width=80)
    lockstep: Any = SimpleNamespace(run_once=ctrl_c)
    demo._stay_up(console, lockstep, broker, store, page)
    return str(console.file.getvalue())


@pytest.mark.parametrize("page", ["http://127.0.0.1:8642/", None])
def test_whoever_looks_from_outside_is_told_where_everything_is(page: str | None) -> None:
    broker = SimpleNamespace(bootstrap_servers="127.0.0.1:4711")
    store = SimpleNamespace(port=4712, url="redis://127.0.0.1:4712/0")
    lines = said_while_up(broker, store, page).splitlines()
    assert lines[1:] == [
        f"  in a browser: {page}" if page else "  (the live page did not come up)",
        "  kcat -b 127.0.0.1:4711 -t segment.changes -o -5 -e",
        "  redis-cli -p 4712 HGETALL segment:1",
        "  segstream --set kafka.bootstrap_servers=127.0.0.1:4711 --set redis.url=redis://127.0.0.1:4712/0 "
        "--set topics.partitions=1 segments",
        "bye",
    ]


def test_the_commands_of_segstream_reach_the_demo_by_the_line_it_prints(
    quiet_logging: None, embedded_store: EmbeddedStore
) -> None:
    broker: Any = SimpleNamespace(bootstrap_servers="127.0.0.1:4711")
    (line,) = re.findall(r"^  segstream (.*)$", said_while_up(broker, embedded_store, None), re.MULTILINE)
    told, demos = load(flags=flags(re.findall(r"--set (\S+)", line))), demo._embedded(load(), broker, embedded_store)
    assert told.kafka.bootstrap_servers == demos.kafka.bootstrap_servers
    assert (told.redis, told.topics, told.customers) == (demos.redis, demos.topics, demos.customers)
    result = CliRunner().invoke(app, line.split())
    assert (result.exit_code, result.stderr) == (0, "")
