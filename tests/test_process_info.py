"""What a process says of itself: the same of all processes of one service, and no secret."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from stream.process_info import ProcessInfo, digest
from stream.settings import load


def told(**flags: Any) -> str:
    return digest(load(flags=flags))


def test_processes_of_one_service_have_one_digest() -> None:
    assert told() == told(metrics={"port": 9999, "host": "0.0.0.0"}) == told(kafka={"instance": "host-7"})  # noqa: S104


@pytest.mark.parametrize("flags", [{"model": {"margin": 0.3}}, {"profile": "telecom"}, {"kafka": {"group": "other"}}])
def test_another_setting_is_another_digest(flags: dict[str, Any]) -> None:
    assert told(**flags) != told()


def test_a_secret_is_neither_shown_nor_digested() -> None:
    registry = CollectorRegistry()
    secret = {"redis": {"url": "redis://anna:swordfish@127.0.0.1:6379/0"}}
    ProcessInfo(registry, load(flags=secret))
    assert "swordfish" not in generate_latest(registry).decode()
    assert told(**secret) == told()
