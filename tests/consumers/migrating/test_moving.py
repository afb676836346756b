from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.migrating import moving
from consumers.migrating.moving import LOAD_BYTES, loads, refuse_misplaced, start_of
from consumers.restoring import Identity
from stream.contracts.partitioning import partition_of
from stream.customer.features import NEVER
from stream.errors import Disagreement
from stream.view.journal import NOTHING, Mark

HALF = LOAD_BYTES // 2
NEW = Identity("new", 3, "f", "new journal")


def mark(**changed: Any) -> Mark:
    return replace(Mark("old", 2, "f", next=9, journal=4), **changed)


@given(
    sizes=st.dictionaries(st.binary(min_size=1, max_size=8), st.sampled_from([1, HALF, HALF + 1, 2 * LOAD_BYTES])),
    partitions=st.integers(1, 9),
)
def test_everybody_is_carried_once_to_where_it_belongs(sizes: dict[bytes, int], partitions: int) -> None:
    carried = list(loads(sizes, partitions))
    assert sorted(key for load in carried for keys in load.values() for key in keys) == sorted(sizes)
    for load in carried:
        assert all(partition_of(key, partitions) == p for p, keys in load.items() for key in keys)
        keys = [key for mine in load.values() for key in mine]
        assert len(keys) == 1 or sum(sizes[key] for key in keys) <= LOAD_BYTES


def test_who_is_not_at_home_is_refused() -> None:
    here = [key for key in (b"a", b"b", b"c", b"d", b"e") if partition_of(key, 3) == 1]
    refuse_misplaced(here, 1, 3)
    with pytest.raises(Disagreement, match=rf"partition 2: {len(here)} customers"):
        refuse_misplaced(here, 2, 3)


def start(*old: Mark) -> Mark:
    return start_of(old, NEW, next_=5)


def test_a_new_partition_starts_at_the_beginning_of_its_topic() -> None:
    new = start(mark(next=70, floor=3, sweep_began=4, sweep_count=7, customers=20))
    assert new == Mark("new", 3, "f", next=5, journal_id="new journal")
    NEW.refuse_other(new)
    assert (new.journal, new.floor, new.sequence, new.claims) == (NOTHING, 0, 0, {})


def test_time_goes_on_from_the_slowest_partition_that_has_a_time() -> None:
    assert start(mark(now_ms=500), mark(now_ms=NEVER), mark(now_ms=400)).now_ms == 400
    assert start(mark(now_ms=NEVER)).now_ms == start().now_ms == NEVER


def test_the_model_is_at_least_the_newest_that_anybody_was_decided_with() -> None:
    assert start(mark(model_version=3), mark(model_version=7)).model_version == 7


def test_a_structure_counts_as_seen_when_every_partition_was_swept_for_it() -> None:
    assert start(mark(swept_epoch=2, sweep_epoch=3), mark(swept_epoch=3)).swept_epoch == 2


def test_a_load_is_far_from_what_a_transaction_can_carry() -> None:
    assert moving.LOAD_BYTES <= 64 * 1024 * 1024
