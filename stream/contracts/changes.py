"""Segment changes out: from the previous to the current assignment of a customer, as one CloudEvent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stream.contracts.wire import Time, Wire, published

SOURCE = "urn:segstream"
CHANGE_TYPE = "segstream.segment.changed.v1"
CHANGE_SCHEMA = "urn:segstream:schema:segment-change:1"
COPIED = ("ce_copied", b"true")
"""A further header of changes that a migration wrote again, into a new topic: the newest of every customer."""

Share = Annotated[float, Field(ge=0, le=1)]


class Status(StrEnum):
    """Where a customer stands, as published."""

    COLD = "cold"
    READY = "ready"
    DORMANT = "dormant"
    LOCKED = "locked"


class Cause(StrEnum):
    """Why a customer changed: the first step of the ladder that explains it."""

    FIRST = "first"
    BEHAVIOUR = "behaviour"
    TIME = "time"
    MODEL = "model"
    SETTINGS = "settings"
    OVERRIDE = "override"
    MERGE = "merge"
    ERASE = "erase"
    EXPIRED = "expired"


@published
@dataclass(frozen=True, slots=True)
class Assignment:
    """A customer's segment at a time."""

    id: str
    """``s3``; empty while the status is cold."""
    name: str
    """As it was then; the ``segments`` hash and ``segment.profiles`` have the present names."""
    status: Status


@published
@dataclass(frozen=True, slots=True)
class Membership:
    """How much the customer belongs to one of its two nearest segments."""

    id: str
    share: Share


@published
@dataclass(frozen=True, slots=True)
class Because:
    """One feature's part in the change, in natural units, since the previous segment was entered."""

    feature: str
    before: float | None
    after: float | None
    unit: str
    contribution: float
    """Share of what spoke for the new segment."""


@published
@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Had ``feature`` been ``value`` instead of ``now``, the previous segment would have been kept."""

    feature: str
    value: float
    unit: str
    now: float


@published
@dataclass(frozen=True, slots=True)
class Override:
    """What an analyst said of the customer, as the ``override`` event had it."""

    event_id: str
    by: str | None
    reason: str | None
    until: Time | None
    """Event time. null: until somebody lets go."""


@published
@dataclass(frozen=True, slots=True)
class SegmentChange:
    """The segment or status of a customer changed. Apply it only if ``version`` is greater than yours."""

    customer_id: str
    version: Annotated[int, Field(ge=1)]
    """Counts the customer's changes: 1, 2, 3, without gaps."""
    previous: Assignment | None
    """null: never seen before, or back after being closed."""
    current: Assignment | None
    """null: closed (expired, merged away or erased)."""
    cause: Cause
    occurred_at: Time
    """Event time."""
    decided_at: Time
    """Wall clock."""
    margin: float | None
    """(d_rival - d_held) / the larger of both; negative while a farther segment is held on to."""
    fit: float | None
    """Distance to the segment's centre in its radii."""
    atypical: bool
    """Far from every segment: a fit above 3."""
    membership: tuple[Membership, ...]
    reasons: tuple[Because, ...]
    """Strongest first."""
    counterfactual: Counterfactual | None
    provisional: str | None
    """While cold: id of the segment it would be."""
    model_version: Annotated[int, Field(ge=0)]
    """0: no model yet."""
    trigger_event_id: str | None
    """null: no event did it, but time or the model."""
    override: Override | None = None
    """What holds the customer where it is, or did until now, or lets it go. null: nobody said anything."""


CHANGE = Wire(SegmentChange)
encode_change = CHANGE.encode
decode_change = CHANGE.decode


def cloudevent_headers(change: SegmentChange, source: str = SOURCE) -> tuple[tuple[str, bytes], ...]:
    """CloudEvents 1.0, Kafka binary mode. ``ce_source`` with ``ce_id`` is unique to a change."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{change.customer_id}:{change.version}".encode()),
        ("ce_source", source.encode()),
        ("ce_type", CHANGE_TYPE.encode()),
        ("ce_subject", change.customer_id.encode()),
        ("ce_time", change.occurred_at.encode()),
        ("ce_dataschema", CHANGE_SCHEMA.encode()),
        ("content-type", b"application/json"),
    )
