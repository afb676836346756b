"""Who held what when, and how often that changed for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.calm import per_1000, per_1000_at_events
from benchmarks.quality.history import history_of_changes, history_of_labels
from stream.contracts.changes import Assignment, Cause, SegmentChange, Status
from stream.contracts.timestamps import rfc3339
from stream.customer.features import DAY_MS
from tests.benchmarks.quality_data import orders


def change(customer: str, version: int, day: float, segment: str, status: Status = Status.READY) -> SegmentChange:
    at = rfc3339(round(day * DAY_MS))
    return SegmentChange(
        customer_id=customer,
        version=version,
        previous=None,
        current=Assignment(segment, "", status),
        cause=Cause.FIRST,
        occurred_at=at,
        decided_at=at,
        margin=None,
        fit=None,
        atypical=False,
        membership=(),
        reasons=(),
        counterfactual=None,
        provisional=None,
        model_version=1,
        trigger_event_id=None,
    )


def test_labels_at_events_become_moves() -> None:
    data = orders([("a", 0), ("b", 0.5), ("a", 1), ("a", 2), ("b", 3)])
    history = history_of_labels(data, np.array([1, 2, 1, 2, 2]))
    assert history.customer.tolist() == [0, 0, 1]
    assert history.segment.tolist() == [1, 2, 2]
    assert history.nth.tolist() == [1, 3, 1]
    assert history.held(2 * DAY_MS).tolist() == [1, 2]
    assert history.held(2 * DAY_MS + 1).tolist() == [2, 2]
    assert history.held(0).tolist() == [0, 0]


def test_what_the_topic_tells_becomes_the_same() -> None:
    data = orders([("a", 0), ("b", 0.5), ("a", 1), ("a", 2)])
    told = [
        change("b", 1, 0.5, "s2"),
        change("a", 3, 2, "s2"),
        change("a", 1, 0, "", Status.COLD),
        change("a", 2, 1, "s1"),
        change("a", 4, 40, "s2", Status.DORMANT),
    ]
    history = history_of_changes(data, told)
    assert history.customer.tolist() == [0, 0, 0, 1]
    assert history.segment.tolist() == [0, 1, 2, 2]
    assert history.nth.tolist() == [1, 2, 3, 1]
    assert history.changes.tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("labels", "changes", "flaps"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 1, 1], 0, 0),
        ([1, 2, 1, 1, 1, 1, 1, 1, 1], 2, 1),
        ([1, 2, 3, 1, 1, 1, 1, 1, 1], 3, 0),
        ([1, 2, 2, 2, 2, 2, 1, 1, 1], 2, 1),
        ([1, 2, 2, 2, 2, 2, 2, 1, 1], 2, 0),
        ([1, 2, 1, 2, 1, 2, 1, 2, 1], 8, 7),
    ],
)
def test_flaps_go_back_within_five_own_events(labels: list[int], changes: int, flaps: int) -> None:
    data = orders([(customer, day) for day in range(9) for customer in ("a", "b")])
    both = np.repeat(labels, 2)
    both[1::2] = 5
    found = per_1000(history_of_labels(data, both), 1000)
    assert (found["changes_per_1000"], found["aba_per_1000"]) == (changes, flaps)


def test_one_customers_last_segment_is_not_the_nexts_first() -> None:
    data = orders([("a", 0), ("a", 1), ("b", 2), ("b", 3)])
    history = history_of_labels(data, np.array([1, 2, 1, 2]))
    assert per_1000(history, 1000) == {"changes_per_1000": 2.0, "aba_per_1000": 0.0}


def test_returns_from_where_silence_had_led_do_not_show_at_events() -> None:
    data = orders([("a", 0), ("a", 10), ("a", 20)])
    told = [change("a", 1, 0, "s1"), change("a", 2, 5, "s2"), change("a", 3, 10, "s1"), change("a", 4, 20, "s2")]
    history = history_of_changes(data, told)
    assert per_1000(history, 3) == {"changes_per_1000": 1000.0, "aba_per_1000": pytest.approx(2000 / 3)}
    found = per_1000_at_events(data, history)
    assert found == {"changes_per_1000_at_events": pytest.approx(1000 / 3), "aba_per_1000_at_events": 0.0}
