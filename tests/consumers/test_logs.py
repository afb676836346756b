from __future__ import annotations

import logging

import pytest

from consumers import logs
from stream.errors import SettingsError


@pytest.fixture(autouse=True)
def _as_before(quiet_logging: None) -> None:
    """For every test here."""


def test_a_record_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info")
    logging.getLogger("segstream").info("customer %s", "x\n2026-01-01 ERROR forged\x1b[2J")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(" INFO segstream: customer x\\n2026-01-01 ERROR forged\\x1b[2J\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("level", "kafka"), [("debug", logging.INFO), ("info", logging.CRITICAL)])
def test_kafkas_client_never_speaks_at_debug(level: str, kafka: int) -> None:
    logs.set_up(level)
    assert logging.getLogger("kafka.conn").getEffectiveLevel() == kafka


def test_a_level_that_does_not_exist_is_a_mistake_of_the_user() -> None:
    with pytest.raises(SettingsError, match="--log-level is one of debug, info, warning, error"):
        logs.set_up("loud")
