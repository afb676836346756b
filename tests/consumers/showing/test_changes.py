from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from consumers.showing import changes_table
from stream.contracts.changes import Assignment, Because, Cause, SegmentChange, Status
from stream.contracts.examples import CHANGE
from tests.consumers.showing.terminal import WIDTH, coloured, shown

RARE = Assignment("s2", "rare, small baskets", Status.READY)
FREQUENT = Assignment("s3", "frequent, high spend", Status.READY)
COLD = Assignment("", "", Status.COLD)


def lines(change: SegmentChange) -> tuple[str, str]:
    """What stands behind time and customer."""
    transition, why = shown(changes_table([change]))
    return transition[34:], why[34:]


def test_a_change_is_two_lines_when_who_and_whereto_then_why() -> None:
    assert shown(changes_table([CHANGE])) == [
        "2017-06-03 22:20  household-1228  s2 rare, small baskets -> s3 frequent, high spend",
        "                                  behaviour  orders 2.1 -> 6.4 per 30 days  margin 0.27",
    ]


def test_where_there_is_little_room_what_happened_has_lines_of_its_own() -> None:
    assert shown(changes_table([CHANGE]), 80) == [
        "2017-06-03 22:20  household-1228",
        "  s2 rare, small baskets -> s3 frequent, high spend",
        "  behaviour  orders 2.1 -> 6.4 per 30 days  margin 0.27",
    ]
    assert shown(changes_table([CHANGE], customers=False), 80)[0] == "2017-06-03 22:20"


def test_without_customers_the_column_is_gone() -> None:
    first, _ = shown(changes_table([CHANGE], customers=False))
    assert first == "2017-06-03 22:20  s2 rare, small baskets -> s3 frequent, high spend"


@pytest.mark.parametrize(
    ("previous", "current", "transition", "status"),
    [
        (None, COLD, "new customer", "cold"),
        (None, FREQUENT, "new -> s3 frequent, high spend", "ready"),
        (COLD, FREQUENT, "no segment yet -> s3 frequent, high spend", "cold -> ready"),
        (FREQUENT, replace(FREQUENT, status=Status.DORMANT), "s3 frequent, high spend", "ready -> dormant"),
        (RARE, None, "s2 rare, small baskets -> closed", ""),
        (COLD, replace(COLD, status=Status.DORMANT), "no segment yet", "cold -> dormant"),
    ],
)
def test_every_transition_has_its_words(
    previous: Assignment | None, current: Assignment | None, transition: str, status: str
) -> None:
    change = replace(CHANGE, previous=previous, current=current, cause=Cause.TIME, reasons=(), margin=None)
    assert lines(change) == (transition, f"{status}  time" if status else "time")


def test_silence_reads_as_silence() -> None:
    silence = Because("silence", 7.2, 31.0, "days", 1.0)
    _, why = lines(replace(CHANGE, cause=Cause.TIME, reasons=(silence,), margin=None))
    assert why == "time  silent for 31.0 days, usually 7.2"


def test_a_cold_customer_shows_its_nearest_segment_and_a_held_one_its_negative_margin() -> None:
    _, why = lines(replace(CHANGE, previous=None, current=COLD, reasons=(), margin=None, provisional="s2"))
    assert why == "cold  behaviour  nearest so far s2"
    _, why = lines(replace(CHANGE, reasons=(), margin=-0.064))
    assert why == "behaviour  margin -0.06"


def test_ids_that_want_to_write_to_the_terminal_are_only_text() -> None:
    change = replace(CHANGE, customer_id="[red]x\x1b[2J\u202e:smile:")
    sent = coloured(changes_table([change]))
    assert "\x1b[2J" not in sent
    assert "\u202e" not in sent
    text = "".join(line[18:32].strip() for line in shown(changes_table([change])))
    assert text == "[red]x\\x1b[2J\\u202e:smile:"


@given(st.text(max_size=80), st.text(max_size=60), st.sampled_from((40, 80, WIDTH)))
def test_no_text_breaks_the_layout(customer: str, name: str, width: int) -> None:
    change = replace(CHANGE, customer_id=customer, current=replace(FREQUENT, name=name))
    lines = shown(changes_table([change]), width)
    assert all(cell_len(line) <= width for line in lines)
    assert all(c.isprintable() or c == "\n" for c in "\n".join(lines))
