"""The committed contract is current, valid, and says the same as the code and the topics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError

from benchmarks.poison_corpus import CORPUS, good_order
from consumers.topics import shapes
from stream.contracts import examples, generate
from stream.contracts.changes import COPIED, encode_change
from stream.contracts.events import DecodeRules, Reason
from stream.contracts.payloads import check
from stream.contracts.segments import encode_entry, encode_profile
from stream.errors import RejectedEvent
from stream.settings import TopicSettings

SCHEMAS: dict[str, Any] = {file.stem: json.loads(file.read_text()) for file in generate.SCHEMAS.glob("*.json")}
ASYNCAPI = SCHEMAS.pop("asyncapi")
EXAMPLES = [
    *(("customer-event", event) for event in examples.EVENTS),
    ("segment-change", json.loads(encode_change(examples.CHANGE))),
    ("ledger-entry", json.loads(encode_entry(examples.LEDGER_ENTRY))),
    ("segment-profile", json.loads(encode_profile(examples.PROFILE))),
]


def test_the_committed_files_are_current() -> None:
    assert generate.main(["--check"]) == 0


def test_a_stale_or_missing_file_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "SCHEMAS", tmp_path / "schemas")
    assert generate.main(["--check"]) == 1
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "schemas" / "asyncapi.json").write_text("{}")
    capsys.readouterr()
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "stale: schemas/asyncapi.json\n"


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_schemas_are_schemas_of_both_drafts_that_readers_use(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    Draft7Validator.check_schema(schema)  # what AsyncAPI builds on


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_conform(name: str, example: Any) -> None:
    Draft202012Validator(SCHEMAS[name]).validate(example)
    Draft7Validator(SCHEMAS[name]).validate(example)


def test_a_change_without_a_version_does_not_conform() -> None:
    change = json.loads(encode_change(examples.CHANGE))
    del change["version"]
    with pytest.raises(ValidationError, match="version"):
        Draft202012Validator(SCHEMAS["segment-change"]).validate(change)


SHAPE = {
    Reason.MISSING_FIELD,
    Reason.WRONG_TYPE,
    Reason.UNKNOWN_TYPE,
    Reason.EMPTY_ID,
    Reason.OUT_OF_BOUNDS,
    Reason.TOO_MANY_LINES,
    Reason.CATEGORY_TOO_LONG,
    Reason.ATTRIBUTES_TOO_LARGE,
    Reason.BAD_CURRENCY,
    Reason.NAIVE_TIME,
}
"""Faults that a schema alone can see."""


@pytest.mark.parametrize("poison", [p for p in CORPUS if p.reason in SHAPE], ids=lambda p: p.kind)
def test_the_schema_refuses_the_shapes_that_we_refuse(poison: Any) -> None:
    value = poison.make("c1", DecodeRules(4), 1_700_000_000_000).value
    assert not Draft202012Validator(SCHEMAS["customer-event"]).is_valid(json.loads(value))


EVENT_SCHEMA = Draft202012Validator(SCHEMAS["customer-event"])
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
lines = st.lists(st.fixed_dictionaries({}, optional={"category": values, "amount": values, "private_label": values}))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["order", "view", "profile", "override"]) | values,
            "segment_id": st.sampled_from(["s1", "s0", "s12", "x"]) | values,
            "until": st.just("2099-01-01T00:00:00Z") | values,
            "by": values,
            "reason": values,
            "amount": values,
            "items": values,
            "discount": values,
            "currency": st.just("EUR") | values,
            "lines": lines | values,
            "attributes": st.dictionaries(st.text(max_size=3), values, max_size=3),
        },
    )
)
def test_what_we_accept_conforms_to_the_schema(fields: dict[str, Any]) -> None:
    payload = good_order("c1", 1_700_000_000_000) | fields
    try:
        check(payload)
    except RejectedEvent:
        return
    EVENT_SCHEMA.validate(payload)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        yield from (ref for value in node.values() for ref in references(value))
    elif isinstance(node, list):
        yield from (ref for value in node for ref in references(value))


def resolved(reference: str) -> Any:
    file, _, path = reference.partition("#/")
    node = SCHEMAS[file.removeprefix("./").removesuffix(".json")] if file else ASYNCAPI
    for part in filter(None, path.split("/")):
        node = node[part]
    return node


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    found = list(references(ASYNCAPI))
    assert {reference for reference in found if reference.startswith("./")} == {f"./{name}.json" for name in SCHEMAS}
    assert all(resolved(reference) for reference in found)


def test_the_channels_are_the_public_topics_as_they_are_created() -> None:
    topics = TopicSettings()
    public = {topics.events, topics.changes, topics.ledger, topics.profiles, topics.rejected}
    bindings = [channel["bindings"]["kafka"] for channel in ASYNCAPI["channels"].values()]
    assert {channel["address"] for channel in ASYNCAPI["channels"].values()} == public
    for binding in bindings:
        created = shapes(topics)[binding["topic"]]
        assert binding["partitions"] == created.partitions
        assert {name: said(value) for name, value in binding["topicConfiguration"].items()} == created.configs


def said(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def test_we_receive_events_and_send_the_rest() -> None:
    operations = ASYNCAPI["operations"]
    assert {name: operation["action"] for name, operation in operations.items()} == {
        "events": "receive",
        "changes": "send",
        "ledger": "send",
        "profiles": "send",
        "rejected": "send",
    }
    for name, operation in operations.items():
        assert operation["channel"] == {"$ref": f"#/channels/{name}"}
        listed = [message["$ref"].rsplit("/", 1)[1] for message in operation["messages"]]
        assert listed == list(ASYNCAPI["channels"][name]["messages"])


def test_every_message_says_its_key_and_its_examples_conform() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    for message in ASYNCAPI["components"]["messages"].values():
        assert message["bindings"]["kafka"]["key"]["description"]
        reference = message["payload"].get("$ref")
        for example in message.get("examples", ()):
            Draft202012Validator(resolved(reference)).validate(example["payload"])


@pytest.mark.parametrize(("key", "is_one"), [("s1", True), ("s10", True), ("drift", True), ("", True), ("s0", False)])
def test_the_key_of_the_ledger_may_be_empty(key: str, is_one: bool) -> None:
    """Who accepts, rejects, rolls back or refreezes speaks of no one segment."""
    said = ASYNCAPI["components"]["messages"]["ledgerEntry"]["bindings"]["kafka"]["key"]
    assert Draft202012Validator(said).is_valid(key) == is_one


def test_the_headers_of_changes_and_rejects_conform() -> None:
    headers = ASYNCAPI["components"]["messages"]["segmentChanged"]["headers"]
    Draft202012Validator(headers).validate(headers["examples"][0])
    name, value = COPIED
    Draft202012Validator(headers).validate(headers["examples"][0] | {name: value.decode()})
    assert not Draft202012Validator(headers).is_valid(headers["examples"][0] | {name: "false"})
    reasons = ASYNCAPI["components"]["messages"]["rejectedEvent"]["headers"]["properties"]["rejected_reason"]
    assert reasons["enum"] == list(Reason)
