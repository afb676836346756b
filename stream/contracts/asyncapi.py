"""The public topics as an AsyncAPI 3 document with Kafka bindings."""

from __future__ import annotations

import json
from typing import Any

from stream.contracts import changes, examples, segments
from stream.contracts.reasons import Reason
from stream.settings import TopicSettings

Json = dict[str, Any]

_BINDING = "0.5.0"
_DAY_MS = 86_400_000
_CUSTOMER = {
    "type": "string",
    "description": "Customer id, UTF-8; partitioned by murmur2 as Kafka's Java clients do.",
}
_SEGMENT = {"type": "string", "description": "Segment id.", "pattern": "^s[1-9][0-9]*$"}
_LEDGER = {
    "type": "string",
    "description": "Segment id, 'drift', or empty where a person spoke of all segments.",
    "pattern": "^(s[1-9][0-9]*|drift|)$",
}
_LOG = {"cleanup.policy": ["delete"]}
_LATEST = {"cleanup.policy": ["compact"]}


def document(topics: TopicSettings) -> Json:
    """The document, with the names and partition counts of ``topics``."""
    wide, single = topics.partitions, 1
    broker_time = {"message.timestamp.type": "LogAppendTime"}
    history = {"min.compaction.lag.ms": 30 * _DAY_MS, "delete.retention.ms": 30 * _DAY_MS}
    # Originals may be as large as the input allows, and headers come on top.
    rejected = _LOG | {"retention.ms": 30 * _DAY_MS, "max.message.bytes": 2 * 1024 * 1024}
    channels = {
        "events": _channel(topics.events, wide, broker_time, "customerEvent"),
        "changes": _channel(topics.changes, wide, _LATEST | history, "segmentChanged", "customerForgotten"),
        "ledger": _channel(topics.ledger, single, _LOG | {"retention.ms": -1}, "ledgerEntry"),
        "profiles": _channel(topics.profiles, single, _LATEST, "segmentProfile", "segmentRetired"),
        "rejected": _channel(topics.rejected, wide, rejected, "rejectedEvent"),
    }
    return {
        "asyncapi": "3.0.0",
        "id": "urn:segstream",
        "info": {
            "title": "segstream",
            "version": "1.0.0",
            "description": "Customer events in, segment changes out.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            name: _operation(name, channel, "receive" if name == "events" else "send")
            for name, channel in channels.items()
        },
        "components": {"messages": _messages()},
    }


def _channel(topic: str, partitions: int, config: Json, *messages: str) -> Json:
    return {
        "address": topic,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": partitions,
                "topicConfiguration": config,
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(name: str, channel: Json, action: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in channel["messages"]],
    }


def _messages() -> Json:
    headers = {name: value.decode() for name, value in changes.cloudevent_headers(examples.CHANGE)}
    change = changes.encode_change(examples.CHANGE)
    entries = [json.loads(segments.encode_entry(e)) for e in (examples.LEDGER_ENTRY, examples.DRIFT_ENTRY)]
    profile = segments.encode_profile(examples.PROFILE)
    return {
        "customerEvent": _message("An event of a customer.", _CUSTOMER, "customer-event", *examples.EVENTS),
        "segmentChanged": _message("A change.", _CUSTOMER, "segment-change", json.loads(change))
        | {"headers": _cloudevent(headers)},
        "customerForgotten": _tombstone("Reserved, not written today: erase and merge are told as changes.", _CUSTOMER),
        "ledgerEntry": _message(
            "History of a segment, a person's word, or a drift.", _LEDGER, "ledger-entry", *entries
        ),
        "segmentProfile": _message("A segment now.", _SEGMENT, "segment-profile", json.loads(profile)),
        "segmentRetired": _tombstone("The segment is no more.", _SEGMENT),
        "rejectedEvent": _rejected(),
    }


def _message(summary: str, key: Json, schema: str, *payloads: Any) -> Json:
    return {
        "summary": summary,
        "payload": {"$ref": f"./{schema}.json"},
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
        "examples": [{"payload": payload} for payload in payloads],
    }


def _tombstone(summary: str, key: Json) -> Json:
    return {
        "summary": summary,
        "payload": {"type": "null"},
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
    }


def _cloudevent(example: dict[str, str]) -> Json:
    fixed = ("ce_specversion", "ce_type", "ce_dataschema", "content-type")
    properties: Json = {name: {"type": "string"} for name in example}
    properties |= {name: {"const": example[name]} for name in fixed}
    copied, value = changes.COPIED
    properties[copied] = {"const": value.decode(), "description": "Only where a migration wrote it into a new topic."}
    return {
        "description": "CloudEvents 1.0, Kafka protocol binding, binary mode.",
        "type": "object",
        "properties": properties,
        "required": list(example),
        "examples": [example],
    }


def _rejected() -> Json:
    number = {"type": "string", "pattern": "^-?[0-9]+$"}
    properties = {
        "rejected_reason": {"enum": [str(reason) for reason in Reason]},
        "rejected_detail": {"type": "string", "description": "One sentence without customer data."},
        "rejected_topic": {"type": "string"},
        "rejected_partition": number,
        "rejected_offset": number,
        "rejected_timestamp_ms": number,
    }
    cut = {
        "rejected_key_bytes": number | {"description": "True size of a key that was cut."},
        "rejected_value_bytes": number | {"description": "True size of a value that was cut."},
    }
    return {
        "summary": "A record that was refused: key and value are its original bytes, together 1 MiB of them at most.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": properties | cut, "required": list(properties)},
        "payload": {"description": "Any bytes, or none."},
        "bindings": {
            "kafka": {
                "key": {"description": "Any bytes, or none; the partition is the refused record's."},
                "bindingVersion": _BINDING,
            }
        },
    }
