from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings

from benchmarks import reference
from stream.contracts.events import Event
from stream.contracts.timestamps import rfc3339
from stream.customer.features import NEVER
from stream.customer.registers import NOTHING
from stream.customer.state import States, Status, empty, pack, unpack
from stream.view.public import deadlines_of, feature_documents, segment_hashes
from tests.decision.year import year
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, WALL_MS, event, shop, shop_model
from tests.streams import streams
from tests.town import Town, told

NAMES = shop_model().names


def town_of(events: list[Event]) -> Town:
    town = Town(shop(), shop_model())
    town.live(events)
    return town


def repacked(rows: States) -> States:
    return unpack(shop(), pack(rows, [NOTHING for _ in rows]))[0]


@given(streams(customers=4))
@settings(max_examples=25)
def test_what_is_public_is_a_function_of_each_row_alone(events: list[Event]) -> None:
    rows = town_of(events).rows()
    hashes, documents = segment_hashes(rows, NAMES), feature_documents(shop(), rows)
    assert hashes == segment_hashes(repacked(rows), NAMES)
    assert documents == feature_documents(shop(), repacked(rows))
    for i in range(len(rows)):
        assert segment_hashes(rows[i : i + 1], NAMES) == hashes[i : i + 1]
        assert feature_documents(shop(), rows[i : i + 1]) == documents[i : i + 1]


def test_a_hash_says_what_the_last_change_said() -> None:
    town = town_of(year(6))
    last = {customer: changes[-1] for customer, changes in told(town.changes).items()}
    for customer, public in zip(sorted(town.states), segment_hashes(town.rows(), NAMES), strict=True):
        change = last[customer]
        assert public is not None
        assert change.current is not None
        assert public.pop("previous") in ("", "s1", "s2", "s3")
        assert rfc3339(int(public.pop("since"))) == change.occurred_at
        assert public == {
            "id": change.current.id,
            "name": change.current.name,
            "status": change.current.status.value,
            "version": str(change.version),
            "cause": change.cause.value,
            "decided_at": str(WALL_MS),
            "margin": "" if change.margin is None else f"{change.margin:.6g}",
            "model_version": str(change.model_version),
            "provisional": change.provisional or "",
        }


def test_previous_is_the_segment_before_the_present_one() -> None:
    steady = [event("c", MONDAY_MS + i * 2 * DAY_MS, 20.0) for i in range(25)]
    feast = [event("c", steady[-1].occurred_at_ms + (i + 1) * HOUR_MS, 9000.0) for i in range(3)]
    (public,) = segment_hashes(town_of(steady + feast).rows(), NAMES)
    assert public is not None
    assert (public["id"], public["name"], public["previous"]) == ("s3", "name of 3", "s2")


def test_the_closed_have_nothing_public() -> None:
    rows = town_of([event("c", MONDAY_MS, 5.0)]).rows()
    rows["status"] = Status.CLOSED
    assert segment_hashes(rows, NAMES) == [None]
    assert feature_documents(shop(), rows) == [None]


def test_who_was_never_looked_at_has_no_hash() -> None:
    assert segment_hashes(empty(shop(), 1), NAMES) == [None]


def test_nobody_has_nothing() -> None:
    assert (segment_hashes(empty(shop(), 0), NAMES), feature_documents(shop(), empty(shop(), 0))) == ([], [])


def test_a_segment_without_a_name_has_an_empty_one() -> None:
    town = town_of([event("c", MONDAY_MS + i * HOUR_MS, 20.0) for i in range(3)])
    (public,) = segment_hashes(town.rows(), {})
    assert public is not None
    assert (public["id"], public["name"]) == ("s2", "")


@given(streams(customers=1))
@settings(max_examples=25)
def test_a_document_has_every_feature_in_natural_units(events: list[Event]) -> None:
    rows = town_of(events).rows()
    if rows["status"][0] == Status.CLOSED:
        return
    (document,) = feature_documents(shop(), rows)
    assert document is not None
    said = json.loads(document)
    at = int(rows["looked_at"][0])
    assert (said["as_of"], said["features_id"]) == (at, shop().features_id)
    assert said["events"] == sum(e.type != "profile" for e in events)
    expected = reference.natural(shop().settings, events, at)
    assert said["features"] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    active = [e.occurred_at_ms for e in events if e.type != "profile"]
    gap = 0.0
    if active:
        exposure = reference.exposure_days(shop().settings, events, max(active))
        gap = exposure / reference.activity(shop().settings, events, max(active))
    assert said["own_gap_days"] == pytest.approx(gap, rel=1e-9, abs=1e-9)


def test_deadlines_are_filed_or_taken_away() -> None:
    rows = empty(shop(), 2)
    rows["deadline"] = [NEVER, MONDAY_MS]
    assert deadlines_of(rows, ["é", "b"]) == {"é".encode(): None, b"b": MONDAY_MS}
    assert np.iinfo(np.int64).min == NEVER
