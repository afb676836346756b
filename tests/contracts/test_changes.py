from __future__ import annotations

import json
import math
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from stream.contracts.changes import (
    Assignment,
    Because,
    Cause,
    Counterfactual,
    Membership,
    Override,
    SegmentChange,
    Status,
    cloudevent_headers,
    decode_change,
    encode_change,
)
from stream.contracts.examples import CHANGE
from stream.contracts.timestamps import rfc3339
from stream.errors import BadRecord

words = st.text(max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | numbers
shares = st.floats(0, 1)
times = st.integers(0, 253_402_300_799_999)
assignments = st.none() | st.builds(Assignment, words, words, st.sampled_from(Status))
changes = st.builds(
    SegmentChange,
    customer_id=words,
    version=st.integers(1, 2**31),
    previous=assignments,
    current=assignments,
    cause=st.sampled_from(Cause),
    occurred_at=times.map(rfc3339),
    decided_at=times.map(rfc3339),
    margin=maybe,
    fit=maybe,
    atypical=st.booleans(),
    membership=st.lists(st.builds(Membership, words, shares), max_size=2).map(tuple),
    reasons=st.lists(st.builds(Because, words, maybe, maybe, words, numbers), max_size=3).map(tuple),
    counterfactual=st.none() | st.builds(Counterfactual, words, numbers, words, numbers),
    provisional=st.none() | words,
    model_version=st.integers(0, 2**31),
    trigger_event_id=st.none() | words,
    override=st.none()
    | st.builds(Override, words, st.none() | words, st.none() | words, st.none() | times.map(rfc3339)),
)


@given(changes)
def test_built_without_checks_is_the_same_as_checked_and_as_read_back(change: SegmentChange) -> None:
    assert TypeAdapter(SegmentChange).validate_python(asdict(change)) == change
    assert decode_change(encode_change(change)) == change


def test_the_json_is_what_the_contract_says() -> None:
    assert list(json.loads(encode_change(CHANGE))) == [field.name for field in fields(SegmentChange)]
    assert json.loads(encode_change(CHANGE)) == {
        "customer_id": "household-1228",
        "version": 4,
        "previous": {"id": "s2", "name": "rare, small baskets", "status": "ready"},
        "current": {"id": "s3", "name": "frequent, high spend", "status": "ready"},
        "cause": "behaviour",
        "occurred_at": "2017-06-03T22:20:00.000Z",
        "decided_at": "2017-06-03T22:20:01.042Z",
        "margin": 0.27,
        "fit": 0.81,
        "atypical": False,
        "membership": [{"id": "s3", "share": 0.71}, {"id": "s2", "share": 0.29}],
        "reasons": [
            {
                "feature": "orders",
                "before": 2.1,
                "after": 6.4,
                "unit": "orders per 30 days",
                "contribution": 0.64,
            }
        ],
        "counterfactual": {"feature": "orders", "value": 3.9, "unit": "orders per 30 days", "now": 6.4},
        "provisional": None,
        "model_version": 118,
        "trigger_event_id": "basket-31198459",
        "override": None,
    }


def test_a_change_from_before_there_were_overrides_is_read() -> None:
    older = json.loads(encode_change(CHANGE))
    del older["override"]
    assert decode_change(json.dumps(older).encode()) == CHANGE


def test_what_is_not_finite_is_null() -> None:
    change = replace(CHANGE, margin=math.nan, fit=math.inf)
    assert decode_change(encode_change(change)) == replace(CHANGE, margin=None, fit=None)


def test_readers_pass_over_fields_of_the_future() -> None:
    newer = json.loads(encode_change(CHANGE)) | {"confidence": 0.9}
    newer["current"]["colour"] = "green"
    assert decode_change(json.dumps(newer).encode()) == CHANGE


@pytest.mark.parametrize("said", [b"", b"{}", b"\xff", encode_change(replace(CHANGE, version=0, customer_id="canary"))])
def test_what_is_no_change_is_a_bad_record(said: bytes) -> None:
    with pytest.raises(BadRecord) as caught:
        decode_change(said)
    assert "canary" not in str(caught.value)


def test_headers_of_a_cloudevent() -> None:
    assert dict(cloudevent_headers(CHANGE)) == {
        "ce_specversion": b"1.0",
        "ce_id": b"household-1228:4",
        "ce_source": b"urn:segstream",
        "ce_type": b"segstream.segment.changed.v1",
        "ce_subject": b"household-1228",
        "ce_time": b"2017-06-03T22:20:00.000Z",
        "ce_dataschema": b"urn:segstream:schema:segment-change:1",
        "content-type": b"application/json",
    }


def test_the_same_change_has_the_same_identity_whenever_it_is_decided() -> None:
    assert cloudevent_headers(replace(CHANGE, decided_at=rfc3339(0))) == cloudevent_headers(CHANGE)
