"""The dossier: everything that is known of one customer, from the view and the change topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.following import newest_changes
from consumers.source import Tail
from stream.contracts.changes import CHANGE, SegmentChange
from stream.contracts.partitioning import partition_of
from stream.contracts.timestamps import rfc3339
from stream.customer.features import FeatureSet
from stream.customer.registers import NOTHING, Attributes, Word
from stream.customer.state import segment_id, unpack
from stream.errors import SegstreamError
from stream.view.reader import Reader

LAST_CHANGES = 5


@dataclass(frozen=True)
class Dossier:
    """One customer. Mappings are as the public keys of the view have them."""

    customer: str
    segment: Mapping[str, str]
    document: Mapping[str, Any] | None
    """``features:<customer>``; ``None`` where ``redis.features_document`` is off."""
    units: Mapping[str, str]
    """By feature."""
    profile: Mapping[str, Any] | None
    """Of the held segment, as in the ``segments`` hash."""
    average: Mapping[str, float]
    """The population's mean of each feature; empty before there is a model."""
    attributes: Attributes
    changes: Sequence[SegmentChange]
    """The last ones, newest first."""
    word: Word | None = None
    """What an analyst said last."""
    is_locked: bool = False
    """Whether it holds the customer where it is, awake or dormant."""

    def to_json(self) -> dict[str, Any]:
        """Plain data, under the names of the contracts."""
        return {
            "customer_id": self.customer,
            "segment": dict(self.segment),
            "features": self.document,
            "units": dict(self.units),
            "profile": self.profile,
            "average": dict(self.average),
            "attributes": {name: register.value for name, register in self.attributes.items()},
            "override": None if self.word is None else _override(self.word) | {"in_force": self.is_locked},
            "changes": [CHANGE.adapter.dump_python(change, mode="json") for change in self.changes],
        }


def dossier(reader: Reader, tail: Tail, customer: str, *, topic: str, features: FeatureSet, partitions: int) -> Dossier:
    """Look a customer up; ``topic`` is that of the changes. Raises ``SegstreamError`` if nobody knows it."""
    key = customer.encode(errors="surrogateescape")  # as the command line gave it
    partition = partition_of(key, partitions)
    segment = reader.segment(key)
    if segment is None:
        raise SegstreamError(why_unknown(reader, partition, key, customer))
    state = reader.state(partition, key)
    rows, registers = unpack(features, [] if state is None else [state])
    known = registers[0] if registers else NOTHING
    profiles = reader.segments()
    return Dossier(
        customer=customer,
        segment=segment,
        document=reader.features(key),
        units={feature.name: feature.unit for feature in features.features},
        profile=profiles.get(segment["id"]),
        average=_average(profiles),
        attributes=known.attributes,
        changes=newest_changes(tail, topic, partition, key, min(LAST_CHANGES, int(segment["version"]))),
        word=known.override,
        is_locked=bool((rows["lock"] != 0).any()),
    )


def _override(word: Word) -> dict[str, Any]:
    """Under the names of the event."""
    said = word.value
    return {
        "event_id": word.event_id,
        "occurred_at": rfc3339(word.at_ms),
        "segment_id": segment_id(said.segment) or None,
        "until": None if said.until_ms is None else rfc3339(said.until_ms),
        "by": said.by,
        "reason": said.reason,
    }


def _average(profiles: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Every profile says what it is compared to."""
    for profile in profiles.values():
        return {name: feature["population"] for name, feature in profile["profile"].items()}
    return {}


def why_unknown(reader: Reader, partition: int, key: bytes, customer: str) -> str:
    """Why a customer has no public hash, as far as the view knows."""
    said = reader.status(partition)
    if said is not None:
        return f"customer '{customer}' is not in the view yet: partition {partition} is {said}"
    if reader.state(partition, key) is not None:
        return f"customer '{customer}' was closed after long silence and holds no segment"
    return f"customer '{customer}' is not known: no accepted event of this id has been processed"
