from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from consumers.build import memory_backend
from consumers.cli import app
from consumers.migrating import target_of
from consumers.migrating.command import tell
from consumers.twins import Twins
from consumers.worker import Clocks
from stream.settings import load
from tests.consumers.shop import quiet_shop, settings


def told(twins: Twins, answer: bool) -> tuple[int, list[str]]:
    said: list[str] = []
    backend = memory_backend(twins.settings, twins.broker, twins.store, Clocks(twins.wall.now, twins.wall.wait))
    target = target_of(twins.settings.topics, 5)
    return tell(twins.settings, backend, target, lambda _: answer, said.append), said


def shop() -> Twins:
    return quiet_shop(settings(topics={"partitions": 2}))


def test_it_says_what_it_will_do_and_does_nothing_unasked() -> None:
    twins = shop()
    code, said = told(twins, answer=False)
    assert (code, said[0]) == (1, "from 2 to 5 partitions, in new topics:")
    assert said[1:] == [
        "  customer.events -> customer.events.v2",
        "  segment.changes -> segment.changes.v2",
        "  customer.events.rejected -> customer.events.rejected.v2",
        "  segstream.journal -> segstream.journal.v2",
    ]
    assert told(twins, answer=True)[0] == 0  # the topics were still there to be created


def test_it_says_what_to_change_and_where_the_history_stays() -> None:
    twins = shop()
    code, said = told(twins, answer=True)
    assert code == 0
    assert said[5:7] == [f"partition {p}: {n} customers" for p, n in enumerate(sizes(twins))]
    assert said[7].startswith("60 customers moved, ")
    start = said.index("1. In segstream.toml:") + 1
    written = tomllib.loads("\n".join(line.strip() for line in said[start : start + 6]))
    assert load(flags=written).topics == target_of(twins.settings.topics, 5).new
    text = "\n".join(said)
    assert "Producers send to 'customer.events.v2' from now on" in text
    assert "older ones stay in 'segment.changes'" in text


def sizes(twins: Twins) -> list[int]:
    """Customers by old partition, as the change topic has them."""
    topic = twins.settings.topics.changes
    return [len({entry.key for _, entry in twins.broker.read(topic, p, 0, 10_000)[0]}) for p in range(2)]


def test_a_mistake_on_the_command_line_ends_in_one_sentence(
    quiet_logging: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["migrate", "--partitions", "4"])
    assert (result.exit_code, result.stderr.splitlines()) == (
        2,
        ["segstream: --partitions: 'customer.events' has 4 already; there is nothing to migrate"],
    )
