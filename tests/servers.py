"""Real servers for the tests: where one is missing the test is skipped, and fails in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import NoReturn, TypeVar

import pytest

from benchmarks.guarded_kafka import GuardedKafka
from benchmarks.servers import ApacheKafka, RedisServer
from consumers.embedded import EmbeddedBroker, EmbeddedStore
from stream.errors import SettingsError

_Server = TypeVar("_Server")


def missing(what: str) -> NoReturn:
    """A missing server skips on a laptop and fails in CI: nothing is green because it did not run."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI=true")
    pytest.skip(what)


def apache_kafka() -> ApacheKafka:
    """Apache Kafka 4, one node."""
    return _installed(ApacheKafka)


def guarded_kafka(user: str, password: str) -> GuardedKafka:
    """Apache Kafka 4 that asks for a name and a password."""
    return _installed(lambda: GuardedKafka(user, password))


def embedded_broker() -> EmbeddedBroker:
    """The broker of ``segstream[demo]``."""
    return _installed(EmbeddedBroker)


def embedded_store() -> EmbeddedStore:
    """The store of ``segstream[demo]``."""
    return _installed(EmbeddedStore)


def redis_server() -> EmbeddedStore:
    """redis-server of this machine."""
    return _installed(RedisServer)


def chromium() -> str:
    """Path of this machine's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or missing("there is no chromium on this machine; on Debian: apt-get install chromium")


def _installed(server: Callable[[], _Server]) -> _Server:
    try:
        return server()
    except SettingsError as error:
        missing(str(error))
