"""What ``doctor`` and ``audit`` do: look at the running system, say what holds, answer with an exit code."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict

from consumers import auditing
from consumers.doctor import collect, examine
from consumers.inspecting import console, print_json
from consumers.kafka_source import KafkaTail
from consumers.showing.findings import audit_page, findings_page
from consumers.topics import shapes, topic_identity
from stream.settings import Tree
from stream.view.redis_reader import RedisReader


def doctor(settings: Tree, *, as_json: bool) -> int:
    """Print the findings; 1 if something fails."""
    findings = examine(collect(settings, _now_ms()))
    ok = all(finding.result != "fail" for finding in findings)
    if as_json:
        print_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        console().print(findings_page(findings))
    return 0 if ok else 1


def audit(settings: Tree, *, as_json: bool) -> int:
    """Print the parts; 1 if something differs. Raises ``SegstreamError`` when something cannot be read."""
    _, partitions = topic_identity(settings, settings.topics.events)
    history_ms = int(shapes(settings.topics)[settings.topics.changes].configs["min.compaction.lag.ms"])
    with closing(KafkaTail(settings.kafka)) as tail, closing(RedisReader(settings.redis)) as reader:
        parts = auditing.audit(settings, tail, reader, partitions, _now_ms() - history_ms)
    ok = all(part.holds for part in parts)
    if as_json:
        print_json({"ok": ok, "parts": [asdict(part) for part in parts]})
    else:
        console().print(audit_page(parts))
    return 0 if ok else 1


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
