from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stream.contracts.examples import LEDGER_ENTRY, PROFILE
from stream.contracts.segments import (
    FeatureProfile,
    decode_entry,
    decode_profile,
    encode_entry,
    encode_profile,
)
from stream.errors import BadRecord


def test_a_ledger_entry_is_read_back() -> None:
    assert decode_entry(encode_entry(LEDGER_ENTRY)) == LEDGER_ENTRY


def test_the_flows_of_an_entry_name_both_sides() -> None:
    detail = json.loads(encode_entry(LEDGER_ENTRY))["detail"]
    assert detail["flows"] == [{"from_id": "s3", "to_id": "s6", "mass": 212.0}]


def test_a_profile_is_read_back_also_where_the_population_has_none() -> None:
    profile = replace(PROFILE, profile={"views": FeatureProfile(0.0, "views", 0.0, None)})
    assert decode_profile(encode_profile(profile)) == profile


def test_a_profile_from_before_there_were_groups_rules_and_values_is_read() -> None:
    old = json.loads(encode_profile(PROFILE))
    del old["group"], old["rule"], old["value"]
    assert decode_profile(json.dumps(old).encode()) == replace(PROFILE, group=None, rule=None, value=None)


def test_bad_records_are_refused() -> None:
    with pytest.raises(BadRecord, match="kind"):
        decode_entry(encode_entry(LEDGER_ENTRY).replace(b"split", b"spilt"))
    with pytest.raises(BadRecord, match="share"):
        decode_profile(encode_profile(replace(PROFILE, share=1.1)))
