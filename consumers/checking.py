"""What ``doctor`` and ``audit`` do: look at the running system, say what holds, answer with an exit code."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict

from consumers import auditing, verifying
from consumers.auditing.report import FIRST
from consumers.build import kafka_backend
from consumers.doctor import collect, examine
from consumers.inspecting import console, print_json
from consumers.kafka_tail import KafkaTail
from consumers.showing.findings import audit_page, findings_page, repair_page
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
    with closing(KafkaTail(settings.kafka)) as tail, closing(RedisReader(settings.redis)) as reader:
        parts = auditing.audit(settings, tail, reader, partitions, _complete_since_ms(settings))
    ok = all(part.holds for part in parts)
    if as_json:
        print_json({"ok": ok, "parts": [asdict(part) for part in parts]})
    else:
        console().print(audit_page(parts))
    return 0 if ok else 1


def verify(settings: Tree, customer: str | None, *, as_json: bool) -> int:
    """Print whether the published decisions are those that are due; 1 if one is not, or none can be had again."""
    _, partitions = topic_identity(settings, settings.topics.events)
    with closing(KafkaTail(settings.kafka)) as tail:
        found = verifying.verify(settings, tail, partitions, customer)
    ok = found.part.holds and found.same > 0
    if as_json:
        counts = {"same": found.same, "different": len(found.differing), "gone": found.gone}
        print_json({"ok": ok, **counts, "first": found.differing[:FIRST]})
    else:
        console().print(audit_page([found.part]))
    return 0 if ok else 1


def repair(settings: Tree, *, as_json: bool) -> int:
    """Mend what can be mended, print what was done and what an audit says then; 1 if something still differs."""
    with closing(RedisReader(settings.redis)) as reader:
        repaired = auditing.repair(settings, kafka_backend(settings), reader, _complete_since_ms(settings))
    if as_json:
        parts = [asdict(part) for part in repaired.parts]
        print_json({"ok": repaired.ok, "repaired": list(repaired.done), "parts": parts})
    else:
        console().print(repair_page(repaired))
    return 0 if repaired.ok else 1


def _complete_since_ms(settings: Tree) -> int:
    """Changes that were written since have not been compacted."""
    return _now_ms() - int(shapes(settings.topics)[settings.topics.changes].configs["min.compaction.lag.ms"])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
