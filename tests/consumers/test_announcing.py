"""What people are told of segments: the same as the model says, in the words of the contract."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest

from consumers.announcing import drift_message, ledger_message, profile_messages
from stream.contracts.segments import (
    Flow,
    ParentGroup,
    RuleCondition,
    SegmentProfile,
    SegmentValue,
    decode_entry,
    decode_profile,
    encode_entry,
    encode_profile,
)
from stream.contracts.segments import LedgerEntry as Message
from stream.customer.features import FeatureSet
from stream.customer.holdings import Holding
from stream.drift.episodes import Episode, Turn
from stream.model.ledger import LedgerEntry, LedgerKind
from stream.model.snapshot import Condition, Rule, Snapshot
from stream.model.value import clv
from stream.settings import ValueSettings
from tests.helpers import MONDAY_MS, WALL_MS, retail, shop, shop_model, shop_settings

VALUE = ValueSettings(margin=0.5)


def entry(kind: LedgerKind = "born", **fields: object) -> LedgerEntry:
    plain = {"number": 3, "name": "large", "at_ms": MONDAY_MS, "model_version": 7, "customers": 120}
    return replace(LedgerEntry(kind, **plain), **fields)  # type: ignore[arg-type]


def told(entry: LedgerEntry, wall_ms: int) -> Message:
    return ledger_message(shop(), VALUE, entry, wall_ms)


def profiles_of(features: FeatureSet, snapshot: Snapshot, wall_ms: int) -> list[SegmentProfile]:
    return profile_messages(features, VALUE, snapshot, wall_ms)


def profiled() -> Snapshot:
    """The model of the little shop, with profiles; the third segment is leaving."""
    snapshot = shop_model(retiring=[3])
    population = shop().natural(snapshot.scale.mean[None])[0]
    twice = dict(zip(shop().names, (2 * population).tolist(), strict=True))
    segments = [replace(s, profile=twice, customers=10 * s.number) for s in snapshot.segments]
    return replace(snapshot, segments=tuple(segments))


@pytest.mark.parametrize("kind", ["born", "shifted", "split", "merged", "renamed", "retiring", "retired"])
def test_every_kind_of_entry_has_its_word_in_the_contract(kind: LedgerKind) -> None:
    message = told(entry(kind), WALL_MS)
    assert decode_entry(encode_entry(message)) == message
    assert (message.kind.value, message.segment_id, message.name, message.model_version) == (kind, "s3", "large", 7)
    assert (message.occurred_at, message.decided_at) == ("2025-01-06T00:00:00.000Z", "2027-01-15T08:00:00.000Z")
    assert message.detail.text == f"s3 'large' {kind}, 120 customers"


def test_customers_flow_into_who_is_born_and_out_of_all_others() -> None:
    of = {2: 30, 1: 20}
    assert told(entry("born", related=of), 0).detail.flows == (Flow("s1", "s3", 20), Flow("s2", "s3", 30))
    assert told(entry("merged", related=of), 0).detail.flows == (Flow("s3", "s1", 20), Flow("s3", "s2", 30))


def test_an_entry_in_words() -> None:
    said = entry("renamed", former_name="small", related={2: 30, 1: 20}, radii=0.756)
    assert told(said, 0).detail.text == (
        "s3 'large' renamed, 120 customers, until now 'small', 0.76 radii from where it was last stated to be "
        "(20 with s1, 30 with s2)"
    )


def test_a_profile_stands_beside_the_population() -> None:
    snapshot = profiled()
    messages = profiles_of(shop(), snapshot, WALL_MS)
    assert [decode_profile(encode_profile(message)) for message in messages] == messages
    assert [message.id for message in messages] == ["s1", "s2", "s3"]
    assert [message.share for message in messages] == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert [message.retiring for message in messages] == [False, False, True]
    assert {message.model_version for message in messages} == {snapshot.version}
    orders = messages[0].profile["orders"]
    assert orders.unit == "orders unit"
    assert orders.times == pytest.approx(2.0)
    assert orders.value == pytest.approx(2 * orders.population)


def test_a_profile_says_its_group_and_its_rule() -> None:
    snapshot = profiled()
    rule = Rule((Condition("orders", True, 4.0), Condition("fresh", False, 0.1)), 0.88, 0.7, 0.8)
    segments = (replace(snapshot.segments[0], family=2, rule=rule), *snapshot.segments[1:])
    first, second, _ = profiles_of(
        shop(), replace(snapshot, segments=segments, families={1: "gone", 2: "frequent"}), WALL_MS
    )
    assert decode_profile(encode_profile(first)) == first
    assert first.group == ParentGroup("g2", "frequent")
    assert first.rule is not None
    assert first.rule.text == "orders > 4 and fresh < 0.1"
    assert first.rule.conditions[1] == RuleCondition("fresh", "<", 0.1, "fresh unit")
    assert (first.rule.right, first.rule.precision, first.rule.recall) == (0.88, 0.7, 0.8)
    assert (second.group, second.rule) == (None, None)


SOLD = Holding(
    active=20,
    dormant=4,
    lifetime_seconds=24 * 300 * 86_400,
    exposure=600_000,
    orders=40_000,
    spend=900_000,
    views=160_000,
)
"""20 customers observed for 30 days each: 2 orders, 45 of spend and 8 views a customer."""


def test_a_profile_and_an_entry_say_the_value() -> None:
    snapshot = profiled()
    segments = (replace(snapshot.segments[0], holding=SOLD), *snapshot.segments[1:])
    first, second, _ = profiles_of(shop(), replace(snapshot, segments=segments), WALL_MS)
    assert first.value is not None
    assert (first.value.active, first.value.dormant) == (20, 4)
    assert (first.value.orders, first.value.spend, first.value.order_value) == (2.0, 45.0, 22.5)
    assert first.value.conversion == 0.25
    assert first.value.retention is not None
    assert first.value.clv == pytest.approx(clv(22.5, first.value.retention, 0.12))
    assert decode_profile(encode_profile(first)) == first
    assert told(entry(holding=SOLD), 0).detail.value == first.value
    assert second.value == SegmentValue(0, 0, None, None, None, None, None, None)


def test_a_profile_names_the_segments_that_are_alike_but_not_those_that_leave() -> None:
    snapshot = profiled()
    many = Holding(*(100 * total for total in astuple(SOLD)))
    segments = tuple(replace(segment, holding=many) for segment in snapshot.segments)
    messages = profiles_of(shop(), replace(snapshot, segments=segments), WALL_MS)
    assert [message.alike for message in messages] == [("s2",), ("s1",), ()]
    assert [decode_profile(encode_profile(message)) for message in messages] == messages


def test_what_is_not_declared_has_no_value() -> None:
    """Retail counts no views, and a shop of baskets alone no spend either."""
    (value,) = (ledger_message(retail(), VALUE, entry(holding=SOLD), 0).detail.value,)
    assert value is not None
    assert (value.conversion, value.order_value) == (None, 22.5)
    bare = FeatureSet(shop_settings(accumulators=[{"name": "orders", "kind": "count"}], features=[]))
    value = ledger_message(bare, VALUE, entry(holding=SOLD), 0).detail.value
    assert value is not None
    assert (value.orders, value.spend, value.order_value, value.conversion, value.clv) == (2.0, None, None, None, None)
    assert value.retention is not None


def test_there_is_no_multiple_of_nothing() -> None:
    snapshot = profiled()
    zero = replace(snapshot.scale, mean=snapshot.scale.mean * 0 - 16_000)  # the low end of every range
    (first, *_) = profiles_of(shop(), replace(snapshot, scale=zero), WALL_MS)
    assert first.profile["weekend"].population == pytest.approx(0.0, abs=0.05)
    assert all(feature.times is None for feature in first.profile.values() if feature.population <= 0)


def test_a_model_that_nobody_is_in_has_no_shares() -> None:
    snapshot = profiled()
    empty = replace(snapshot, segments=tuple(replace(s, customers=0) for s in snapshot.segments))
    assert [message.share for message in profiles_of(shop(), empty, WALL_MS)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ("share", "drift begins: how customers spread over the segments is not what it was, since 2025-01-06T00:00:00"),
        ("feature.pace", "drift begins: pace of the customers is not what it was"),
        (
            "decision.low_margin",
            "drift begins: the share of customers who stand between two segments is not what it was",
        ),
        ("decision.flap", "drift begins: the share of changes that are undone is not what it was"),
        ("event.departments.MEAT", "drift begins: departments.MEAT of the orders is not what it was"),
    ],
)
def test_a_drift_is_told_in_words_and_in_numbers(signal: str, said: str) -> None:
    episode = Episode(signal, "ewma", MONDAY_MS, MONDAY_MS + 60_000, 1.24)
    message = drift_message(Turn("begins", episode, MONDAY_MS + 60_000), 7, WALL_MS)
    assert decode_entry(encode_entry(message)) == message
    assert (message.kind, message.segment_id, message.name, message.model_version) == ("drift", "", signal, 7)
    assert message.detail.text.startswith(said)
    assert message.detail.drift is not None
    assert (message.detail.drift.level, message.occurred_at) == (1.24, "2025-01-06T00:01:00.000Z")


def test_the_end_of_a_drift_says_how_far_it_went() -> None:
    message = drift_message(Turn("ends", Episode("share", "psi", MONDAY_MS, MONDAY_MS, 2.0), WALL_MS), 7, WALL_MS)
    assert message.detail.text.endswith("(psi, at most 2.0 of its limit)")
