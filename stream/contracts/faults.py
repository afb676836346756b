"""From what pydantic says of a bad payload to the one reason that we give, without a word of the payload."""

from __future__ import annotations

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stream.contracts.reasons import Reason
from stream.contracts.timestamps import WITHOUT_OFFSET
from stream.errors import RejectedEvent

_NAIVE = re.compile(WITHOUT_OFFSET + r"\Z")
_TOLD = {
    Reason.CONTROL_CHARACTER: "has a control character",
    Reason.NAIVE_TIME: "has no offset: 'Z' or one like '+01:00' is needed",
    Reason.BAD_TIME: "is not an RFC 3339 time",
    Reason.BAD_CURRENCY: "is not three capital letters",
    Reason.UNKNOWN_SEGMENT: "is not a segment id: one like 's3', or null",
}
"""Where pydantic would show a regular expression."""
_TOO_LONG = {
    ("lines", "too_long"): Reason.TOO_MANY_LINES,
    ("lines", "string_too_long"): Reason.CATEGORY_TOO_LONG,
    ("attributes", "string_too_long"): Reason.ATTRIBUTES_TOO_LARGE,
    ("by", "string_too_long"): Reason.OUT_OF_BOUNDS,
    ("reason", "string_too_long"): Reason.OUT_OF_BOUNDS,
}
_TIMES = ("occurred_at", "until")
_PATTERNS = {"currency": Reason.BAD_CURRENCY, "segment_id": Reason.UNKNOWN_SEGMENT}


def rejected(error: ValidationError) -> RejectedEvent:
    """The first fault of a payload.

    A value of a union that fits no member is one fault of each of them: that of the member which it fits but
    for a bound says more than "not a string".
    """
    errors = error.errors(include_url=False, include_context=False)
    same = [e for e in errors if e["loc"][:2] == errors[0]["loc"][:2]]
    fault = next((e for e in same if not e["type"].endswith("_type")), errors[0])
    reason = _reason(fault)
    return RejectedEvent(reason, f"{_where(fault['loc'])}: {_TOLD.get(reason, fault['msg'])}")


def _where(loc: tuple[int | str, ...]) -> str:
    """The declared name of a field; names of attributes are the customer's data."""
    path = loc[:1] if loc[0] == "attributes" else loc
    return ".".join(map(str, path))


def _reason(fault: ErrorDetails) -> Reason:
    field, given = fault["loc"][0], fault["input"]
    match fault["type"]:
        case "missing":
            return Reason.MISSING_FIELD
        case "finite_number":
            return Reason.NOT_FINITE
        case "less_than_equal" | "greater_than_equal":
            return Reason.OUT_OF_BOUNDS
        case "float_type" if type(given) is int:  # so large that it is no float
            return Reason.OUT_OF_BOUNDS
        case "string_too_short":
            return Reason.EMPTY_ID
        case "string_too_long" | "too_long":
            return _TOO_LONG.get((str(field), fault["type"]), Reason.ID_TOO_LONG)
        case "string_pattern_mismatch" if field in _TIMES:
            return Reason.NAIVE_TIME if _NAIVE.match(given) else Reason.BAD_TIME
        case "string_pattern_mismatch":
            return _PATTERNS.get(str(field), Reason.CONTROL_CHARACTER)
        case _:
            return Reason.WRONG_TYPE
