"""What the owner tells people: ledger entries and segment profiles, in the words of the contract."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from stream.contracts.segments import (
    Drift,
    FeatureProfile,
    Flow,
    LedgerDetail,
    LedgerEntry,
    LedgerKind,
    ParentGroup,
    RuleCondition,
    SegmentProfile,
    SegmentRule,
    SegmentValue,
)
from stream.contracts.timestamps import rfc3339
from stream.customer.features import FeatureSet
from stream.customer.holdings import Holding
from stream.customer.state import group_id, segment_id
from stream.drift.episodes import Turn
from stream.drift.signals import DECISION, FEATURE, RAW, SHARE
from stream.model import ledger
from stream.model.likeness import alike, outcome_of, outcomes_of
from stream.model.rules import in_words
from stream.model.snapshot import Rule, Segment, Snapshot
from stream.settings import ValueSettings

_DECISIONS = {
    "low_margin": "the share of customers who stand between two segments",
    "atypical": "the share of customers who fit no segment",
    "flap": "the share of changes that are undone",
}
_INCOMING = ("born",)
"""Entries whose related segments are where the customers came from; of all others, where they went."""


def ledger_message(
    features: FeatureSet, settings: ValueSettings, entry: ledger.LedgerEntry, wall_ms: int
) -> LedgerEntry:
    """One line of history."""
    flows = (
        Flow(segment_id(other), entry.id, mass) if entry.kind in _INCOMING else Flow(entry.id, segment_id(other), mass)
        for other, mass in sorted(entry.related.items())
    )
    return LedgerEntry(
        kind=LedgerKind(entry.kind),
        segment_id=entry.id,
        name=entry.name,
        model_version=entry.model_version,
        occurred_at=rfc3339(entry.at_ms),
        decided_at=rfc3339(wall_ms),
        detail=LedgerDetail(tuple(flows), _text(entry), _value(features, settings, entry.holding)),
    )


def drift_message(turn: Turn, model_version: int, wall_ms: int) -> LedgerEntry:
    """A drift that begins or ends."""
    episode = turn.episode
    drift = Drift(episode.signal, turn.what, episode.detector, rfc3339(episode.since_ms), round(episode.level, 3))
    return LedgerEntry(
        kind=LedgerKind.DRIFT,
        segment_id="",
        name=episode.signal,
        model_version=model_version,
        occurred_at=rfc3339(turn.at_ms),
        decided_at=rfc3339(wall_ms),
        detail=LedgerDetail((), _drift_text(drift), drift=drift),
    )


def profile_messages(
    features: FeatureSet, settings: ValueSettings, snapshot: Snapshot, wall_ms: int
) -> list[SegmentProfile]:
    """Every segment as it is now, beside the population."""
    everybody = sum(segment.customers for segment in snapshot.segments) or 1
    population = features.natural(snapshot.scale.mean[None, :])[0]
    means = dict(zip(features.names, np.asarray(population).tolist(), strict=True))
    pairs = alike(outcomes_of(features, settings, snapshot), settings)
    return [
        SegmentProfile(
            id=segment.id,
            name=segment.name,
            customers=segment.customers,
            share=segment.customers / everybody,
            radius=segment.radius,
            profile=_profile(features, segment, means),
            retiring=segment.retiring,
            model_version=snapshot.version,
            updated_at=rfc3339(wall_ms),
            group=ParentGroup(group_id(segment.family), snapshot.families[segment.family]) if segment.family else None,
            rule=_rule(features, segment.rule) if segment.rule else None,
            value=_value(features, settings, segment.holding),
            alike=tuple(segment_id(n) for pair in pairs if segment.number in pair for n in pair if n != segment.number),
        )
        for segment in snapshot.segments
    ]


def _profile(features: FeatureSet, segment: Segment, means: dict[str, float]) -> dict[str, FeatureProfile]:
    profile = {}
    for feature in features.features:
        value, population = segment.profile[feature.name], means[feature.name]
        times = value / population if population > 0 else None
        profile[feature.name] = FeatureProfile(value, feature.unit, population, times)
    return profile


def _value(features: FeatureSet, settings: ValueSettings, holding: Holding) -> SegmentValue:
    value = outcome_of(features, settings, holding).value
    return SegmentValue(active=holding.active, dormant=holding.dormant, **asdict(value))


def _rule(features: FeatureSet, rule: Rule) -> SegmentRule:
    units = {feature.name: feature.unit for feature in features.features}
    return SegmentRule(
        text=in_words(rule, features.features),
        conditions=tuple(RuleCondition(c.feature, c.operator, c.value, units[c.feature]) for c in rule.conditions),
        right=rule.right,
        precision=rule.precision,
        recall=rule.recall,
    )


def _drift_text(drift: Drift) -> str:
    what = _signal_words(drift.signal)
    said = "is not what it was" if drift.what == "begins" else "is as usual again; it was not"
    most = "" if drift.what == "begins" else "at most "
    level = f"{most}{drift.level:.1f} of its limit"
    return f"drift {drift.what}: {what} {said}, since {drift.since} ({drift.detector}, {level})"


def _signal_words(signal: str) -> str:
    if signal == SHARE:
        return "how customers spread over the segments"
    if signal.startswith(FEATURE):
        return f"{signal.removeprefix(FEATURE)} of the customers"
    if signal.startswith(DECISION):
        return _DECISIONS[signal.removeprefix(DECISION)]
    return f"{signal.removeprefix(RAW)} of the orders"


def _text(entry: ledger.LedgerEntry) -> str:
    others = ", ".join(f"{mass} with s{number}" for number, mass in sorted(entry.related.items()))
    said = f"{entry.id} '{entry.name}' {entry.kind}, {entry.customers} customers"
    if entry.former_name is not None:
        said += f", until now '{entry.former_name}'"
    if entry.radii is not None:
        said += f", {entry.radii:.2f} radii from where it was last stated to be"
    if others:
        said += f" ({others})"
    return f"{said}: {entry.why}" if entry.why else said
