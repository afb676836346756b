from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.customer.contributions import contributions
from stream.customer.registers import ATTRIBUTES_KEPT, NOTHING, Attributes, Register, Registers
from stream.customer.state import SEEN, States, empty
from stream.decision.intake import event_hashes, is_duplicate, registered, take_in
from tests.customer.folding import folded
from tests.helpers import MONDAY_MS, event, shop


def remembering(ids: list[str]) -> States:
    rows = empty(shop(), 1)
    for name in ids:
        one = event("c", MONDAY_MS, 1.0, event_id=name)
        take_in(shop(), rows, contributions(shop(), [one]), np.array([one.occurred_at_ms]), event_hashes([one]))
    return rows


def known(rows: States, name: str) -> bool:
    return bool(is_duplicate(rows, event_hashes([event("c", MONDAY_MS, event_id=name)]))[0])


@given(st.lists(st.text(min_size=1, max_size=5), unique=True, max_size=40))
def test_exactly_the_window_of_accepted_ids_is_remembered(ids: list[str]) -> None:
    rows = remembering(ids)
    assert [known(rows, name) for name in ids] == [i >= len(ids) - SEEN for i in range(len(ids))]
    assert not known(rows, "never seen")


def test_hashes_are_48_bits_never_zero_and_of_the_id_alone() -> None:
    hashes = event_hashes([event(c, MONDAY_MS + i, event_id="same") for i, c in enumerate("ab")])
    assert hashes[0] == hashes[1]
    many = event_hashes([event("c", 0, event_id=str(i)) for i in range(5000)])
    assert len(set(many.tolist())) == 5000
    assert many.min() > 0
    assert many.max() < 2**48
    assert event_hashes([]).dtype == np.uint64


def test_an_accepted_event_is_folded_and_counted_as_a_look() -> None:
    basket = event("c", MONDAY_MS, 12.0, items=3.0)
    rows = empty(shop(), 1)
    take_in(shop(), rows, contributions(shop(), [basket]), np.array([MONDAY_MS]), event_hashes([basket]))
    assert rows["sums"].tobytes() == folded(shop(), [basket])["sums"].tobytes()
    assert rows["looks"].tolist() == [1]


def test_a_profile_is_remembered_but_no_look_by_activity() -> None:
    profile = event("c", MONDAY_MS, kind="profile", attributes={"town": "A"}, event_id="p")
    rows = empty(shop(), 1)
    take_in(shop(), rows, contributions(shop(), [profile]), np.array([MONDAY_MS]), event_hashes([profile]))
    assert rows["looks"].tolist() == [0]
    assert known(rows, "p")


def test_of_each_attribute_the_latest_value_counts() -> None:
    new = event("c", 20, kind="profile", event_id="b", attributes={"town": "A", "age": 30})
    late = event("c", 10, kind="profile", event_id="z", attributes={"town": "B", "pets": 2})
    expected: Attributes = {"town": Register("A", 20, "b"), "age": Register(30, 20, "b"), "pets": Register(2, 10, "z")}
    assert registered(registered(NOTHING, new), late) == Registers(expected)
    assert registered(registered(NOTHING, late), new) == Registers(expected)


@given(st.permutations([(at, name) for at in range(3) for name in range(ATTRIBUTES_KEPT)]))
def test_the_newest_attributes_are_kept_whatever_the_order(told: list[tuple[int, int]]) -> None:
    held = NOTHING
    for at, name in told:
        said: dict[str, str | int | float | bool] = {f"n{(name + 40 * at):03}": at, "town": at}
        held = registered(held, event("c", at, kind="profile", event_id=f"e{name:03}", attributes=said))
    assert len(held.attributes) == ATTRIBUTES_KEPT
    newest = [f"n{name + 80:03}" for name in range(1, ATTRIBUTES_KEPT)]
    assert held.attributes == {
        "town": Register(2, 2, f"e{ATTRIBUTES_KEPT - 1:03}"),
        **{name: Register(2, 2, f"e{i:03}") for i, name in enumerate(newest, 1)},
    }


def test_of_writes_at_one_time_the_larger_event_id_counts() -> None:
    writes = [event("c", 10, kind="profile", event_id=name, attributes={"town": name}) for name in "ab"]
    assert registered(registered(NOTHING, writes[0]), writes[1]).attributes["town"].value == "b"
    assert registered(registered(NOTHING, writes[1]), writes[0]).attributes["town"].value == "b"


def test_events_without_attributes_leave_the_registers_alone() -> None:
    held = Registers({"town": Register("A", 20, "b")})
    assert registered(held, event("c", 30, 1.0)) == held
