"""The rules: hypothesis decides who goes on, where it is stopped, and what is done to the broker and the store."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from producers.memory_transaction import OFFSETS
from stream.view.memory_store import Backup
from tests.helpers import DAY_MS, HOUR_MS
from tests.simulation.fleet import CUSTOMERS, OWNERS, WORKERS, Fleet, tiny
from tests.simulation.lasting import Watch, check
from tests.simulation.past import lived
from tests.simulation.stepping import How, Stop

# Mostly where something has just happened that others cannot see yet.
_AFTER, _BEFORE = ("decided", "applied", "prepared"), ("apply", "load", "commit", "committed", "poll", "read")
_POINTS = (*_AFTER, *_BEFORE, "bounds", "status")
_points = st.sampled_from(_POINTS)
_HOW: tuple[How, ...] = ("pause", "crash", "fail")
_STOPS = [Stop(how, point, nth) for nth in (1, 1, 2, 3) for point in _POINTS for how in _HOW]
_stops = st.sampled_from([None] * len(_STOPS) + _STOPS)  # half of the time none; drawn at once, for draws take time
_topics = tiny().topics
_places = st.sampled_from(
    [
        frozenset(places)
        for places in ([], [OFFSETS], [_topics.journal], [_topics.model], [_topics.journal, _topics.learning])
    ]
)
_everybody = st.lists(st.integers(0, len(CUSTOMERS) - 1), min_size=1, max_size=6)
_gaps_ms = st.sampled_from([HOUR_MS, 0, DAY_MS, 9 * DAY_MS])
_PAIRS = [*permutations(WORKERS, 2), *permutations(OWNERS, 2)]
_workers, _processes = st.sampled_from(WORKERS), st.sampled_from([*WORKERS, *OWNERS])


class Simulation(RuleBasedStateMachine):
    """One schedule. When it ends everybody comes to rest, and everything that lasts is checked."""

    @initialize(has_lived=st.booleans())
    def begin(self, has_lived: bool) -> None:
        self.fleet = lived() if has_lived else Fleet()
        self.watch = Watch(self.fleet)
        self.fleet.after_round = self.watch.look
        self.backup: Backup | None = None
        self.is_sound = True

    # Customers

    @rule(who=_everybody, gap_ms=_gaps_ms, cents=st.sampled_from([500, 9_900, 35_000]))
    def order(self, who: Sequence[int], gap_ms: int, cents: int) -> None:
        self.fleet.order(who, gap_ms, cents)

    @rule(back=st.integers(0, 7), who=st.integers(0, len(CUSTOMERS) - 1))
    def repeat_and_poison(self, back: int, who: int) -> None:
        self.fleet.repeat(back)
        self.fleet.poison(who)

    # Processes

    @rule(name=_workers, stop=_stops)
    def work(self, name: str, stop: Stop | None) -> None:
        self._do(self.fleet.run, name, stop)

    @rule(name=_workers, stop=_stops)
    def work_with_more_to_do(self, name: str, stop: Stop | None) -> None:
        self.fleet.order(range(0, len(CUSTOMERS), 2), HOUR_MS, 700)
        self._do(self.fleet.run, name)
        self._do(self.fleet.run, name, stop)

    @rule(name=st.sampled_from(OWNERS), stop=_stops)
    def learn(self, name: str, stop: Stop | None) -> None:
        self._do(self.fleet.run, name)
        self._do(self.fleet.run, name, stop)

    @rule(name=_processes, point=_points, nth=st.integers(1, 3), others=st.lists(_processes, min_size=1, max_size=6))
    def fall_behind(self, name: str, point: str, nth: int, others: Sequence[str]) -> None:
        """A process is paused for so long that it is taken for dead, and others go on."""
        self.fleet.order(range(0, len(CUSTOMERS), 2), HOUR_MS, 700)
        self._do(self.fleet.run, name)
        self._do(self.fleet.run, name, Stop("pause", point, nth))
        self.fleet.wait(13.0)
        for other in others:
            if other != name:
                self._do(self.fleet.run, other)

    @rule(names=st.sampled_from(_PAIRS), late=_places, crashes=st.booleans(), is_store_lost=st.booleans())
    def hand_over(self, names: tuple[str, str], late: frozenset[str], crashes: bool, is_store_lost: bool) -> None:
        """Another process takes up, at once, what one has just committed."""
        first, second = names
        self.fleet.late = late
        self.fleet.order(range(1, len(CUSTOMERS), 2), HOUR_MS, 20_000)
        for name in (second, WORKERS[0], WORKERS[0], first, first):
            self._do(self.fleet.run, name)
        if crashes:
            self._do(self.fleet.crash, first)
        if is_store_lost:
            self.lose_the_store()
        self.fleet.broker.expel(self.fleet.group_of(first))
        for _ in range(3):
            self._do(self.fleet.run, second)

    @rule(name=_processes)
    def crash(self, name: str) -> None:
        self._do(self.fleet.crash, name)

    @rule(name=_processes)
    def leave(self, name: str) -> None:
        self._do(self.fleet.leave, name)

    @precondition(lambda self: any(p.round for p in self.fleet.running.values()))
    @rule(index=st.integers(0, 4))
    def supersede(self, index: int) -> None:
        paused = [name for name, process in self.fleet.running.items() if process.round]
        self._do(self.fleet.supersede, paused[index % len(paused)])

    @precondition(lambda self: bool(self.fleet.zombies))
    @rule(index=st.integers(0, 2), stop=_stops)
    def wake(self, index: int, stop: Stop | None) -> None:
        self._do(self.fleet.wake, index, stop)

    # Broker and store

    @rule(seconds=st.sampled_from([1.0, 5.0, 13.0]))
    def wait(self, seconds: float) -> None:
        self._do(self.fleet.wait, seconds)

    @rule(of_owners=st.booleans(), members_are_lost=st.booleans())
    def rebalance(self, of_owners: bool, members_are_lost: bool) -> None:
        group = self.fleet.group_of(OWNERS[0] if of_owners else WORKERS[0])
        (self.fleet.broker.expel if members_are_lost else self.fleet.broker.rebalance)(group)

    @rule(late=_places)
    def markers_come_late(self, late: frozenset[str]) -> None:
        self.fleet.late = late

    @rule()
    def lose_the_store(self) -> None:
        self.fleet.store.lose()
        self.watch.store_changed()

    @rule(partition=st.integers(0, 1))
    def lose_a_watermark(self, partition: int) -> None:
        self.fleet.store.lose_watermark(partition)
        self.watch.store_changed()

    @rule()
    def back_up_the_store(self) -> None:
        self.backup = self.fleet.store.backup()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def the_store_goes_back(self) -> None:
        assert self.backup is not None
        self.fleet.store.go_back(self.backup)
        self.watch.store_changed()

    def teardown(self) -> None:
        if not hasattr(self, "fleet"):
            return
        try:
            if self.is_sound:
                self.fleet.order(range(4), HOUR_MS, 2_000)
                self.fleet.rest()
                check(self.fleet)
        finally:
            self.fleet.bury()

    def _do(self, action: Any, *given: Any) -> None:
        try:
            action(*given)
        except BaseException:
            self.is_sound = False
            raise
