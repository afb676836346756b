"""``segstream report``: read, put together, write."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from consumers.reporting.document import document
from consumers.reporting.facts import Facts, facts_of
from consumers.reporting.gathering import gather
from consumers.reporting.period import period
from consumers.showing.words import minute
from consumers.topics import topic_identity
from consumers.watching.marks import newest_event_ms
from consumers.watching.outside import Outside, kafka_and_redis
from stream.errors import BrokerUnavailable, SettingsError, StoreUnavailable
from stream.settings import Tree


def report(settings: Tree, *, day: str | None, hours: int | None, html: Path | None, as_json: bool) -> str:
    """Write the file, or print JSON; returns what to tell whoever asked. Raises ``SettingsError``."""
    if html is None and not as_json:
        raise SettingsError("say where to: --html FILE, or --json")
    outside = kafka_and_redis(settings)
    try:
        _, partitions = topic_identity(settings, settings.topics.changes)
        facts = facts_now(settings, outside, day, hours, partitions)
    except BrokerUnavailable as error:
        servers = settings.kafka.bootstrap_servers
        raise SettingsError(f"Kafka at {servers} (kafka.bootstrap_servers) does not answer: {error}") from error
    except StoreUnavailable as error:
        raise SettingsError(str(error)) from error  # it names redis.url
    if as_json:
        print(json.dumps(facts.to_json()))
    if html is None:
        return ""
    _write(html, document(facts, minute(round(outside.now_seconds() * 1000))))
    return f"{facts.period.title}: {facts.headline}\nwritten to {html}"


def facts_now(settings: Tree, outside: Outside, day: str | None, hours: int | None, partitions: int) -> Facts:
    """As broker and store have them. Raises ``BrokerUnavailable``, ``StoreUnavailable``, ``SettingsError``."""
    with closing(outside.reader()) as reader, closing(outside.tail()) as tail:
        newest_ms = newest_event_ms(reader, partitions)
        wanted = period(day, hours, round(outside.now_seconds() * 1000) if newest_ms is None else newest_ms)
        material = gather(reader, tail, settings.topics, wanted, partitions)
    return facts_of(material, wanted, settings.model.warmup_customers)


def _write(file: Path, text: str) -> None:
    """Whole or not at all: what stands there is replaced once the new one is written."""
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise SettingsError(f"--html {file} cannot be written: {error.strerror}") from error
