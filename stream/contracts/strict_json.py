"""Strict JSON: what two parsers could read differently is refused.

RFC 8259 leaves duplicate keys, lone surrogates and depth to the parser; ``json.loads`` also takes NaN.
Here each is a fault with a reason of its own.
"""

from __future__ import annotations

import json
from typing import Any, Never

from pydantic_core import from_json

from stream.contracts.reasons import Reason
from stream.errors import RejectedEvent

_DICTS = {dict}


def parse_object(value: bytes) -> dict[str, Any]:
    """The JSON object in ``value``. Raises ``RejectedEvent``, whatever the bytes.

    >>> parse_object(b'{"amount": 1.5}')
    {'amount': 1.5}
    """
    try:
        document = from_json(value, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise _fault(value, str(error)) from None
    if type(document) is not dict:
        raise RejectedEvent(Reason.NOT_OBJECT, "the payload is JSON, but not an object")
    commas = value.count(b",")
    is_plain = commas == len(document) - 1
    if not is_plain and commas != _least_commas(document):
        _refuse_duplicates(value)
    return document


def _least_commas(document: dict[str, Any]) -> int:
    """At least so many commas stood between the members of what was read, looking two levels down.

    Each duplicate that was overwritten left a comma more in the text, so a text with exactly this many had
    none. One with more has a duplicate, a comma inside a string, or deeper values: the slow way tells.
    """
    commas = len(document) - 1
    for child in document.values():
        if type(child) is dict:
            commas += max(len(child) - 1, 0)
        elif type(child) is list and child:
            commas += len(child) - 1
            if set(map(type, child)) == _DICTS:
                commas += sum(map(len, child)) - len(child)
    return commas


def _refuse_duplicates(value: bytes) -> None:
    try:
        json.loads(value, object_pairs_hook=_distinct, parse_int=str, parse_float=str)
    except RecursionError:
        raise RejectedEvent(Reason.TOO_DEEP, "nested too deeply") from None
    except ValueError:
        raise RejectedEvent(Reason.NOT_JSON, "two JSON parsers disagree about it") from None


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise RejectedEvent(Reason.DUPLICATE_KEY, "an object has two members of the same name")


def _fault(value: bytes, message: str) -> RejectedEvent:
    """Why the parser refused. What the lenient parser of the standard library says tells the faults apart."""
    if "recursion limit" in message:
        return RejectedEvent(Reason.TOO_DEEP, "nested too deeply")
    if "number out of range" in message:
        return RejectedEvent(Reason.ABSURD_INTEGER, "an integer of thousands of digits")
    try:
        json.loads(value.decode(), parse_constant=_refuse_constant, parse_int=str)
    except UnicodeDecodeError as error:
        return RejectedEvent(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8")
    except RejectedEvent as rejected:
        return rejected
    except RecursionError:
        return RejectedEvent(Reason.TOO_DEEP, "nested too deeply")
    except ValueError:
        return RejectedEvent(Reason.NOT_JSON, message)
    return RejectedEvent(Reason.LONE_SURROGATE, "a string has half of a surrogate pair")


def _refuse_constant(_: str) -> Never:
    raise RejectedEvent(Reason.NOT_FINITE, "NaN and Infinity are not JSON")
