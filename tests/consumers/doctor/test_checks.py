"""Every check on facts that are well, and on facts that are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumers.doctor import Facts, Finding, examine
from consumers.doctor.facts import KeySample, ModelFacts, PartitionFacts
from consumers.topics import Topic, shapes
from stream.settings import Tree, load
from stream.view.journal import Mark

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
SETTINGS = load()
EVENTS, JOURNAL = SETTINGS.topics.events, SETTINGS.topics.journal
TOPICS = {name: Topic(shape.partitions, "id", shape.configs) for name, shape in shapes(SETTINGS.topics).items()}
MARK = Mark("id", 4, "f", next=100, journal=50, floor=10)
WELL = Facts(
    settings=SETTINGS,
    features_id="f",
    now_ms=NOW_MS,
    topics=TOPICS,
    keys=KeySample(1000),
    partitions={p: PartitionFacts(0, MARK, NOW_MS - 5_000, NOW_MS - DAY_MS, MARK) for p in range(4)},
    model=ModelFacts(12, "cells", "f", NOW_MS - 90_000),
    learnt_at_ms=NOW_MS,
    store="redis 7.0.15",
)


def findings(facts: Facts, check: str) -> list[Finding]:
    return [finding for finding in examine(facts) if finding.check == check]


def only(facts: Facts, check: str) -> Finding:
    [finding] = findings(facts, check)
    return finding


def partition(**changes: Any) -> Facts:
    """Facts whose partition 2 is different."""
    return replace(WELL, partitions={**WELL.partitions, 2: replace(WELL.partitions[2], **changes)})


def test_when_all_is_well_every_check_says_so_in_one_line() -> None:
    found = examine(WELL)
    assert [finding.result for finding in found] == ["ok"] * 9
    assert len({finding.check for finding in found}) == 9
    assert not any(finding.mend for finding in found)


def test_a_broker_that_is_away_is_the_only_thing_said_of_it() -> None:
    away = Facts(SETTINGS, "f", NOW_MS, broker_error="cannot describe topics: refused", store="redis 7")
    found = examine(away)
    assert only(away, "broker").result == "fail"
    assert {finding.check for finding in found} == {"broker", "store", "features", "settings"}


def test_a_missing_topic_names_the_command_that_creates_it() -> None:
    topics = {name: topic for name, topic in TOPICS.items() if name != JOURNAL}
    found = only(replace(WELL, topics=topics), "topics")
    assert (found.result, found.mend) == ("fail", "segstream topics create")
    assert JOURNAL in found.says


def test_another_partition_count_fails() -> None:
    six = replace(TOPICS[EVENTS], partitions=6)
    found = only(replace(WELL, topics={**TOPICS, EVENTS: six}), "topics")
    assert found.result == "fail"
    assert "6 partitions, not 4" in found.says


def test_another_config_warns_with_the_whole_command() -> None:
    configs = {"cleanup.policy": "delete", "retention.ms": "1"}
    found = only(replace(WELL, topics={**TOPICS, JOURNAL: replace(TOPICS[JOURNAL], configs=configs)}), "topics")
    assert found.result == "warn"
    assert found.mend.endswith(f"--entity-name {JOURNAL} --add-config retention.ms=604800000")


def kept(topic: str, retention_ms: int) -> Facts:
    """Facts whose ``topic`` keeps its records for so long."""
    configs = {**TOPICS[topic].configs, "retention.ms": str(retention_ms)}
    return replace(WELL, topics={**TOPICS, topic: replace(TOPICS[topic], configs=configs)})


@pytest.mark.parametrize("retention_ms", [7 * DAY_MS, 7 * DAY_MS + 1, 30 * DAY_MS, -1])
def test_a_journal_that_is_kept_for_longer_is_well(retention_ms: int) -> None:
    assert only(kept(JOURNAL, retention_ms), "topics").result == "ok"


@pytest.mark.parametrize(
    ("topic", "retention_ms", "wanted_ms"),
    [(JOURNAL, 7 * DAY_MS - 1, 7 * DAY_MS), (SETTINGS.topics.ledger, 3650 * DAY_MS, -1)],
)
def test_a_topic_that_is_kept_for_less_long_is_told(topic: str, retention_ms: int, wanted_ms: int) -> None:
    found = only(kept(topic, retention_ms), "topics")
    assert (found.result, found.says) == ("warn", f"topic '{topic}' has retention.ms = {retention_ms}")
    assert found.mend.endswith(f"--add-config retention.ms={wanted_ms}")


def test_events_in_foreign_partitions_fail_and_events_without_key_warn() -> None:
    found = findings(replace(WELL, keys=KeySample(1000, keyless=2, misplaced=7)), "keys")
    assert [finding.result for finding in found] == ["fail", "warn"]
    assert "murmur2" in found[0].mend
    assert only(replace(WELL, keys=KeySample(5, keyless=5)), "keys").result == "warn"


def test_the_store_says_itself_how_to_mend_it() -> None:
    away = replace(WELL, store=None, store_error="Redis at x cannot be reached: start it")
    assert only(away, "store") == Finding("store", "fail", "Redis at x cannot be reached: start it")
    assert findings(away, "view") == []


@pytest.mark.parametrize(
    ("changes", "result", "said"),
    [
        ({"status": "being restored"}, "warn", "partition 2: being restored"),
        (
            {"applied": replace(MARK, journal=49), "written_at_ms": NOW_MS - 600_000},
            "warn",
            "behind its journal",
        ),
        ({"applied": None, "written_at_ms": NOW_MS - 600_000}, "warn", "behind its journal for 10 min"),
        ({"written": replace(MARK, topic_id="old")}, "fail", "recreated"),
    ],
)
def test_a_view_that_is_not_the_journals_is_found(changes: dict[str, Any], result: str, said: str) -> None:
    found = only(partition(**changes), "view")
    assert found.result == result
    assert said in found.says


def test_who_holds_waits_for_a_person() -> None:
    found = only(partition(status="circuit open: too many bad records; mend it, or: segstream resume"), "view")
    assert (found.result, found.mend.endswith("segstream resume")) == ("warn", True)
    assert "resume" not in only(partition(status="restoring 5 customers"), "view").mend


def test_a_store_that_is_behind_for_seconds_is_at_work() -> None:
    assert only(partition(applied=replace(MARK, journal=49)), "view").result == "ok"


def test_a_journal_that_is_half_used_up_warns_and_one_that_lost_its_floor_fails() -> None:
    assert only(partition(floor_at_ms=NOW_MS - 3 * DAY_MS), "journal").result == "ok"
    old = only(partition(floor_at_ms=NOW_MS - 4 * DAY_MS), "journal")
    assert (old.result, old.says) == (
        "warn",
        "a restore of partition 2 reads back 4.0 d, records are kept for 7.0 d",
    )
    lost = only(partition(journal_first=11), "journal")
    assert lost.result == "fail"
    assert "worker.sweep_seconds" in lost.mend


def test_a_journal_that_keeps_everything_is_never_too_old() -> None:
    topic = replace(TOPICS[JOURNAL], configs={**TOPICS[JOURNAL].configs, "retention.ms": "-1"})
    facts = replace(partition(floor_at_ms=0), topics={**TOPICS, JOURNAL: topic})
    assert only(facts, "journal").result == "ok"


def test_an_empty_journal_is_nothing_to_talk_about() -> None:
    assert findings(replace(WELL, partitions={}), "journal") == []


def test_no_model_yet_says_when_there_will_be_one() -> None:
    found = only(replace(WELL, model=None), "model")
    assert (found.result, "500 customers" in found.says) == ("warn", True)


def test_a_model_that_nobody_keeps_up_to_date_warns() -> None:
    stale = replace(WELL, model=ModelFacts(12, "cells", "f", NOW_MS - 2 * 3_600_000))
    assert only(stale, "model").result == "warn"
    assert only(replace(stale, learnt_at_ms=NOW_MS - 2 * 3_600_000), "model").result == "ok"
    assert only(replace(stale, settings=load(flags={"model": {"frozen": True}})), "model").result == "ok"


def test_a_model_of_another_kind_warns() -> None:
    other = replace(WELL, model=ModelFacts(1, "kmeans", "f", NOW_MS))
    assert "model.kind is cells" in only(other, "model").says


@pytest.mark.parametrize(
    "facts",
    [
        replace(WELL, model=ModelFacts(12, "cells", "other", NOW_MS)),
        partition(written=replace(MARK, features_id="other")),
        partition(applied=replace(MARK, features_id="other")),
    ],
    ids=["model", "journal", "store"],
)
def test_other_features_anywhere_fail(facts: Facts) -> None:
    found = only(facts, "features")
    assert found.result == "fail"
    assert "other" in found.says


SETTINGS_THAT_CLASH: list[tuple[dict[str, Any], str]] = [
    (
        {
            "kafka": {"session_timeout_seconds": 5, "request_timeout_seconds": 5, "transaction_timeout_seconds": 10},
            "redis": {"timeout_seconds": 1},
        },
        "look like deaths",
    ),
    (
        {"kafka": {"transaction_timeout_seconds": 60}, "worker": {"watchdog_seconds": 90}},
        "stays open for 60 s",
    ),
    ({"worker": {"watchdog_seconds": 5}}, "watchdog"),
    ({"redis": {"timeout_seconds": 5}}, "tries at the store"),
    ({"worker": {"sweep_seconds": 4 * 86_400}}, "a sweep takes 4.0 d and the journal keeps 7.0 d"),
    ({"customers": {"half_life_days": 10}}, "half-life of 10 d"),
    ({"customers": {"dormancy_floor_days": 8}}, "dormant after 8 d"),
    ({"customers": {"forget_after_days": 28}}, "closed before they can be dormant"),
    ({"model": {"cells": 32}}, "32 cells are few"),
    ({"model": {"warmup_customers": 50}}, "made of 50 customers"),
    ({"profile": "none"}, "no features"),
    ({"kafka": {"bootstrap_servers": "127.0.0.1:9092,kafka.shop.example:9092"}}, "events travel"),
    ({"redis": {"url": "redis://:secret@cache.shop.example:6379/0"}}, "states travel"),
]


@pytest.mark.parametrize(("flags", "said"), SETTINGS_THAT_CLASH)
def test_settings_that_clash_warn_each_with_its_mend(flags: dict[str, Any], said: str) -> None:
    found = only(replace(WELL, settings=load(flags=flags)), "settings")
    assert said in found.says
    assert (found.result, found.mend != "") == ("warn", True)
    assert "secret" not in found.says + found.mend


@pytest.mark.parametrize(
    "settings",
    [
        load(flags={"profile": "personas"}),
        load(flags={"kafka": {"bootstrap_servers": "kafka.shop.example:9093", "security": "tls"}}),
        load(flags={"redis": {"url": "rediss://cache.shop.example:6379/0"}}),
        load(flags={"redis": {"url": "unix:///run/redis.sock"}}),
    ],
)
def test_settings_that_go_together_do_not_warn(settings: Tree) -> None:
    assert only(replace(WELL, settings=settings), "settings").result == "ok"
