from __future__ import annotations

from consumers.reporting.material import Material
from consumers.reporting.notes import notes_of
from tests.reporting.making import DAY, change


def test_a_whole_day_of_a_healthy_service_needs_no_note() -> None:
    changes = [change("s1", "s2", version=n) for n in (4, 5, 6)]
    assert notes_of(Material(newest_ms=DAY.end_ms, changes=changes), DAY) == []


def test_how_far_events_have_come() -> None:
    assert notes_of(Material(), DAY) == ["nothing has been processed yet: the first event makes the first customer"]
    assert notes_of(Material(newest_ms=DAY.begin_ms - 1), DAY) == [
        "events have not reached this time yet: the newest is of 2024-05-01 23:59 UTC"
    ]
    assert notes_of(Material(newest_ms=DAY.begin_ms), DAY) == ["so far: the newest event is of 2024-05-02 00:00 UTC"]


def test_a_view_that_is_being_rebuilt_lacks_customers() -> None:
    (note,) = notes_of(Material(newest_ms=DAY.end_ms, statuses=["partition 2 is being restored"]), DAY)
    assert note == "the view is being rebuilt, so customers are missing: partition 2 is being restored"


def test_changes_that_compaction_took_are_counted() -> None:
    changes = [change("s1", "s2", version=n, customer_id=c) for c, n in (("a", 9), ("a", 4), ("b", 7), ("b", 8))]
    (note,) = notes_of(Material(newest_ms=DAY.end_ms, changes=changes), DAY)
    assert note.startswith("4 changes since then are compacted away")
