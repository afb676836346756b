from __future__ import annotations

import pytest

from stream.contracts.events import Reason
from stream.contracts.rejected import Rejected, read_rejected, rejected_headers
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
