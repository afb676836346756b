from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from consumers.reporting.sizes import counts_at, sizes_of, times_of
from stream.contracts.changes import SegmentChange
from tests.reporting.making import DAY, change

PLACES = ("s1", "s2", "s3", "dormant", "new")
MOVES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1_000), st.sampled_from(PLACES)), max_size=60)


def lived(moves: list[tuple[int, int, str]]) -> tuple[list[SegmentChange], dict[str, list[tuple[int, str]]]]:
    """The changes of some customers who go from place to place, and where each was from when on."""
    changes, lives = [], dict[str, list[tuple[int, str]]]()
    for who, at_ms, place in sorted(moves, key=lambda move: move[1]):
        life = lives.setdefault(f"c{who}", [])
        left = life[-1][1] if life else None
        changes.append(change(left, place, at_ms, customer_id=f"c{who}", version=len(life) + 1))
        life.append((at_ms, place))
    return changes, lives


def there(lives: dict[str, list[tuple[int, str]]], at_ms: int) -> Counter[str]:
    """Who is where just before a time, told forwards."""
    before = [[place for when, place in life if when < at_ms] for life in lives.values()]
    return Counter(places[-1] for places in before if places)


@given(MOVES, st.lists(st.integers(0, 1_001), min_size=1, max_size=6))
def test_taking_changes_back_tells_the_same_as_living_them(moves: list[tuple[int, int, str]], times: list[int]) -> None:
    changes, lives = lived(moves)
    now = there(lives, 2_000)
    assert counts_at(now, changes, sorted(times)) == [there(lives, at_ms) for at_ms in sorted(times)]


def test_the_line_has_a_point_every_half_hour_and_ends_where_event_time_has() -> None:
    assert len(times_of(DAY, None)) == 49
    noon = DAY.begin_ms + 12 * 3_600_000
    assert times_of(DAY, noon)[-1] == noon + 1
    assert times_of(DAY, DAY.begin_ms - 5) == [DAY.begin_ms]
    assert times_of(DAY, DAY.end_ms + 5)[-1] == DAY.end_ms


def test_shares_are_of_who_is_awake() -> None:
    (one, two) = sizes_of({"s1": 4, "dormant": 96}, {"s1": 3, "s2": 1, "new": 7}, {"s1": "one", "s2": "two"})
    assert (one.before, one.after, one.share_before, one.share_after, one.points) == (4, 3, 1.0, 0.75, -25.0)
    assert (two.before, two.after, two.share_after) == (0, 1, 0.25)
