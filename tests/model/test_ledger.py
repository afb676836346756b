"""The ledger's entries, from regroupings."""

from __future__ import annotations

import numpy as np

from stream.model.grouping import Grouping, Regrouping
from stream.model.ledger import Ledger
from stream.model.snapshot import Scale
from stream.model.sums import Sums

NAMES = {n: f"name {n}" for n in range(1, 9)}


def regrouping(before: tuple[int, ...], now: tuple[int, ...], shared: list[list[int]]) -> Regrouping:
    scale = Scale(np.zeros(1), np.ones(1), np.ones(1), 3.0)
    matrix = np.array(shared, dtype=np.int64).reshape(len(before), len(now))
    n = matrix.sum(axis=0)
    sums = Sums(n, n[:, None], n[:, None])
    return Regrouping(
        Grouping(scale, now, np.zeros((len(now), 1)), np.ones(len(now))),
        sums,
        before,
        matrix,
        challenger_won=False,
    )


def told(of: Regrouping) -> list[tuple[str, int, dict[int, int]]]:
    customers = dict(zip(of.grouping.numbers, of.sums.n.tolist(), strict=True))
    return [(e.kind, e.number, e.related) for e in Ledger(5, 2, NAMES, customers).structure(of)]


def test_nothing_to_tell_when_all_keep_their_numbers() -> None:
    assert told(regrouping((1, 2), (1, 2), [[8, 2], [1, 9]])) == []


def test_born_out_of_nothing_at_first() -> None:
    assert told(regrouping((), (1, 2), [])) == [("born", 1, {}), ("born", 2, {})]


def test_a_split_says_who_stayed_and_who_left() -> None:
    assert told(regrouping((1, 2), (1, 2, 3), [[6, 0, 4], [0, 5, 1]])) == [
        ("born", 3, {1: 4, 2: 1}),
        ("split", 1, {1: 6, 3: 4}),
    ]


def test_born_of_many_is_nobodys_split() -> None:
    entries = told(regrouping((1, 2, 3), (1, 2, 3, 4), [[6, 0, 0, 2], [0, 6, 0, 2], [0, 0, 6, 2]]))
    assert entries == [("born", 4, {1: 2, 2: 2, 3: 2})]


def test_a_merger_says_into_whom() -> None:
    assert told(regrouping((1, 2), (1,), [[6], [4]])) == [("retiring", 2, {1: 4}), ("merged", 2, {1: 4})]


def test_replaced_by_a_newcomer_is_no_merger_and_no_split() -> None:
    assert told(regrouping((1, 2), (1, 3), [[6, 0], [0, 4]])) == [
        ("retiring", 2, {3: 4}),
        ("born", 3, {2: 4}),
    ]


def test_gone_without_anybody_left() -> None:
    assert told(regrouping((1, 2), (1,), [[6], [0]])) == [("retiring", 2, {})]


def test_renamed_and_retired_carry_both_names() -> None:
    ledger = Ledger(5, 2, NAMES, {1: 7})
    (entry,) = ledger.renamed({1: "old", 2: "name 2"})
    assert (entry.kind, entry.id, entry.name, entry.former_name, entry.customers) == (
        "renamed",
        "s1",
        "name 1",
        "old",
        7,
    )
    (gone,) = ledger.retired([2])
    assert (gone.kind, gone.name, gone.customers, gone.at_ms, gone.model_version) == (
        "retired",
        "name 2",
        0,
        5,
        2,
    )
    (moved,) = ledger.shifted({1: 0.75})
    assert moved.radii == 0.75
