"""The sweep: from its floor on the journal holds everybody, and the floor moves in time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.sweeping import HURRY, PAGE, Sweep
from consumers.twins import drain
from stream.customer.features import FeatureSet
from stream.customer.state import Status, unpack
from stream.decision.assign import Assigner
from stream.settings import WorkerSettings
from stream.view.journal import JournalPart, Mark
from tests.consumers.shop import quiet_shop
from tests.helpers import shop_model

DAY_SECONDS = 86_400.0
MINUTE_SECONDS = 60.0


def of_epoch(epoch: int) -> Assigner | None:
    return Assigner(shop_model(epoch=epoch)) if epoch else None


@dataclass
class Partition:
    """Customers, where each was written in the journal last, and the mark."""

    names: list[str] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    mark: Mark = field(default_factory=lambda: Mark("topic", 1, "features", 0, journal=0))
    sweep: Sweep = field(default_factory=lambda: Sweep(WorkerSettings()))
    now_seconds: float = 1_000_000.0
    pages: int = 0

    def come(self, numbers: Iterable[int]) -> None:
        """Customers do something: they are written with their batch."""
        names = [f"c{number:06}" for number in numbers]
        self.names = sorted({*self.names, *names})
        self._write(names)

    def round(self, epoch: int = 0) -> list[str]:
        """What a worker's round does for the sweep; returns the page."""
        assigner = of_epoch(epoch)
        asked = self.sweep.limit(0, self.mark, assigner, self.now_seconds)
        if not asked:
            return []
        after = self.sweep.after(self.mark, assigner)
        start = bisect_right(self.names, after) if after else 0
        page = self.names[start : start + asked]
        self.mark = self.sweep.advance(self.mark, page, asked, assigner)
        self._write(page)
        self.pages += 1
        return page

    def until(self, floor_moves: int, at_most_seconds: float, epoch: int = 0) -> float:
        """Rounds, a minute apart, until so many sweeps are done; returns the seconds it took."""
        began = self.now_seconds
        while floor_moves:
            assert self.now_seconds - began <= at_most_seconds
            self.now_seconds += MINUTE_SECONDS
            before = self.mark.floor
            self.round(epoch)
            floor_moves -= self.mark.floor > before
        return self.now_seconds - began

    def _write(self, names: Iterable[str]) -> None:
        self.mark = replace(self.mark, journal=self.mark.journal + 2)
        self.written.update(dict.fromkeys(names, self.mark.journal))


rounds = st.one_of(
    st.tuples(st.just("come"), st.lists(st.integers(0, 400), max_size=250)),
    st.tuples(st.just("page"), st.integers(0, 3)),
)


@given(st.lists(rounds, max_size=40))
def test_from_the_floor_on_the_journal_holds_everybody(happening: list[tuple[str, list[int] | int]]) -> None:
    partition, epoch = Partition(), 0
    for _, what in happening:
        if isinstance(what, list):
            partition.come(what)
        else:
            epoch += what == 3
            partition.now_seconds += DAY_SECONDS
            partition.round(epoch)
        assert all(partition.written[name] >= partition.mark.floor for name in partition.names)


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 1_000, 12_345])
def test_everybody_is_written_again_within_the_time_and_without_haste(count: int) -> None:
    partition = Partition()
    partition.come(range(count))
    partition.until(1, 400 * DAY_SECONDS)
    assert partition.mark.customers == count
    partition.pages = 0
    assert partition.until(3, 3 * DAY_SECONDS) > 0.5 * DAY_SECONDS
    assert partition.pages == 3 * (count // PAGE + 1)


def test_who_came_after_they_were_counted_is_written_before_half_of_the_retention_has_passed() -> None:
    partition = Partition()
    partition.come(range(20_000))
    assert partition.mark.customers == 0
    partition.until(1, 3.5 * DAY_SECONDS)
    assert partition.mark.customers == 20_000


def test_the_first_page_comes_at_once_and_the_second_in_its_time() -> None:
    partition = Partition()
    partition.come(range(10))
    assert len(partition.round()) == 10
    partition.now_seconds += 0.49 * DAY_SECONDS
    assert partition.round() == []
    partition.now_seconds += 0.02 * DAY_SECONDS
    assert len(partition.round()) == 10


def test_a_wall_clock_that_is_set_back_does_not_stop_the_sweep() -> None:
    partition = Partition()
    partition.come(range(10))
    assert len(partition.round()) == 10
    partition.now_seconds -= 100 * DAY_SECONDS
    assert len(partition.round()) == 10
    assert partition.round() == []


def test_a_partition_without_a_journal_has_nothing_to_sweep() -> None:
    mark = Mark("topic", 1, "features", 0)
    assert Sweep(WorkerSettings()).limit(0, mark, of_epoch(1), 0.0) == 0


def test_the_floor_moves_only_with_a_finished_sweep() -> None:
    partition = Partition()
    partition.come(range(2 * PAGE))
    began = partition.mark.journal + 1
    for done in (PAGE, 2 * PAGE):
        partition.now_seconds += DAY_SECONDS
        partition.round()
        assert (partition.mark.floor, partition.mark.sweep_count) == (0, done)
    partition.now_seconds += DAY_SECONDS
    partition.round()  # nobody is left: only now is it known that these were all
    assert (partition.mark.floor, partition.mark.sweep_count, partition.mark.customers) == (began, 0, 2 * PAGE)


def test_a_round_without_a_page_leaves_the_mark() -> None:
    mark = Mark("topic", 1, "features", 0, journal=8, sweep_after="c", sweep_count=1)
    assert Sweep(WorkerSettings()).advance(mark, [], 0, of_epoch(1)) == mark


# A new structure of the model


def test_a_new_structure_starts_over_and_hurries() -> None:
    partition = Partition()
    partition.come(range(3 * HURRY))
    partition.round()
    assert partition.mark.sweep_after == partition.names[PAGE - 1]
    seen = [name for _ in range(3) for name in partition.round(epoch=1)]
    assert seen == partition.names
    assert partition.mark.swept_epoch == 0
    assert partition.round(epoch=1) == []  # nobody is left
    assert partition.mark.swept_epoch == 1
    partition.round(epoch=1)
    partition.now_seconds += MINUTE_SECONDS
    assert partition.sweep.limit(0, partition.mark, of_epoch(1), partition.now_seconds) == 0


def test_another_new_structure_in_the_middle_of_it_starts_over_again() -> None:
    partition = Partition()
    partition.come(range(HURRY + 1))
    partition.round(epoch=1)
    assert len(partition.round(epoch=2)) == HURRY
    assert partition.round(epoch=2) == partition.names[HURRY:]
    assert (partition.mark.swept_epoch, partition.mark.customers) == (2, HURRY + 1)


# In the service


def test_a_quiet_service_writes_the_cold_and_the_dormant_too() -> None:
    twins = quiet_shop()
    lockstep = twins.lockstep()
    drain(lockstep.run_once)
    for _ in range(4):
        twins.wall.wait(DAY_SECONDS / 2)
        drain(lockstep.run_once)
    statuses: set[int] = set()
    for partition in range(twins.settings.topics.partitions):
        mark = Mark.from_bytes(twins.store.reader.watermark(partition) or b"")
        entries, _ = twins.broker.read(twins.settings.topics.journal, partition, mark.floor, 1000)
        since = [JournalPart.unpack(entry.value or b"") for _, entry in entries]
        states = dict(twins.store.reader.states(partition))
        assert {name.encode() for part in since for name in part.states} == set(states)
        assert all(not part.start < part.mark.next for part in since), "the floor is older than the last event"
        rows, _ = unpack(FeatureSet(twins.settings.customers), list(states.values()))
        statuses |= set(np.unique(rows["status"]).tolist())
    assert statuses >= {Status.COLD, Status.READY, Status.DORMANT}
