"""What is said of segments, not of customers: their history (ledger) and their present profile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from stream.contracts.commands import Deed
from stream.contracts.wire import Time, Wire, published


class LedgerKind(StrEnum):
    """What befell a segment; ``drift`` befell the customers or their events."""

    BORN = "born"
    SHIFTED = "shifted"
    SPLIT = "split"
    MERGED = "merged"
    RENAMED = "renamed"
    RETIRING = "retiring"
    RETIRED = "retired"
    SAID = "said"
    """A person said something of it; see ``said``."""
    DRIFT = "drift"


@published
@dataclass(frozen=True, slots=True)
class Flow:
    """Customers that two groupings share: ``mass`` of them were in ``from_id`` and are in ``to_id``."""

    from_id: str | None
    to_id: str | None
    mass: Annotated[float, Field(ge=0)]


@published
@dataclass(frozen=True, slots=True)
class SegmentValue:
    """What the customers who hold a segment do and are worth, from decayed sums as of each one's last look.

    Null: nothing can be said yet, or no such accumulator is declared. Money is in the currency of the feed.
    """

    active: Annotated[int, Field(ge=0)]
    """Customers who hold it and are not dormant."""
    dormant: Annotated[int, Field(ge=0)]
    """Customers who hold it and are."""
    retention: Annotated[float, Field(ge=0, le=1)] | None
    """Estimated share of the active customers who are so 30 days later. Who falls silent is first carried into rarer
    segments, and counts there."""
    orders: float | None
    """Of an active customer in 30 days."""
    spend: float | None
    """Of an active customer in 30 days."""
    conversion: Annotated[float, Field(ge=0)] | None
    """Orders per view."""
    order_value: float | None
    """Money per order."""
    clv: float | None
    """Margin that an active customer will yet bring, discounted (Gupta and Lehmann 2003)."""


@published
@dataclass(frozen=True, slots=True)
class Drift:
    """A signal left what is usual, or came back. Usual is what it was in the frozen reference."""

    signal: str
    """``share``: customers by segment. ``feature.NAME``: customers by a feature. ``event.NAME``: orders as they are.
    ``decision.NAME``: how sure decisions are."""
    what: Literal["begins", "ends"]
    detector: str
    """``psi`` for the population; for events ``ewma``, ``adwin`` or ``page_hinkley``."""
    since: Time
    """Event time when the signal was last seen well within its limits."""
    level: Annotated[float, Field(ge=0)]
    """Highest so far, in limits: 1 is where drift begins."""


@published
@dataclass(frozen=True, slots=True)
class LedgerDetail:
    """The entry in numbers and in words."""

    flows: tuple[Flow, ...]
    text: str
    value: SegmentValue | None = None
    """After the entry."""
    drift: Drift | None = None
    """Of kind ``drift`` only."""


@published
@dataclass(frozen=True, slots=True)
class Said:
    """What a person said of the segments, and what came of it."""

    deed: Deed
    by: str
    """Who; empty: nobody knows."""
    at: Time
    """Wall clock of whoever said it."""
    done: bool
    outcome: str
    """What came of it, or why it was not done."""
    version: int | None = None
    """The proposal that was accepted or rejected, the model that was gone back to."""
    into_id: str | None = None
    """The segment that was merged into."""
    name: str | None = None
    """The name that was given."""


@published
@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the history of a segment, what a person said, or a drift of the customers. The record's key is the
    segment's id, ``drift``, or empty where a person spoke of all segments.
    """

    kind: LedgerKind
    segment_id: str
    """Empty where a person said something of all of them, and for a drift, which is of no one segment."""
    name: str
    """After the entry; the signal for a drift."""
    model_version: Annotated[int, Field(ge=1)]
    """The first that has it."""
    occurred_at: Time
    """Event time that the model had reached."""
    decided_at: Time
    """Wall clock."""
    detail: LedgerDetail
    said: Said | None = None
    """For ``said``."""


@published
@dataclass(frozen=True, slots=True)
class FeatureProfile:
    """A segment's mean of one feature beside the population's, in natural units."""

    value: float
    unit: str
    population: float
    times: float | None
    """``value / population``; null where the population's is 0."""


@published
@dataclass(frozen=True, slots=True)
class ParentGroup:
    """One of the two or three groups that all segments fall into."""

    id: Annotated[str, Field(pattern="^g[1-9][0-9]*$")]
    """Lives on with its customers."""
    name: str


@published
@dataclass(frozen=True, slots=True)
class RuleCondition:
    """A threshold on one feature, in natural units."""

    feature: str
    operator: Literal[">", "<"]
    value: float
    unit: str


@published
@dataclass(frozen=True, slots=True)
class SegmentRule:
    """A readable approximation: who meets all conditions is, mostly, in the segment. It is not what decides.

    Measured on the cells of the population, whose customers count as of the segment that the cell is nearest to and
    as spread around its mean.
    """

    text: str
    """Such as "orders > 4 per 30 days and discount share < 0.1"."""
    conditions: Annotated[tuple[RuleCondition, ...], Field(max_length=3)]
    """All of them must hold; none: everybody."""
    right: Annotated[float, Field(ge=0, le=1)]
    """Share of the population's customers who meet it exactly if they are in the segment."""
    precision: Annotated[float, Field(ge=0, le=1)]
    """Of those who meet it, the share in the segment."""
    recall: Annotated[float, Field(ge=0, le=1)]
    """Of those in the segment, the share that meet it."""


@published
@dataclass(frozen=True, slots=True)
class SegmentProfile:
    """A segment as it is now: value in ``segment.profiles`` and in the ``segments`` hash of Redis, by id."""

    id: str
    name: str
    customers: Annotated[int, Field(ge=0)]
    """Who are not dormant."""
    share: Annotated[float, Field(ge=0, le=1)]
    """Of the population."""
    radius: Annotated[float, Field(ge=0)]
    """Root mean square distance to the centre, in weighted standard deviations of the population."""
    profile: dict[str, FeatureProfile]
    retiring: bool
    """Nobody enters any more."""
    model_version: Annotated[int, Field(ge=1)]
    updated_at: Time
    group: ParentGroup | None = None
    rule: SegmentRule | None = None
    """Null while retiring."""
    value: SegmentValue | None = None
    alike: tuple[str, ...] = ()
    """Ids of the segments that do not differ from it in outcome: they might as well be one. Advice."""


LEDGER_ENTRY = Wire(LedgerEntry)
encode_entry = LEDGER_ENTRY.encode
decode_entry = LEDGER_ENTRY.decode

PROFILE = Wire(SegmentProfile)
encode_profile = PROFILE.encode
decode_profile = PROFILE.decode
