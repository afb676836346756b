"""Why an event is refused: the words that the rejected topic, the metrics and the runbook share."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One word a cause. Public: words are added, never renamed."""

    NULL_VALUE = "null_value"
    NULL_KEY = "null_key"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    DUPLICATE_KEY = "duplicate_key"
    NOT_FINITE = "not_finite"
    LONE_SURROGATE = "lone_surrogate"
    TOO_DEEP = "too_deep"
    ABSURD_INTEGER = "absurd_integer"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_TYPE = "unknown_type"
    RESERVED_TYPE = "reserved_type"
    EMPTY_ID = "empty_id"
    ID_TOO_LONG = "id_too_long"
    CONTROL_CHARACTER = "control_character"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    NAIVE_TIME = "naive_time"
    BAD_TIME = "bad_time"
    ABSURD_TIME = "absurd_time"
    FROM_FUTURE = "from_future"
    OUT_OF_BOUNDS = "out_of_bounds"
    BAD_CURRENCY = "bad_currency"
    TOO_MANY_LINES = "too_many_lines"
    CATEGORY_TOO_LONG = "category_too_long"
    ATTRIBUTES_TOO_LARGE = "attributes_too_large"
    UNKNOWN_SEGMENT = "unknown_segment"
