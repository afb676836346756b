from __future__ import annotations

import csv
import hashlib
import json
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from producers.orders import Encoded
from producers.personas import CASTS, GONE, RETAIL, Birth, Cast, Death, Personas, PersonasPlan, Shift, TruthRow, cast_of
from producers.personas.plan import DAY_MS
from stream.errors import SettingsError
from stream.settings import load
from tests.producers.reading import decoded


def calm(cast: Cast) -> PersonasPlan:
    """A plan in which nobody comes, goes or changes."""
    lasting = replace(cast, drift=())
    return PersonasPlan(
        lasting, customers=250, days=120, newcomer_share=0, stopper_share=0, ghost_share=0, moves_per_year=0
    )


def day_of(personas: Personas, event: Encoded) -> int:
    return (event.occurred_at_ms - personas.plan.start_ms) // DAY_MS


def persona_of(personas: Personas, event: Encoded) -> int:
    return int(personas.lives[int(event.key[1:]), day_of(personas, event)])


def orders_by_persona(personas: Personas) -> dict[int, list[dict[str, Any]]]:
    found = defaultdict(list)
    for event in personas:
        found[persona_of(personas, event)].append(json.loads(event.payload))
    return found


def test_the_same_plan_gives_the_same_bytes() -> None:
    plan = PersonasPlan(customers=60, days=90, seed=5, views_per_order=1.0)
    first = Personas(plan)
    assert list(first) == list(first) == list(Personas(plan))
    assert first.truth() == Personas(plan).truth()
    assert list(first) != list(Personas(PersonasPlan(customers=60, days=90, seed=6, views_per_order=1.0)))


def test_the_bytes_of_the_retail_cast_are_those_of_its_first_release() -> None:
    """Measurements refer to them."""
    plans = (PersonasPlan(customers=60, days=90, seed=5, views_per_order=1.0), PersonasPlan(customers=40, days=300))
    said = hashlib.sha256(b"".join(b"%s %s %d\n" % event for plan in plans for event in Personas(plan)))
    assert said.hexdigest()[:16] == "d01141d7d0596fd3"


def test_events_are_in_time_order_and_their_ids_unique(personas: Personas, personas_events: list[Encoded]) -> None:
    assert len(personas) == len(personas_events)
    assert all(a.occurred_at_ms <= b.occurred_at_ms for a, b in pairwise(personas_events))
    assert len({event.payload[:30] for event in personas_events}) == len(personas_events)
    assert {day_of(personas, event) for event in personas_events} == set(range(365))


def test_payloads_are_accepted_by_the_contract(personas_events: list[Encoded]) -> None:
    for event in decoded(personas_events[::500]):
        assert event.type == "order"
        assert event.amount > 0
        assert event.items >= 1
        assert 0 <= event.discount <= event.amount
        assert sum(amount for _, amount, _ in event.lines) == pytest.approx(event.amount, abs=1e-6)


def test_size_and_true_changes_are_as_measured(personas: Personas, personas_events: list[Encoded]) -> None:
    assert 125_000 < len(personas) < 150_000
    before: dict[str, int] = {}
    changes = 0
    for customer, _, persona in personas.truth():
        changes += customer in before and GONE not in (persona, before[customer])
        before[customer] = persona
    assert 4.5 < 1000 * changes / len(personas_events) < 6.5


def test_truth_is_the_persona_of_every_event(personas: Personas, personas_events: list[Encoded]) -> None:
    rows: dict[str, list[TruthRow]] = defaultdict(list)
    for row in personas.truth():
        rows[row.customer_id].append(row)
    for event in personas_events[::50]:
        of_customer = rows[event.key.decode()]
        at = bisect_right(of_customer, event.occurred_at_ms, key=lambda row: row.from_ms) - 1
        assert at >= 0
        assert of_customer[at].persona == persona_of(personas, event) != GONE


def test_truth_is_written_as_csv(tmp_path: Path) -> None:
    personas = Personas(PersonasPlan(customers=40, days=100))
    personas.write_truth(tmp_path / "truth.csv")
    with (tmp_path / "truth.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["customer_id", "from_ms", "persona"]
    assert [TruthRow(c, int(at), int(p)) for c, at, p in rows] == personas.truth()


def test_the_shipped_drift() -> None:
    assert [(type(drift), drift.day, drift.persona) for drift in RETAIL.drift] == [
        (Shift, 120, 2),
        (Birth, 180, 6),
        (Death, 260, 3),
    ]


def test_a_persona_is_born_and_one_dies(personas: Personas) -> None:
    def size(persona: int, day: int) -> int:
        return int((personas.lives[:, day] == persona).sum())

    assert (size(6, 179), size(3, 260)) == (0, 0)
    assert size(6, 195) < size(6, 215)
    assert size(6, 215) > 0.08 * 2500
    assert size(3, 259) > 0.1 * 2500
    assert size(3, 364) == 0


def test_a_persona_shifts_without_becoming_another(personas: Personas, personas_events: list[Encoded]) -> None:
    hours: dict[bool, list[bool]] = {False: [], True: []}
    for event in personas_events:
        day = day_of(personas, event)
        if 60 <= day < 180 and persona_of(personas, event) == 2:
            hours[day >= 120].append(event.occurred_at_ms % DAY_MS >= 17 * 3_600_000)
    before, after = (sum(found) / len(found) for found in hours.values())
    assert before < 0.3
    assert after > 0.6


@pytest.mark.parametrize("name", CASTS)
def test_each_persona_keeps_its_pace_and_style(name: str) -> None:
    personas = Personas(calm(cast_of(name)))
    plan, customers = personas.plan, Counter(personas.lives[:, 0].tolist())
    for persona, events in orders_by_persona(personas).items():
        want = plan.cast.personas[persona]
        orders = [event for event in events if event["type"] == "order"]
        gap_days = plan.days * customers[persona] / len(orders)
        spend = sum(order["amount"] for order in orders)
        assert gap_days == pytest.approx(want.gap_days, rel=0.25)
        assert median(order["amount"] for order in orders) == pytest.approx(want.basket, rel=0.25)
        assert sum(order["discount"] for order in orders) / spend == pytest.approx(want.discount_share, abs=0.06)
        lines = [line for order in orders for line in order["lines"]]
        first = sum(line["amount"] for line in lines if line["category"] == plan.cast.categories[0])
        assert first / spend == pytest.approx(want.mix[0] / sum(want.mix), abs=0.08)
        assert len(events) / len(orders) - 1 == pytest.approx(want.views_per_order, rel=0.15)


def test_gaps_run_from_two_days_to_twenty_two() -> None:
    gaps = [persona.gap_days for persona in RETAIL.personas]
    assert (min(gaps), max(gaps)) == (2.2, 22.0)


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_a_cast_is_whole(cast: Cast) -> None:
    assert sum(cast.shares) == pytest.approx(1)
    assert all(len(persona.mix) == len(cast.categories) for persona in cast.personas)
    assert [type(drift) for drift in cast.drift] == [Shift, Birth, Death]
    assert len({persona.name for persona in cast.personas}) == len(cast.personas)
    born = {drift.persona for drift in cast.drift if isinstance(drift, Birth)}
    assert born == set(range(len(cast.shares), len(cast.personas)))


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_every_cast_is_accepted_by_the_contract(cast: Cast) -> None:
    for event in decoded(Personas(PersonasPlan(cast, customers=30, days=300))):
        assert event.type == "view" or sum(amount for _, amount, _ in event.lines) == pytest.approx(event.amount)


def test_a_cast_that_is_not_shipped_is_named() -> None:
    with pytest.raises(SettingsError, match="--cast is one of retail, telecom, streaming, not 'opera'"):
        cast_of("opera")


def test_amounts_have_a_heavy_tail(personas_events: list[Encoded]) -> None:
    amounts = sorted(json.loads(event.payload)["amount"] for event in personas_events[::5])
    assert amounts[-1] > 50 * median(amounts)
    assert sum(amounts[-len(amounts) // 100 :]) > 0.06 * sum(amounts), "the top 1 % of orders"


def test_there_is_a_christmas(personas: Personas, personas_events: list[Encoded]) -> None:
    by_day = Counter(day_of(personas, event) for event in personas_events)
    december = sum(by_day[day] for day in range(345, 359))
    october = sum(by_day[day] for day in range(285, 299))
    assert december > 1.1 * october


def test_stoppers_and_ghosts_fall_silent_for_ever() -> None:
    plan = PersonasPlan(customers=1000, seed=3)
    lives = Personas(plan).lives
    last_day = (lives != GONE).cumsum(axis=1).argmax(axis=1)
    gone = lives[:, -1] == GONE
    ghosts = gone & (last_day < 45)
    assert ghosts.mean() == pytest.approx(plan.ghost_share, abs=0.03)
    assert plan.stopper_share / 2 < (gone & ~ghosts).mean() <= plan.stopper_share + 0.03
    for life in lives:
        alive = np.flatnonzero(life != GONE)
        assert len(alive) == 0 or len(alive) == alive[-1] - alive[0] + 1, "nobody comes back"


def test_views_come_before_orders_and_leave_them_as_they_are() -> None:
    plan = PersonasPlan(customers=50, days=60, views_per_order=2.0)
    with_views = decoded(Personas(plan))
    kinds = Counter(event.type for event in with_views)
    assert kinds["view"] == pytest.approx(2 * kinds["order"], rel=0.15)
    orders = [e.occurred_at_ms for e in with_views if e.type == "order"]
    without = Personas(PersonasPlan(customers=50, days=60))
    assert orders == [event.occurred_at_ms for event in without]


def test_a_short_simulation_has_no_late_drift() -> None:
    lives = Personas(PersonasPlan(customers=50, days=1)).lives
    assert lives.shape == (50, 1)
    assert lives.max() < 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"customers": 0},
        {"days": 0},
        {"seed": -1},
        {"ghost_share": 1.5},
        {"ghost_share": 0.6, "stopper_share": 0.6},
        {"moves_per_year": -1.0},
        {"cast": replace(RETAIL, drift=(Death(day=3, persona=7),))},
    ],
)
def test_a_plan_that_makes_no_sense_is_a_settings_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="personas: "):
        PersonasPlan(**wrong)


def test_the_profile_declares_the_categories() -> None:
    tree = load(flags={"profile": "personas"})
    (mix,) = (a for a in tree.customers.accumulators if a.kind == "mix")
    assert mix.values == RETAIL.categories
    assert {feature.weight for feature in tree.customers.features} == {1.0}
    assert (tree.model.margin, tree.model.segments, tree.customers.timezone) == (0.15, 6, "UTC")
