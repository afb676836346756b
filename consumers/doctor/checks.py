"""The checks: facts in, findings out. Pure, so that each can be tested without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf

from consumers.doctor.facts import Facts, Finding
from consumers.doctor.settings_checks import settings_findings
from consumers.restoring import BEGIN_ANEW
from consumers.showing.words import duration
from consumers.topics import Shape, complaints, shapes

_QUIET_SECONDS = 60.0
"""What a worker writes to the journal it has applied to the store well before this."""
_STALE_SECONDS = 3600.0
"""An owner that lives has made something of what it was told well before this."""
_GO_ON = "when what it names is mended: segstream resume"
_OTHER_PARTITIONS = (
    "set topics.partitions to what the input topic has, if nothing was processed yet; later, customers would "
    "change places: move to new topics with segstream migrate"
)
_OTHER_FEATURES = f"restore the old declarations of customers.features, or {BEGIN_ANEW}"


def examine(facts: Facts) -> list[Finding]:
    """All findings, in the order in which things depend on each other."""
    return [finding for check in _CHECKS for finding in check(facts)]


def broker(facts: Facts) -> Iterator[Finding]:
    """Whether the broker answers."""
    if facts.broker_error is None:
        yield Finding("broker", "ok", f"answers at {facts.settings.kafka.bootstrap_servers}")
    else:
        yield Finding("broker", "fail", facts.broker_error, "start it, or mend kafka.bootstrap_servers")


def topics(facts: Facts) -> Iterator[Finding]:
    """Whether the topics are there and as they should be."""
    if facts.broker_error is not None:
        return
    problems = [*_missing_topics(facts), *_other_configs(facts)]
    says = f"{len(shapes(facts.settings.topics))} topics, {facts.settings.topics.partitions} input partitions"
    yield from problems or [Finding("topics", "ok", says)]


def keys(facts: Facts) -> Iterator[Finding]:
    """Whether customers are where their keys belong."""
    sample = facts.keys
    if facts.settings.topics.events not in facts.topics:
        return
    if sample.misplaced:
        yield Finding(
            "keys",
            "fail",
            f"{sample.misplaced:,} of {sample.records:,} sampled events are not where their key belongs",
            "let producers partition by murmur2: for librdkafka set partitioner=murmur2_random",
        )
    if sample.keyless:
        says = f"{sample.keyless:,} of {sample.records:,} sampled events have no key and are rejected"
        yield Finding("keys", "warn", says, "send every event under its customer id as key")
    if not sample.misplaced and not sample.keyless:
        yield Finding("keys", "ok", f"{sample.records:,} sampled events are where their key belongs")


def store(facts: Facts) -> Iterator[Finding]:
    """Whether the store answers and keeps what it is given. The error carries its own mend."""
    if facts.store_error is None:
        yield Finding("store", "ok", f"{facts.store} with noeviction")
    else:
        yield Finding("store", "fail", facts.store_error)


def view(facts: Facts) -> Iterator[Finding]:
    """Whether the store shows what the journal says."""
    if facts.broker_error is not None or facts.store_error is not None:
        return
    problems = [finding for p in sorted(facts.partitions) for finding in _partition_view(facts, p)]
    yield from problems or [
        Finding("view", "ok", f"{len(facts.partitions)} partitions shown up to their journal's end")
    ]


def journal(facts: Facts) -> Iterator[Finding]:
    """Whether a lost store could be restored, and for how long that stays so."""
    name = facts.settings.topics.journal
    written = {p: f for p, f in facts.partitions.items() if f.written is not None}
    if name not in facts.topics or not written:
        return
    retention_seconds = float(facts.topics[name].configs.get("retention.ms", "-1")) / 1000
    oldest = min(written, key=lambda p: written[p].floor_at_ms)
    age_seconds = (facts.now_ms - written[oldest].floor_at_ms) / 1000
    mend = f"see that workers run; raise retention.ms of '{name}', or lower worker.sweep_seconds"
    gone = [p for p, f in written.items() if f.written is not None and f.journal_first > f.written.floor]
    if gone:
        says = f"partition {gone[0]}: the journal does not reach its floor, a lost store cannot be restored"
        yield Finding("journal", "fail", says, f"keep the store; {mend}")
        return
    kept = "for ever" if retention_seconds < 0 else f"for {duration(retention_seconds)}"
    says = f"a restore of partition {oldest} reads back {duration(age_seconds)}, records are kept {kept}"
    is_old = 0 <= retention_seconds < 2 * age_seconds
    yield Finding("journal", "warn" if is_old else "ok", says, mend if is_old else "")


def model(facts: Facts) -> Iterator[Finding]:
    """Whether there is a model and somebody who keeps it up to date."""
    settings = facts.settings.model
    if facts.settings.topics.model not in facts.topics:
        return
    if facts.model is None:
        says = f"none yet: the first comes when {settings.warmup_customers:,} customers have been seen"
        yield Finding("model", "warn", says, "send events, and see that segstream run is up")
        return
    age = duration((facts.now_ms - facts.model.published_at_ms) / 1000)
    says = f"version {facts.model.version} of kind {facts.model.kind}, published {age} ago"
    behind_seconds = ((facts.learnt_at_ms or 0) - facts.model.published_at_ms) / 1000
    if facts.model.kind != settings.kind:
        yield Finding("model", "warn", f"{says}, but model.kind is {settings.kind}", "restart the owner")
    elif behind_seconds > _STALE_SECONDS and not settings.frozen:
        yield Finding("model", "warn", f"{says}, and rows wait to be learnt", "see that an owner runs: segstream run")
    else:
        yield Finding("model", "ok", says)


def features(facts: Facts) -> Iterator[Finding]:
    """Whether settings, model, journal and store mean the same numbers."""
    found = {"the model": facts.model.features_id} if facts.model else {}
    for partition, of in facts.partitions.items():
        for where, mark in (("the journal", of.written), ("the store", of.applied)):
            if mark is not None:
                found[f"{where} of partition {partition}"] = mark.features_id
    other = [where for where, features_id in found.items() if features_id != facts.features_id]
    if other:
        says = f"{other[0]} is of features {found[other[0]]}, the settings declare {facts.features_id}"
        yield Finding("features", "fail", says, _OTHER_FEATURES)
    else:
        count = len(facts.settings.customers.features)
        yield Finding("features", "ok", f"{count} features, {facts.features_id}, the same everywhere")


def _missing_topics(facts: Facts) -> Iterator[Finding]:
    wanted = shapes(facts.settings.topics)
    for complaint in complaints({name: Shape(shape.partitions) for name, shape in wanted.items()}, facts.topics):
        mend = "segstream topics create" if complaint.endswith("not exist") else _OTHER_PARTITIONS
        yield Finding("topics", "fail", complaint, mend)


def _other_configs(facts: Facts) -> Iterator[Finding]:
    for name, shape in shapes(facts.settings.topics).items():
        found = facts.topics[name].configs if name in facts.topics else shape.configs
        other = {key: value for key, value in shape.configs.items() if not _suffices(key, found.get(key), value)}
        if other:
            has = ", ".join(f"{key} = {found.get(key)}" for key in other)
            should = ",".join(f"{key}={value}" for key, value in other.items())
            mend = f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config {should}"
            yield Finding("topics", "warn", f"topic '{name}' has {has}", mend)


def _suffices(key: str, found: str | None, wanted: str) -> bool:
    """Whether a config is as it should be, or keeps records for longer: an operator in need is told to make it so."""
    if key != "retention.ms" or found is None:
        return found == wanted
    return _kept_ms(found) >= _kept_ms(wanted)


def _kept_ms(retention: str) -> float:
    """``retention.ms`` as a number, where -1 means for ever."""
    return inf if retention == "-1" else float(retention)


def _partition_view(facts: Facts, partition: int) -> Iterator[Finding]:
    of = facts.partitions[partition]
    if of.status is not None:
        mend = _GO_ON if "segstream resume" in of.status else "wait for the worker to finish"
        yield Finding("view", "warn", f"partition {partition}: {of.status}", mend)
        return
    for mark in (of.written, of.applied):
        topic = facts.topics.get(facts.settings.topics.events)
        if mark is not None and topic is not None and mark.topic_id != topic.topic_id:
            says = f"partition {partition}: the input topic was recreated since its state was written"
            yield Finding("view", "fail", says, f"restore the old topic, or {BEGIN_ANEW}")
            return
    quiet_seconds = (facts.now_ms - of.written_at_ms) / 1000
    if of.written is not None and quiet_seconds > _QUIET_SECONDS:
        applied = -1 if of.applied is None else of.applied.journal
        if applied < of.written.journal:
            says = f"partition {partition}: the store is behind its journal for {duration(quiet_seconds)}"
            yield Finding("view", "warn", says, "see that a worker runs: it restores the partition")


def _settings(facts: Facts) -> Iterator[Finding]:
    return settings_findings(facts.settings)


_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    broker,
    topics,
    keys,
    store,
    view,
    journal,
    model,
    features,
    _settings,
)
