from __future__ import annotations

import pytest

from stream.contracts.events import Reason
from stream.contracts.rejected import MAX_ORIGINAL_BYTES, Rejected, kept, read_rejected, rejected_headers
from stream.errors import BadRecord, RejectedEvent

HEADERS = rejected_headers("customer.events", 3, 17, -1, RejectedEvent(Reason.NOT_JSON, "cut off at line 1"))


def test_coordinates_and_reason_are_read_back() -> None:
    assert read_rejected(HEADERS) == Rejected("not_json", "cut off at line 1", "customer.events", 3, 17, -1)


def test_headers_of_others_are_passed_over() -> None:
    assert read_rejected((("traceparent", b"\xff"), *HEADERS)) == read_rejected(HEADERS)


@pytest.mark.parametrize("missing", range(len(HEADERS)))
def test_without_one_of_them_it_is_no_rejected_record(missing: int) -> None:
    with pytest.raises(BadRecord):
        read_rejected(HEADERS[:missing] + HEADERS[missing + 1 :])


def test_a_number_that_is_none_is_bad() -> None:
    with pytest.raises(BadRecord):
        read_rejected([*HEADERS, ("rejected_offset", b"x")])


# Oversized originals


@pytest.mark.parametrize(
    ("key", "value"),
    [(None, None), (b"", b""), (b"42", None), (None, b"x"), (b"42", b"v" * (MAX_ORIGINAL_BYTES - 2))],
)
def test_an_original_that_fits_is_kept_as_it_is(key: bytes | None, value: bytes | None) -> None:
    assert kept(key, value) == (key, value, ())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"42", b"v" * (MAX_ORIGINAL_BYTES - 1)),
        (None, b"v" * (MAX_ORIGINAL_BYTES + 1)),
        (b"k" * 3_000_000, None),
        (b"k" * 3_000_000, b"v" * 3_000_000),
        (b"k" * MAX_ORIGINAL_BYTES, b"v"),
    ],
)
def test_one_that_does_not_is_cut_and_its_true_size_is_told(key: bytes | None, value: bytes | None) -> None:
    key_left, value_left, cut = kept(key, value)
    assert len(key_left or b"") + len(value_left or b"") == MAX_ORIGINAL_BYTES
    assert (key_left is None, value_left is None) == (key is None, value is None)
    assert (key or b"").startswith(key_left or b"")
    assert (value or b"").startswith(value_left or b"")
    said = read_rejected((*HEADERS, *cut))
    assert said.key_bytes == (None if key_left == key else len(key or b""))
    assert said.value_bytes == (None if value_left == value else len(value or b""))
