"""What analysts say reaches whoever is owner, in order with what is learnt; the model topic says what stands."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from itertools import permutations
from typing import Any

import pytest

from benchmarks.chaos.world import read_world
from consumers.auditing import audit
from consumers.desk import foretold_merge
from consumers.history import newest_said
from consumers.memory_source import MemoryTail
from consumers.model_finding import find_model
from consumers.showing.model import model_page
from consumers.standing import Standing, standing
from consumers.twins import Twins, drain
from producers.personas import Personas, PersonasPlan
from producers.sink import Outgoing
from stream.contracts.commands import KEY, Command, Deed, encode_command
from stream.contracts.segments import decode_entry
from stream.customer.features import FeatureSet
from stream.errors import SegstreamError, SettingsError
from stream.model.state import unpack_state
from stream.settings import load
from tests.consumers.showing.terminal import shown

MODEL = {"warmup_customers": 30, "macro_rows": 150, "interval_seconds": 0, "cells": 20, "segments": 4}


class Shop:
    def __init__(self, value: dict[str, Any] | None = None, **model: Any) -> None:
        kafka = {"max_poll_records": 100}
        flags = {"profile": "personas", "model": {**MODEL, **model}, "kafka": kafka, "value": value or {}}
        self.twins = Twins(load(flags=flags))
        self.topics = self.twins.settings.topics
        self.features = FeatureSet(self.twins.settings.customers)
        self.events = iter(Personas(PersonasPlan(customers=60, days=300, seed=8)))
        self.tail = MemoryTail(self.twins.broker)
        self.lockstep = self.twins.lockstep()

    def live(self, events: int) -> None:
        self.twins.send(event for _, event in zip(range(events), self.events, strict=False))
        drain(self.lockstep.run_once)

    def tell(self, deed: Deed, **what: Any) -> None:
        value = encode_command(Command(deed, "2024-01-01T00:00:00.000Z", "ann", **what))
        self.twins.broker.append(Outgoing(self.topics.learning, 0, KEY, value))

    def raw(self, value: bytes) -> None:
        self.twins.broker.append(Outgoing(self.topics.learning, 0, KEY, value))

    def names(self) -> dict[str, str]:
        return {id_: str(profile["name"]) for id_, profile in self.twins.store.reader.segments().items()}

    def whys(self) -> list[str]:
        entries, _ = self.twins.broker.read(self.topics.ledger, 0, 0, 10_000)
        return [decode_entry(entry.value or b"").detail.text for _, entry in entries]

    def standing(self) -> Standing:
        return standing(self.twins.settings, self.features, self.tail)

    def holders(self) -> Counter[str]:
        return Counter(fields["id"] for _, fields in self.twins.store.reader.customers(None))

    def is_sound(self) -> bool:
        read_world(self.twins.settings, self.tail, self.twins.store.reader).check()
        return all(part.holds for part in audit(self.twins.settings, self.tail, self.twins.store.reader, 4, 0))


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.live(1500)
    return shop


def test_a_name_reaches_store_ledger_and_the_next_owner(shop: Shop) -> None:
    first = min(shop.names())
    shop.tell("rename", segment=int(first[1:]), name="early birds")
    shop.live(200)
    assert shop.names()[first] == "early birds"
    assert any("early birds" in why and "renamed by ann" in why for why in shop.whys())
    shop.lockstep.close()
    shop.lockstep = shop.twins.lockstep()
    shop.live(400)
    assert shop.names()[first] == "early birds"
    assert shop.is_sound()


def test_a_rollback_is_told_once_and_the_sums_stay_exact(shop: Shop) -> None:
    before = standing(shop.twins.settings, shop.features, shop.tail)
    earlier = before.versions[-3]
    old = find_model(shop.tail, shop.topics.model, shop.features.features_id, earlier)
    assert old is not None
    shop.tell("rollback", version=earlier)
    shop.live(100)
    after = standing(shop.twins.settings, shop.features, shop.tail)
    assert after.docket.is_cautious
    assert [s.number for s in after.snapshot.segments if not s.retiring] == [
        s.number for s in old.segments if not s.retiring
    ]
    assert shop.is_sound()


def test_what_cannot_be_done_stops_nobody(shop: Shop) -> None:
    shop.tell("accept", version=99)
    shop.tell("rollback", version=99)
    shop.tell("pin", segment=99)
    shop.raw(b"{")
    shop.raw(json.dumps({"deed": "explode", "at": "2024-01-01T00:00:00.000Z"}).encode())
    shop.live(300)
    assert shop.is_sound()


def test_the_page_says_what_waits_and_what_to_type() -> None:
    shop = Shop(regroup="propose", max_regroup=0.0)
    for _ in range(12):
        shop.live(250)
        found = standing(shop.twins.settings, shop.features, shop.tail)
        if found.docket.waiting is not None:
            break
    waiting = found.docket.waiting
    assert waiting is not None, "a challenger that moves anybody at all waits"
    page = "\n".join(shown(model_page(found)))
    assert f"segstream model accept {waiting.version}" in page
    assert "segments that each index would choose" in page
    told = found.to_json()
    assert told["proposal"]["number"] == waiting.version
    moved = sum(f["customers"] for f in told["proposal"]["flows"] if f["from_id"] != f["to_id"])
    everybody = sum(f["customers"] for f in told["proposal"]["flows"])
    assert told["proposal"]["moved_share"] == pytest.approx(moved / everybody)
    shop.tell("accept", version=waiting.version)
    shop.live(250)
    assert any(f"proposal {waiting.version} accepted by ann" in why for why in shop.whys()) or shop.is_sound()


def closest(shop: Shop) -> tuple[str, str]:
    """Ids of two segments that can be one, the smaller first."""
    found = shop.standing()
    ids = [s.id for s in sorted(found.snapshot.segments, key=lambda s: s.customers) if not s.retiring]
    for one, other in permutations(ids, 2):
        with suppress(SettingsError):
            foretold_merge(found, one, other)
            return one, other
    raise AssertionError("no two can be one")


def test_a_merge_is_done_once_and_for_good_and_everybody_is_swept(shop: Shop) -> None:
    one, into = closest(shop)
    before = shop.holders()
    assert before[one]
    shop.tell("merge", segment=int(one[1:]), into=int(into[1:]))
    shop.tell("merge", segment=int(one[1:]), into=int(into[1:]))
    shop.live(300)
    assert not shop.holders()[one], "also those who did nothing were looked at"
    assert [why for why in shop.whys() if f"{one} merged into {into} by ann" in why and " merged, " in why]
    assert shop.standing().docket.is_cautious
    shop.lockstep.close()
    shop.lockstep = shop.twins.lockstep()
    shop.live(900)
    said = newest_said(shop.tail, shop.topics.ledger, 50)
    assert [entry.said and (entry.said.by, entry.said.done) for entry in said] == [("ann", True), ("ann", False)]
    standing_ids = {s.id for s in shop.standing().snapshot.segments if not s.retiring}
    assert (len(standing_ids), one in standing_ids) == (3, False)
    assert shop.is_sound()


def test_what_was_merged_can_be_gone_back_from(shop: Shop) -> None:
    one, into = closest(shop)
    earlier = shop.standing().snapshot
    shop.tell("merge", segment=int(one[1:]), into=int(into[1:]))
    shop.live(100)
    shop.tell("rollback", version=earlier.version)
    shop.live(600)
    ids = {s.id for s in shop.standing().snapshot.segments if not s.retiring}
    assert ids == {s.id for s in earlier.segments if not s.retiring}
    assert shop.holders()[one]
    assert shop.is_sound()


def test_the_page_shows_who_is_alike_what_would_come_of_it_and_what_to_type() -> None:
    shop = Shop({"alike_ratio": 1e6, "alike_retention": 1.0, "alike_customers": 1})
    shop.live(1500)
    found = shop.standing()
    assert found.pairs
    pair = next(pair for pair in found.pairs if not pair.merger.refusal)
    one, into = f"s{pair.merger.number}", f"s{pair.merger.into}"
    page = "\n".join(shown(model_page(found)))
    assert f"{one} and {into} do not differ in outcome" in page
    assert f"segstream segments merge {one} {into}: {pair.merger.joining} customers move to {into}" in page
    told = found.to_json()["alike"]
    assert {frozenset((pair["merge"], pair["into"])) for pair in told} == {
        frozenset((id_, other))
        for id_, profile in shop.twins.store.reader.segments().items()
        for other in profile["alike"]
    }
    json.dumps(told)


@pytest.mark.parametrize(("segment", "into"), [("s99", "s1"), ("s1", "s99"), ("s1", "s1"), ("1", "s1")])
def test_a_merge_that_nobody_can_mean_is_not_told(shop: Shop, segment: str, into: str) -> None:
    with pytest.raises(SettingsError):
        foretold_merge(shop.standing(), segment, into)


def test_without_a_model_there_is_a_sentence() -> None:
    shop = Shop()
    with pytest.raises(SegstreamError, match="the first comes when 30 customers"):
        standing(shop.twins.settings, shop.features, shop.tail)


def test_what_is_now_becomes_usual_when_an_analyst_says_so(shop: Shop) -> None:
    before = gathered(shop)
    shop.tell("refreeze")
    shop.live(400)
    assert 0 < gathered(shop) < before
    assert shop.is_sound()


def gathered(shop: Shop) -> int:
    """Blocks of the reference in the making, as the newest model has them."""
    entries, _ = shop.twins.broker.read(shop.topics.model, 0, 0, 1 << 62)
    newest = [entry.value for _, entry in entries if entry.value][-1]
    return len(unpack_state(newest, shop.twins.settings.model).monitor.watch.gathered)
