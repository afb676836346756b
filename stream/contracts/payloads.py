"""The shapes of customer events on the wire: the JSON Schema and the strict rules have this one source.

They are typed dictionaries, not model classes: pydantic checks a parsed object in 1 us instead of 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic needs this one below Python 3.12

from stream.contracts.faults import rejected
from stream.contracts.reasons import Reason
from stream.contracts.timestamps import RFC_3339
from stream.errors import RejectedEvent

MAX_ID_BYTES = 200
MAX_NUMBER = 1e9
"""Of anything that is added up."""
MAX_ATTRIBUTES = 50
MAX_ATTRIBUTE_NUMBER = 2**53
"""Beyond it JSON readers disagree about integers."""
MAX_BY = 80
"""Characters of whoever said something."""
MAX_REASON = 200
"""Characters of why."""

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$"
Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_BYTES, pattern=_PRINTABLE)]
Time = Annotated[str, Field(pattern=RFC_3339, json_schema_extra={"format": "date-time"})]
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Attribute = (
    Annotated[str, Field(max_length=200)]
    | bool
    | Annotated[int, Field(ge=-MAX_ATTRIBUTE_NUMBER, le=MAX_ATTRIBUTE_NUMBER)]
    | Annotated[float, Field(ge=-MAX_ATTRIBUTE_NUMBER, le=MAX_ATTRIBUTE_NUMBER)]
)
Attributes = Annotated[dict[Annotated[str, Field(max_length=80)], Attribute], Field(max_length=MAX_ATTRIBUTES)]

# Strict: "12" and true are no numbers. Unknown fields are ignored; events.decode counts them.
_STRICT = with_config(ConfigDict(strict=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True))


_EVENT_ID = "At most 200 bytes of UTF-8. A second event with the same id within the window is a duplicate."
_CUSTOMER_ID = "At most 200 bytes of UTF-8, equal to the record's key. A pseudonym, please."
_OCCURRED_AT = "RFC 3339 with an offset, from 1990 to shortly after the record's timestamp. Kept in milliseconds."


class _Head(TypedDict):
    # Said here and not below the fields, for pydantic finds no docstrings of inherited fields.
    event_id: Annotated[Id, Field(description=_EVENT_ID)]
    customer_id: Annotated[Id, Field(description=_CUSTOMER_ID)]
    occurred_at: Annotated[Time, Field(description=_OCCURRED_AT)]


@_STRICT
class Line(TypedDict):
    """What a basket holds of one category."""

    category: Annotated[str, Field(max_length=80)]
    amount: Number
    """Money; negative for a refund."""
    private_label: NotRequired[bool]


@_STRICT
class Order(_Head):
    """A basket, whole: one order is one event, never one a line."""

    type: Literal["order"]
    amount: Number
    """Money of the whole basket, after discount; negative for a refund."""
    currency: NotRequired[Annotated[str, Field(pattern="^[A-Z]{3}$")]]
    """ISO 4217, for the reader: amounts are not converted, so one feed has one currency."""
    items: NotRequired[Number]
    discount: NotRequired[Annotated[float, Field(ge=0, le=MAX_NUMBER)]]
    """Money that was taken off."""
    lines: NotRequired[Annotated[list[Line], Field(max_length=1000)]]
    attributes: NotRequired[Attributes]


@_STRICT
class View(_Head):
    """The customer looked around: a sign of life without an order."""

    type: Literal["view"]
    attributes: NotRequired[Attributes]


@_STRICT
class Profile(_Head):
    """What is known of the customer otherwise. Of each attribute the latest value counts; the 100 newest are kept."""

    type: Literal["profile"]
    attributes: Attributes


@_STRICT
class Consent(_Head):
    """Reserved. The customer allows profiling, or no longer does."""

    type: Literal["consent"]
    granted: bool


@_STRICT
class Override(_Head):
    """An analyst holds the customer in a segment, or lets go. The latest counts; no sign of life."""

    type: Literal["override"]
    segment_id: Annotated[str, Field(pattern="^s[1-9][0-9]*$")] | None
    """One that customers can be in now; null lets go."""
    until: NotRequired[Time]
    """Event time, later than ``occurred_at``: then it is over. Without it, until somebody lets go."""
    by: NotRequired[Annotated[str, Field(min_length=1, max_length=MAX_BY, pattern=_PRINTABLE)]]
    """Who says so: for the reader."""
    reason: NotRequired[Annotated[str, Field(min_length=1, max_length=MAX_REASON, pattern=_PRINTABLE)]]
    """Why: for the reader."""


@_STRICT
class Merge(_Head):
    """Reserved. ``customer_id``, the old id, turned out to be the person ``into``."""

    type: Literal["merge"]
    into: Id


@_STRICT
class Absorb(_Head):
    """Reserved. The state of a merged id on its way to the person it is; segstream sends it to itself."""

    type: Literal["absorb"]
    merge_id: Id
    state: str
    """Packed, base64."""


@_STRICT
class Erase(_Head):
    """Reserved. Everything kept of the customer goes, and no later event is taken."""

    type: Literal["erase"]


AnyEvent = Annotated[Order | View | Profile | Consent | Override | Merge | Absorb | Erase, Field(discriminator="type")]

_CHECKS = {
    "order": TypeAdapter(Order).validator,
    "view": TypeAdapter(View).validator,
    "profile": TypeAdapter(Profile).validator,
    "override": TypeAdapter(Override).validator,
}
_RESERVED = frozenset({"consent", "merge", "absorb", "erase"})


def check(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The known fields of an event that keeps the rules of its type. Raises ``RejectedEvent``."""
    kind = payload.get("type")
    if type(kind) is not str:
        missing = "type" not in payload
        raise RejectedEvent(Reason.MISSING_FIELD if missing else Reason.WRONG_TYPE, "type: should be a word")
    rules = _CHECKS.get(kind)
    if rules is None:
        if kind in _RESERVED:
            raise RejectedEvent(Reason.RESERVED_TYPE, f"type: '{kind}' is reserved and not handled yet")
        raise RejectedEvent(Reason.UNKNOWN_TYPE, f"type: none of {', '.join(_CHECKS)}")
    attributes = payload.get("attributes")
    if type(attributes) is dict and len(attributes) > MAX_ATTRIBUTES:  # before each of thousands is a fault
        raise RejectedEvent(Reason.ATTRIBUTES_TOO_LARGE, f"attributes: more than {MAX_ATTRIBUTES}")
    try:
        fields: dict[str, Any] = rules.validate_python(payload)
    except ValidationError as error:
        raise rejected(error) from None
    return fields
