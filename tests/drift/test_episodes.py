"""Episodes: a level that trembles at its limit is one drift."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.drift.episodes import ENDS_BELOW, Episodes


@given(st.lists(st.floats(0, 3), max_size=60))
def test_episodes_begin_at_the_limit_end_at_half_of_it_and_alternate(levels: list[float]) -> None:
    episodes, turns = Episodes(), list[str]()
    for at_ms, level in enumerate(levels):
        for turn in episodes.see("x", "ewma", level, at_ms):
            turns.append(turn.what)
            assert level >= 1.0 if turn.what == "begins" else level < ENDS_BELOW
            assert turn.episode.since_ms <= turn.episode.began_ms <= turn.at_ms
    assert turns == ["begins", "ends"] * (len(turns) // 2) + ["begins"] * (len(turns) % 2)
    assert ("x" in episodes.active) == bool(len(turns) % 2)


def test_a_level_that_trembles_at_the_limit_is_told_once() -> None:
    episodes = Episodes()
    turns = [turn for at in range(40) for turn in episodes.see("x", "ewma", 1.05 if at % 2 else 0.95, at)]
    assert [turn.what for turn in turns] == ["begins"]
