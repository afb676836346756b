from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stream.customer.features import NEVER
from stream.customer.state import States, Status, empty
from stream.decision.assign import Assigner
from stream.decision.look import look
from tests.customer.folding import folded
from tests.helpers import DAY_MS, MONDAY_MS, event, model, shop, shop_model

ASSIGNER = Assigner(shop_model())


def customer(n: int = 5, gap_days: float = 2.0, amount: float = 20.0) -> States:
    """Somebody after n visits who has not been looked at."""
    rows = folded(shop(), [event("c", MONDAY_MS + int(i * gap_days * DAY_MS), amount) for i in range(n)])
    rows["looks"] = n
    return rows


def looked_at(rows: States, at_ms: int, assigner: Assigner | None = ASSIGNER) -> Any:
    look(shop(), rows, np.array([at_ms]), assigner)
    return rows[0]


def newest(rows: States) -> int:
    return int(rows["newest_at"][0])


@pytest.mark.parametrize(("looks", "status"), [(1, Status.COLD), (2, Status.COLD), (3, Status.READY)])
def test_below_three_looks_the_segment_is_only_a_guess(looks: int, status: Status) -> None:
    rows = customer(looks)
    row = looked_at(rows, newest(rows))
    assert row["status"] == status
    assert (row["segment"] != 0) == (status == Status.READY)
    assert (row["provisional"] != 0) == (status == Status.COLD)
    assert np.isnan(row["margin"]) == np.isnan(row["fit"]) == (status == Status.COLD)


def test_without_a_model_everybody_is_cold() -> None:
    rows = customer()
    row = looked_at(rows, newest(rows), None)
    assert (row["status"], row["segment"], row["provisional"]) == (Status.COLD, 0, 0)
    assert np.isnan([row["margin"], row["fit"]]).all()


def test_a_look_takes_note_of_the_model() -> None:
    rows = customer()
    row = looked_at(rows, newest(rows), Assigner(shop_model(version=7, epoch=3)))
    assert (row["model_version"], row["epoch"]) == (7, 3)


def test_a_late_look_is_where_the_customer_stands_not_in_the_past() -> None:
    rows = customer()
    assert looked_at(rows, newest(rows) - 90 * DAY_MS)["looked_at"] == newest(rows)
    later = newest(rows) + 3 * DAY_MS
    assert looked_at(rows, later)["looked_at"] == later
    assert looked_at(rows, newest(rows))["looked_at"] == later


def test_who_sleeps_keeps_the_segment_though_another_is_nearer_by_now() -> None:
    rows = customer(25)
    assert looked_at(rows, newest(rows))["segment"] == 2
    row = looked_at(rows, newest(rows) + 300 * DAY_MS)
    assert (row["status"], row["segment"]) == (Status.DORMANT, 2)
    assert np.isnan(row["margin"])


def test_who_sleeps_moves_only_when_the_segment_is_gone() -> None:
    rows = customer(25)
    looked_at(rows, newest(rows))
    asleep = newest(rows) + 60 * DAY_MS
    looked_at(rows, asleep)
    row = looked_at(rows, asleep, Assigner(shop_model(retiring=[2])))
    assert (row["status"], row["segment"]) == (Status.DORMANT, 1)


def test_who_sleeps_without_a_segment_is_given_none() -> None:
    rows = customer(1)
    row = looked_at(rows, newest(rows) + 60 * DAY_MS)
    assert (row["status"], row["segment"], row["provisional"]) == (Status.DORMANT, 0, 0)


def test_atypical_is_who_was_far_twice_in_a_row() -> None:
    """And who was near twice in a row no longer is."""
    far = model(shop(), {1: {"basket": 900.0}}, weights={"basket": 1.0})
    near = model(shop(), {1: {"basket": 20.0}}, weights={"basket": 1.0})
    rows, seen = customer(), []
    for snapshot in (far, near, far, far, near, far, near, near):
        row = looked_at(rows, newest(rows), Assigner(snapshot))
        assert (row["fit"] > 3) == (snapshot is far)
        seen.append(bool(row["atypical"] & 1))
    assert seen == [False, False, False, True, True, True, True, False]


def test_what_is_left_of_the_closed_is_their_version_and_what_they_sent() -> None:
    rows = customer()
    looked_at(rows, newest(rows))
    rows["version"], rows["seen_low"], rows["since"] = 4, 9, MONDAY_MS
    closing = newest(rows) + 730 * DAY_MS
    row = looked_at(rows, closing)
    expected = empty(shop(), 1)[0]
    kept = {"version": 4, "looked_at": closing, "since": MONDAY_MS, "status": Status.CLOSED, "seen_low": 9}
    for field, value in {**kept, "model_version": 1, "epoch": 1}.items():
        expected[field] = value
    assert row.tobytes() == expected.tobytes()
    assert row["newest_at"] == NEVER


def test_looks_side_by_side_have_the_bits_of_each_alone() -> None:
    rows = np.concatenate(
        [customer(n, gap, amount) for n in range(1, 8) for gap in (0.5, 9.0) for amount in (2.0, 700.0)]
    )
    at, alone = rows["newest_at"] + np.arange(len(rows)) * DAY_MS, rows.copy()
    look(shop(), rows, at, ASSIGNER)
    for i in range(len(alone)):
        one = alone[i : i + 1].copy()
        look(shop(), one, at[i : i + 1], ASSIGNER)
        assert one.tobytes() == rows[i : i + 1].tobytes()


def test_nobody_can_be_looked_at() -> None:
    look(shop(), empty(shop(), 0), np.zeros(0, dtype=np.int64), ASSIGNER)
