"""The agenda against a slow one that goes through the events one by one and asks everybody's timer before each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.customer.features import NEVER
from stream.decision.agenda import NO_EVENT, Agenda

Look = tuple[int, int]
"""Event, or ``NO_EVENT``; time."""


@dataclass(frozen=True)
class Day:
    """Events of partitions as (customer, time), everybody's first deadline, and what each look puts in its place."""

    partitions: list[list[tuple[int, int]]]
    homes: list[int]
    deadlines: list[int]
    gaps: list[list[int]]
    now: int = 0
    """At the start, of every partition: timers may be overdue."""

    def next_deadline(self, customer: int, looks: int, at: int) -> int:
        """After its last gap a customer has no timer any more."""
        return at + self.gaps[customer][looks] if looks < len(self.gaps[customer]) else NEVER


@st.composite
def days(draw: st.DrawFn) -> Day:
    homes = draw(st.lists(st.integers(0, 2), min_size=1, max_size=5))
    partitions = []
    for partition in range(3):
        mine = [c for c, home in enumerate(homes) if home == partition]
        event = st.tuples(st.sampled_from(mine or [0]), st.integers(0, 100))
        partitions.append(draw(st.lists(event, max_size=8 if mine else 0)))
    deadline = st.one_of(st.just(NEVER), st.integers(0, 120))
    gaps = st.lists(st.integers(1, 60), max_size=6)
    n = len(homes)
    return Day(
        partitions,
        homes,
        draw(st.lists(deadline, min_size=n, max_size=n)),
        draw(st.lists(gaps, min_size=n, max_size=n)),
        draw(st.sampled_from([0, 50])),
    )


def reached(now: int, events: list[tuple[int, int]]) -> list[int]:
    """``now`` after each event: here stray dates (above 90) do not move it."""
    out = []
    for _, at in events:
        now = max(now, at if at <= 90 else now)
        out.append(now)
    return out


def expected(day: Day) -> dict[int, list[Look]]:
    looks: dict[int, list[Look]] = {c: [] for c in range(len(day.homes))}
    deadline, start = list(day.deadlines), 0

    def look(customer: int, event: int, at: int) -> None:
        looks[customer].append((event, at))
        at = max(t for _, t in looks[customer])
        deadline[customer] = day.next_deadline(customer, len(looks[customer]) - 1, at)

    def fire(customer: int, before: int) -> None:
        while NEVER < deadline[customer] < before:
            look(customer, NO_EVENT, deadline[customer])

    for partition, events in enumerate(day.partitions):
        for customer, home in enumerate(day.homes):
            if home == partition:
                fire(customer, day.now)
        for i, ((customer, at), now) in enumerate(zip(events, reached(day.now, events), strict=True)):
            for other in range(len(day.homes)):
                if day.homes[other] == partition:
                    fire(other, now)
            fire(customer, at)
            look(customer, start + i, at)
            fire(customer, now)
        start += len(events)
    return looks


def actual(day: Day) -> dict[int, list[Look]]:
    events = [e for partition in day.partitions for e in partition]
    bounds = np.cumsum([0, *map(len, day.partitions)])
    now = [t for partition in day.partitions for t in reached(day.now, partition)]
    agenda = Agenda(
        event_customer=np.array([c for c, _ in events], dtype=np.int64),
        event_at=np.array([t for _, t in events], dtype=np.int64),
        reached=np.array(now, dtype=np.int64),
        bounds=bounds,
        customer_partition=np.array(day.homes),
        horizon=np.array([[day.now, *reached(day.now, partition)][-1] for partition in day.partitions]),
    )
    looks: dict[int, list[Look]] = {c: [] for c in range(len(day.homes))}
    deadline = np.array(day.deadlines, dtype=np.int64)
    while (round_ := agenda.take(deadline)) is not None:
        assert len(set(round_.customer.tolist())) == len(round_.customer)
        columns = zip(round_.customer.tolist(), round_.event.tolist(), round_.at_ms.tolist(), strict=True)
        for customer, event, at in columns:
            assert event != NO_EVENT or at < agenda.reach_ms
            looks[customer].append((event, at))
            latest = max(t for _, t in looks[customer])
            deadline[customer] = day.next_deadline(customer, len(looks[customer]) - 1, latest)
    return looks


@given(days())
def test_each_customer_is_looked_at_as_if_events_came_one_by_one(day: Day) -> None:
    assert actual(day) == expected(day)


def one(events: list[tuple[int, int]], deadlines: list[int]) -> dict[int, list[Look]]:
    return actual(Day([events], [0] * len(deadlines), deadlines, [[] for _ in deadlines]))


def test_a_timer_fires_before_the_first_event_that_passes_it() -> None:
    """Customer 1's own event would do as well, but somebody else's has carried ``now`` past the timer before."""
    assert one([(0, 5), (0, 30), (1, 20)], [NEVER, 10])[1] == [(NO_EVENT, 10), (2, 20)]


def test_a_look_before_the_timer_replaces_it() -> None:
    assert one([(1, 5), (0, 30), (1, 20)], [NEVER, 10])[1] == [(0, 5), (2, 20)]


def test_a_timer_due_exactly_now_waits() -> None:
    assert one([(0, 10)], [NEVER, 10])[1] == []
    assert one([(0, 11)], [NEVER, 10])[1] == [(NO_EVENT, 10)]


def test_an_own_event_passes_the_timer_even_if_its_date_is_not_believed() -> None:
    assert one([(0, 99)], [50, 50]) == {0: [(NO_EVENT, 50), (0, 99)], 1: []}


def test_partitions_have_their_own_time() -> None:
    day = Day([[(0, 80)], []], [0, 1], [NEVER, 10], [[], []])
    assert actual(day)[1] == []
