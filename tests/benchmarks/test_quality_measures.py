"""The measures of quality, each on small inputs with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.agreement import active, agreement, ari, offline, persona
from benchmarks.quality.data import personas
from benchmarks.quality.fit import batch_inertia, indices, inertia, largest_share
from benchmarks.quality.history import history_of_labels
from benchmarks.quality.service import run
from benchmarks.quality.truth import Days, delays, ids_of_two_personas, right_at_third_event
from benchmarks.quality.vectors import REFERENCE_FEATURES, last_events, vectors
from benchmarks.quality.worth import eta2_next_spend, next_spend
from producers.personas import PersonasPlan
from stream.customer.features import FeatureSet
from stream.settings import Tree, load
from tests.benchmarks.quality_data import orders

EVERYBODY = np.ones(4, dtype=bool)


def small() -> Tree:
    model = {"warmup_customers": 30, "macro_rows": 150, "interval_seconds": 0, "cells": 20}
    return load(flags={"profile": "personas", "model": model, "kafka": {"max_poll_records": 100}})


def test_the_vector_stream_is_the_engines() -> None:
    data = personas(PersonasPlan(customers=150, days=62, seed=8))
    life = run(data, small(), batch=100)
    last = last_events(data, life.stops[-1].ms)
    stream = vectors(data, life.settings.customers)
    compared = 0
    for name, row in zip(life.stops[-1].names, life.stops[-1].rows, strict=True):
        event = last[data.number[name]]
        if row["looked_at"] == data.at_ms[event]:  # else time has passed, which is another vector
            assert stream[event].tolist() == row["y"].tolist()
            compared += 1
    assert compared > 20


def test_the_frozen_reference_is_what_it_was() -> None:
    assert FeatureSet(load(REFERENCE_FEATURES).customers).features_id == "4ce7b77e40348aad"


def test_active_is_who_came_in_sixty_days() -> None:
    data = orders([("a", 0), ("b", 30), ("c", 80)])
    assert active(data, data.end_of_day_ms(70)).tolist() == [False, True, False]


def test_who_has_left_is_still_the_last_persona() -> None:
    data = orders([("a", 0), ("b", 0), ("c", 0)], [[0, 1, 1], [2, -1, -1], [-1, -1, 3]])
    assert persona(data, 1).tolist() == [1, 2, -1]


def test_agreement_ignores_the_names_of_segments_and_who_has_none() -> None:
    assert ari(np.array([1, 1, 2, 2]), np.array([7, 7, 3, 3]), EVERYBODY) == 1.0
    assert ari(np.array([1, 1, 2, 0]), np.array([7, 7, 3, 7]), EVERYBODY) == 1.0
    assert ari(np.array([1, 2, 1, 2]), np.array([1, 1, 2, 2]), EVERYBODY) < 0
    data = orders([("a", 0), ("b", 0), ("c", 0), ("d", 0)], [[0], [0], [1], [1]])
    assert agreement(data, np.array([4, 4, 9, 9]), 0) == 1.0


def test_the_ceiling_finds_what_is_there() -> None:
    data = orders([(customer, 0) for customer in "abcd"])
    y = np.array([[0, 0], [10, 0], [900, 900], [910, 900]], dtype=np.int16)
    labels = offline(data, y, 0, 2)
    assert labels[0] == labels[1] != labels[2] == labels[3]


def test_inertia_and_indices() -> None:
    z = np.array([[0.0], [1.0], [10.0], [11.0]])
    assert inertia(z, np.array([[0.5], [10.5]])) == 1.0
    assert batch_inertia(z, 2) == pytest.approx(1.0)
    good, bad = (indices(z, np.array(labels)) for labels in ([1, 1, 2, 2], [1, 2, 1, 2]))
    assert good["silhouette"] is not None
    assert bad["silhouette"] is not None
    assert good["silhouette"] > 0.8 > bad["silhouette"]
    assert indices(z, np.array([1, 1, 1, 0])) == {
        "silhouette": None,
        "davies_bouldin": None,
        "calinski_harabasz": None,
    }
    assert largest_share(np.array([0, 0, 0, 1, 2])) == 0.5


def test_the_next_eight_weeks_count_and_no_more() -> None:
    data = orders([("a", 0), ("b", 0), ("a", 10), ("a", 56.9), ("a", 57), ("b", 90)])
    assert next_spend(data, data.end_of_day_ms(0)).tolist() == [20.0, 0.0]
    assert eta2_next_spend(data, np.array([1, 2]), 0, EVERYBODY[:2]) == 1.0
    assert eta2_next_spend(data, np.array([1, 2]), 40, EVERYBODY[:2]) is None


def daily(customers: str, days: int) -> list[tuple[str, float]]:
    return [(customer, day + 0.5) for day in range(days) for customer in customers]


def test_a_true_change_is_found_when_the_customer_is_where_its_persona_is() -> None:
    """Five are persona 0, five persona 1; the first of them becomes 1 on day 10 and moves on day 20."""
    names, days = "abcdefghij", 90
    lives = [[0] * days for _ in "abcde"] + [[1] * days for _ in "fghij"]
    lives[0] = [0] * 10 + [1] * 80
    lives[1] = [0] * 50 + [1] * 40
    data = orders(daily(names, days), lives)
    labels = np.array([[1 + (who > 4)] * days for who in range(10)])
    labels[0, 20:] = 2
    history = history_of_labels(data, labels.T.ravel())
    seen = Days.of(data, history)
    found = delays(data, seen, seen.right())
    assert found.days.tolist() == [10.0], "the second cannot be watched for 60 days"
    assert (found.p50, found.found_within) == (10.0, 1.0)


def test_a_change_never_found_counts_as_late_for_ever() -> None:
    days = 90
    lives = [[0] * 10 + [1] * 80, *([0] * days for _ in "bcd"), *([1] * days for _ in "efg")]
    data = orders(daily("abcdefg", days), lives)
    labels = np.repeat([1, 1, 1, 1, 2, 2, 2], days).reshape(7, days)
    seen = Days.of(data, history_of_labels(data, labels.T.ravel()))
    found = delays(data, seen, seen.right())
    assert (found.days.tolist(), found.p50, found.found_within) == ([np.inf], None, 0.0)


def test_the_third_event_of_a_newcomer() -> None:
    settled = [(c, day) for c in "abcd" for day in (0.1, 1.1, 2.1)]
    data = orders([*settled, ("y", 2.2), ("y", 2.3), ("y", 2.4), ("z", 2.2), ("z", 2.3), ("z", 2.5)], [
        [0] * 3, [0] * 3, [1] * 3, [1] * 3, [0] * 3, [1] * 3
    ])  # fmt: skip
    where = {"a": 1, "b": 1, "c": 2, "d": 2, "y": 1, "z": 1}
    history = history_of_labels(data, np.array([where[e.key.decode()] for e in data.events]))
    assert right_at_third_event(data, history, Days.of(data, history), data.end_of_day_ms(1)) == 0.5


def test_an_id_that_becomes_somebody_else_is_found() -> None:
    data = orders(daily("abcd", 4), [[0] * 4, [0] * 4, [1] * 4, [1] * 4])
    true, swapped = [1, 1, 2, 2], [2, 2, 1, 1]

    def lived(*held: list[int]) -> Days:
        return Days.of(data, history_of_labels(data, np.concatenate(held)))

    assert ids_of_two_personas(lived(true, true, true, true), least_days=1) == []
    for_long = lived(true, true, swapped, swapped)
    assert ids_of_two_personas(for_long, least_days=2) == [1, 2]
    assert ids_of_two_personas(for_long, from_day=1, least_days=2) == []
    assert ids_of_two_personas(for_long, least_days=3) == []
    again_and_again = lived(true, swapped, true, swapped)
    assert ids_of_two_personas(again_and_again, least_days=1) == [1, 2]
    assert ids_of_two_personas(again_and_again, least_days=2) == []
