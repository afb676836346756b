"""Names: plain, ordered, unique, short, calm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.model.naming import AVERAGE, NAME_BYTES, PATIENCE_MS, Namer, Word, Wording, cut
from stream.model.snapshot import FloatArray
from stream.settings import Feature
from tests.model.crowd import feature

FEATURES = (
    feature("orders", group="value", low="rare", high="frequent"),
    feature("spend", group="value", low="low spend", high="high spend"),
    feature("basket", group="value", low="small baskets", high="large baskets"),
    feature("discount", low="few discounts", high="many discounts", weight=0.5),
    feature("evening", low="by day", high="in the evening", weight=0.5),
)


def namer(*features: Feature) -> Namer:
    used = features or FEATURES
    return Namer(used, np.array([f.weight for f in used]))


def off(**sd: float) -> FloatArray:
    """Differences from the population, by feature."""
    return np.array([sd.get(f.name, 0.0) for f in FEATURES])


def name_of(difference: FloatArray) -> str:
    return namer().name({1: difference}, {}, 0)[1].name


@pytest.mark.parametrize(
    ("difference", "name"),
    [
        (off(), AVERAGE),
        (off(orders=0.49, spend=-0.49), AVERAGE),
        (off(orders=0.5), "frequent"),
        (off(orders=-0.5), "rare"),
        (off(orders=0.6, spend=1.2), "high spend, frequent"),
        (off(orders=1.0, spend=0.9, discount=-2.0), "frequent, high spend, few discounts"),
        (off(discount=-3.0, spend=0.6), "high spend, few discounts"),
        (off(orders=2.0, spend=1.9, basket=1.8, discount=0.5), "frequent, high spend, many discounts"),
        (off(orders=2.0, spend=1.9, basket=1.8), "frequent, high spend, large baskets"),
        (off(discount=0.6, evening=0.7, spend=0.5), "high spend, in the evening, many discounts"),
    ],
)
def test_a_name_says_what_stands_out_value_first(difference: FloatArray, name: str) -> None:
    assert name_of(difference) == name


def test_a_feature_without_weight_has_no_say() -> None:
    muted = Namer(FEATURES, np.array([0.0, 1.0, 1.0, 1.0, 1.0]))
    assert muted.name({1: off(orders=9.0)}, {}, 0)[1].name == AVERAGE


def test_names_are_unique_and_say_the_next_difference() -> None:
    names = namer().name({1: off(orders=1.0), 2: off(orders=1.0, evening=0.4), 3: off(orders=1.0)}, {}, 0)
    assert names[1].name == "frequent"
    assert names[2].name == "frequent, in the evening"
    assert len({w.name for w in names.values()}) == 3


def test_a_name_that_is_taken_is_not_given_again() -> None:
    assert namer().name({4: off(orders=1.0)}, {}, 0, taken=["frequent"])[4].name != "frequent"


def test_when_words_do_not_tell_them_apart_the_number_does() -> None:
    one = namer(feature("orders", low="rare", high="frequent"))
    names = one.name({n: np.array([1.0]) for n in (1, 2, 13)}, {}, 0)
    assert [w.name for w in names.values()] == ["frequent", "frequent s2", "frequent s13"]


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80)), min_size=1, max_size=6),
    st.data(),
)
def test_names_are_never_longer_than_60_bytes_and_always_unique(
    words: list[tuple[str, str]], data: st.DataObject
) -> None:
    features = tuple(feature(f"x{i}", low=low, high=high) for i, (low, high) in enumerate(words))
    spread = st.lists(st.floats(-3, 3), min_size=len(words), max_size=len(words))
    differences = {n: np.array(data.draw(spread)) for n in range(1, 9)}
    names = [w.name for w in namer(*features).name(differences, {}, 0).values()]
    assert all(0 < len(name.encode()) <= NAME_BYTES for name in names)
    assert len(set(names)) == len(names)


def renamed(before: Wording, difference: FloatArray, now_ms: int, shifted: bool = False) -> Wording:
    return namer().name({1: difference}, {1: before}, now_ms, [1] if shifted else [])[1]


FREQUENT: tuple[Word, ...] = (("orders", True),)


def test_a_word_leaves_only_a_quarter_sd_below_its_threshold_and_enters_a_quarter_above() -> None:
    before = Wording("frequent", FREQUENT)
    assert renamed(before, off(orders=0.26, spend=0.74), 0) == before
    assert renamed(before, off(orders=0.24), 0).doubted_since_ms == 0
    assert renamed(before, off(orders=0.6, spend=0.76), 0).doubted_since_ms == 0


def test_an_average_segment_also_resists() -> None:
    before = Wording(AVERAGE, ())
    assert renamed(before, off(orders=0.7), 0) == before
    assert renamed(before, off(orders=0.8), 0).doubted_since_ms == 0


def test_a_doubt_renames_after_seven_days_of_event_time() -> None:
    wording = Wording("frequent", FREQUENT)
    wording = renamed(wording, off(spend=1.0), 5)
    assert wording == Wording("frequent", FREQUENT, doubted_since_ms=5)
    wording = renamed(wording, off(spend=1.0), 5 + PATIENCE_MS - 1)
    assert wording.name == "frequent"
    wording = renamed(wording, off(spend=1.0), 5 + PATIENCE_MS)
    assert wording == Wording("high spend", (("spend", True),))


def test_a_doubt_that_passes_starts_again() -> None:
    wording = renamed(Wording("frequent", FREQUENT), off(), 0)
    wording = renamed(wording, off(orders=1.0), PATIENCE_MS // 2)
    assert wording.doubted_since_ms is None
    assert renamed(wording, off(), PATIENCE_MS).doubted_since_ms == PATIENCE_MS


def test_changing_alternatives_do_not_put_a_renaming_off() -> None:
    wording = renamed(Wording("frequent", FREQUENT), off(spend=1.0), 0)
    wording = renamed(wording, off(basket=1.0), PATIENCE_MS)
    assert wording.name == "large baskets"


def test_a_segment_that_shifted_need_not_wait() -> None:
    assert renamed(Wording("frequent", FREQUENT), off(spend=1.0), 0, shifted=True).name == "high spend"


def test_order_is_no_reason_to_rename() -> None:
    before = Wording("frequent, high spend", (("orders", True), ("spend", True)))
    assert renamed(before, off(orders=0.6, spend=2.0), 0) == before


def test_a_word_of_the_other_end_is_another_word() -> None:
    assert renamed(Wording("frequent", FREQUENT), off(orders=-0.8), 0).doubted_since_ms == 0


def test_who_keeps_the_name_keeps_it_from_newcomers() -> None:
    before = {2: Wording("frequent", FREQUENT)}
    names = namer().name({1: off(orders=2.0), 2: off(orders=1.0)}, before, 0)
    assert names[2].name == "frequent"
    assert names[1].name != "frequent"


def test_cut_keeps_whole_characters() -> None:
    assert cut("äöü", 5) == "äö"
    assert cut("a b", 2) == "a"
