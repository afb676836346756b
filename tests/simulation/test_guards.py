"""Every guard is needed: without it the same few schedules, which it survives, break what must last.

Schedules are drawn from a seed out of the moves that are dangerous to a guard; ``machine`` draws from all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

import consumers.takeover
from consumers.chain import Chain
from consumers.worker import Worker
from producers.memory_broker import MemoryBroker
from producers.memory_transaction import OFFSETS
from stream.errors import SegstreamError
from stream.model.cells import Cells
from stream.view.memory_store import MemoryStore
from stream.view.store import Update, Wanted
from tests.helpers import DAY_MS
from tests.simulation.fleet import CUSTOMERS, OWNERS, WORKERS, tiny
from tests.simulation.machine import Simulation

SEEDS = range(10)
Move = Callable[[Simulation, random.Random], None]


def others_order(simulation: Simulation, chance: random.Random) -> None:
    who = chance.sample(range(len(CUSTOMERS)), 6)
    simulation.order(who=who, gap_ms=DAY_MS, cents=chance.choice([500, 9_900, 35_000]))


def somebody_works(simulation: Simulation, chance: random.Random) -> None:
    simulation.work_with_more_to_do(name=chance.choice(WORKERS), stop=None)


def the_owner_learns(simulation: Simulation, chance: random.Random) -> None:
    simulation.learn(name=OWNERS[0], stop=None)


def the_store_is_another(simulation: Simulation, chance: random.Random) -> None:
    if simulation.backup is None or chance.random() < 0.5:
        simulation.back_up_the_store()
    else:
        simulation.the_store_goes_back()


def a_worker_falls_behind(simulation: Simulation, chance: random.Random) -> None:
    """Right before it applies what it has committed."""
    first, second = chance.sample(WORKERS, 2)
    simulation.fall_behind(name=first, point="apply", nth=chance.choice([1, 2]), others=[second] * 3)
    simulation.work(name=first, stop=None)


def markers_of_the_journal_are_late(simulation: Simulation, chance: random.Random) -> None:
    first, second = chance.sample(WORKERS, 2)
    late = frozenset({tiny().topics.journal})
    simulation.hand_over(names=(first, second), late=late, crashes=chance.random() < 0.5, is_store_lost=True)
    simulation.wait(seconds=13.0)


def markers_of_the_model_are_late(simulation: Simulation, chance: random.Random) -> None:
    first, second = chance.sample(OWNERS, 2)
    late = frozenset({tiny().topics.model})
    simulation.hand_over(names=(first, second), late=late, crashes=chance.random() < 0.5, is_store_lost=True)
    simulation.wait(seconds=13.0)


def offsets_are_late(simulation: Simulation, chance: random.Random) -> None:
    first, second = chance.sample(WORKERS, 2)
    simulation.hand_over(names=(first, second), late=frozenset({OFFSETS}), crashes=True, is_store_lost=True)


# Without a guard


def believe_what_is_loaded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Worker, "_load", lambda self, wanted: self._wiring.store.load(wanted))


def apply_over_anything(patch: pytest.MonkeyPatch) -> None:
    guarded = MemoryStore.apply

    def apply(self: MemoryStore, partition: int, expected: bytes | None, update: Update) -> bool:
        return guarded(self, partition, self.load({partition: Wanted(())})[partition].watermark, update)

    patch.setattr(MemoryStore, "apply", apply)


def trust_end_offsets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Chain, "_has_arrived", staticmethod(lambda followed, committed, at_end: at_end))


def believe_the_newest_model_that_is_visible(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(consumers.takeover, "_is_of", lambda snapshot, committed: True)


def leave_what_the_dead_left(patch: pytest.MonkeyPatch) -> None:
    """A new producer of an id fences the old one, and ends nothing."""

    def init_transactions(self: MemoryBroker, transactional_id: str) -> int:
        self._producer_epochs[transactional_id] = self._producer_epochs.get(transactional_id, -1) + 1
        return self._producer_epochs[transactional_id]

    patch.setattr(MemoryBroker, "init_transactions", init_transactions)


def do_not_wait_for_pending_offsets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryBroker, "pending", lambda self, group, topic: frozenset())


def revive_under_old_ids(patch: pytest.MonkeyPatch) -> None:
    faithful = Cells.revive

    def revive(self: Cells, *given: Any) -> None:
        next_id, before = self.next_id, set(self.ids.tolist())
        faithful(self, *given)
        is_new, gone = self.ids >= next_id, sorted(before - set(self.ids.tolist()))
        self.ids[is_new] = gone[: int(is_new.sum())]
        self.next_id = next_id

    patch.setattr(Cells, "revive", revive)


@dataclass(frozen=True)
class Danger:
    """Guards that are taken away together, and what makes them necessary."""

    without: Sequence[Callable[[pytest.MonkeyPatch], None]]
    moves: Sequence[Move]


DANGERS = {
    "stale read": Danger([believe_what_is_loaded], [others_order, somebody_works, the_store_is_another]),
    "zombie apply": Danger([apply_over_anything], [others_order, a_worker_falls_behind]),
    "end offsets": Danger([trust_end_offsets], [others_order, markers_of_the_journal_are_late]),
    "pending offsets": Danger([do_not_wait_for_pending_offsets], [others_order, offsets_are_late]),
    "hand-over of the model": Danger(
        [believe_the_newest_model_that_is_visible, leave_what_the_dead_left],
        [others_order, markers_of_the_model_are_late],
    ),
    "cell ids": Danger([revive_under_old_ids], [others_order, somebody_works, the_owner_learns]),
}


def live_all(moves: Sequence[Move]) -> None:
    """A few schedules; fails if something does not last."""
    for seed in SEEDS:
        chance, simulation = random.Random(seed), Simulation()
        simulation.begin(has_lived=True)
        try:
            for _ in range(8):
                chance.choice(moves)(simulation, chance)
        finally:
            simulation.teardown()


@pytest.mark.parametrize("danger", DANGERS.values(), ids=DANGERS)
def test_the_guard_is_enough(danger: Danger) -> None:
    live_all(danger.moves)


@pytest.mark.parametrize("danger", DANGERS.values(), ids=DANGERS)
def test_without_the_guard_something_breaks(danger: Danger, monkeypatch: pytest.MonkeyPatch) -> None:
    for take_away in danger.without:
        take_away(monkeypatch)
    with pytest.raises((AssertionError, SegstreamError)):
        live_all(danger.moves)


@pytest.mark.parametrize("alone", DANGERS["hand-over of the model"].without)
def test_either_guard_of_the_hand_over_is_enough(
    alone: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new owner ends what its predecessor left before it looks, and then believes only what the offset names."""
    alone(monkeypatch)
    live_all(DANGERS["hand-over of the model"].moves)
