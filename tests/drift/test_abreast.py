"""Abreast: how far partitions are apart does not depend on who told it when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.drift.abreast import Abreast

words = st.lists(st.dictionaries(st.integers(0, 3), st.integers(0, 10**12)), max_size=8)


@given(words, st.data())
def test_words_may_come_in_any_order_and_time_does_not_go_back(told: list[dict[int, int]], data: st.DataObject) -> None:
    one, other = Abreast(), Abreast()
    for word in told:
        one.take(word)
    for word in data.draw(st.permutations(told)):
        other.take(word)
    assert one.reached_ms == other.reached_ms
    newest = {p: max(word[p] for word in told if p in word) for p in {p for word in told for p in word}}
    assert one.reached_ms == newest
    assert one.apart_ms == max(newest.values(), default=0) - min(newest.values(), default=0)


def test_who_has_told_nothing_is_not_behind() -> None:
    abreast = Abreast()
    assert abreast.apart_ms == 0
    abreast.take({3: 10**12})
    assert abreast.apart_ms == 0
