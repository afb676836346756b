"""Every query of every panel against a real Prometheus that scrapes the running service: it must answer something.

Worker and owner are processes of the command line on the embedded broker and store; events come in while it looks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from consumers.embedded import EmbeddedStore, free_port
from producers.kafka_writer import KafkaWriter
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from producers.replay import replay
from stream.errors import SettingsError
from stream.settings import Tree
from tests.brokers import Broker
from tests.grafana.boards import Target, targets
from tests.grafana.prometheus import Prometheus
from tests.servers import missing
from tests.service.pair import Flags, Pair, create
from tests.service.processes import running

ALERT_ONLY = {("glance", "Alerts that fire"), *((board, "mark: Drift") for board in ("glance", "drift", "pipeline"))}
"""Empty is what they should be: nothing fires, and nothing drifts."""
SECONDS = 150.0
CHUNK = 300
YOUNG = {"half_life_days": 3}
"""Drift has a reference when customers have a history; who forgets soon has one soon."""
MODEL: Flags = {"warmup_customers": 60, "macro_rows": 300, "interval_seconds": 0, "cells": 30}


def asked() -> set[Target]:
    """What must answer: all but what shows alerts only."""
    return {t for t in targets() if (t.board, t.panel) not in ALERT_ONLY}


class Feed:
    """Orders of a few hundred customers; some are damaged, some come twice."""

    def __init__(self, settings: Tree) -> None:
        self._settings = settings
        self._events = self._every()

    def _every(self) -> Iterator[Encoded]:
        for number, event in enumerate(Personas(PersonasPlan(customers=400, days=300, seed=5, views_per_order=0.5))):
            yield event._replace(payload=event.payload[:-1]) if number % 50 == 0 else event
            if number % 60 == 0:
                yield event

    def send(self, writer: KafkaWriter, count: int) -> int:
        return replay(islice(self._events, count), writer, self._settings.topics.events).events


@pytest.fixture(scope="module")
def prometheus(
    embedded_broker: Broker, embedded_store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Prometheus, set[Target]]]:
    """A Prometheus that has seen the service at work, and the queries that never answered."""
    port = free_port()
    try:
        server = Prometheus({"worker": port, "owner": port + 1})
    except SettingsError as error:
        missing(str(error))
    pair = Pair(embedded_broker, embedded_store.url)
    flags = pair.flags(metrics={"port": port}, model=MODEL, customers=YOUNG, profile="personas")  # type: ignore[arg-type]
    settings = create(flags)
    folder: Path = tmp_path_factory.mktemp("service")
    with running(flags, settings, 0, folder) as service, server, closing(KafkaWriter(settings.kafka)) as writer:
        feed, open_, deadline = Feed(settings), asked(), time.monotonic() + SECONDS
        while open_ and time.monotonic() < deadline:
            for process in (service.worker, service.owner):
                process.check()
            feed.send(writer, CHUNK)
            time.sleep(1.0)
            open_ = {target for target in open_ if not server.values(target.filled)}
        yield server, open_
    pair.empty_store()


def test_every_panel_shows_something(prometheus: tuple[Prometheus, set[Target]]) -> None:
    _, silent = prometheus
    assert sorted(f"{t.board}: {t.panel}: {t.filled}" for t in silent) == []


def test_a_query_of_something_else_shows_nothing(prometheus: tuple[Prometheus, set[Target]]) -> None:
    server, _ = prometheus
    assert server.values('sum(segstream_events_total{job=~".+", outcome="dead"})') == []


def test_both_roles_are_scraped_as_one_job(prometheus: tuple[Prometheus, set[Target]]) -> None:
    server, _ = prometheus
    found = [(t["labels"]["job"], t["labels"]["role"], t["health"]) for t in server.api("targets")["activeTargets"]]
    assert sorted(found) == [("segstream", "owner", "up"), ("segstream", "worker", "up")]


def test_every_rule_is_evaluated_without_an_error(prometheus: tuple[Prometheus, set[Target]]) -> None:
    server, _ = prometheus
    rules = [rule for group in server.api("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 35
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"] == []


def test_nobody_is_woken_by_a_service_that_works(prometheus: tuple[Prometheus, set[Target]]) -> None:
    server, _ = prometheus
    assert server.values('ALERTS{alertstate="firing", severity="page"}') == []


def test_a_process_stays_within_its_series(prometheus: tuple[Prometheus, set[Target]]) -> None:
    server, _ = prometheus
    assert 100 < max(server.values("max(scrape_samples_scraped)")) < 1500
