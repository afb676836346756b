"""True causes: the plays are what they say, and a wrong cause would be found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.quality import causes, mixed_causes
from benchmarks.quality.cause_accuracy import of_plays
from benchmarks.quality.data import personas
from benchmarks.quality.scene import Scene, copied, scene_of
from benchmarks.quality.service import Run, run
from producers.personas import PersonasPlan
from stream.contracts.changes import Cause
from stream.contracts.events import DecodeRules, decode
from stream.contracts.partitioning import partition_of
from stream.decision.explain import Explainer
from tests.benchmarks.test_quality_measures import small


@pytest.fixture(scope="module")
def life() -> Run:
    return run(personas(PersonasPlan(customers=120, days=152, seed=8)), small(), batch=100)


@pytest.fixture(scope="module")
def scene(life: Run) -> Scene:
    found = scene_of(life)
    assert found is not None
    return found


def test_every_play_has_changes_and_the_service_tells_why(scene: Scene) -> None:
    found = of_plays(scene)
    assert found["cause_accuracy"] == found["cause_accuracy_worst"] == 1.0
    assert found["cause_changes"] > 400
    assert all(row["changes"] for row in found["cause_accuracy_by"].values())


def test_a_service_that_blames_the_model_for_everything_is_found_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    rungs = Explainer.rungs

    def blaming(self: Explainer, *said: object) -> object:
        _, second = rungs(self, *said)  # type: ignore[arg-type]
        return second, second

    monkeypatch.setattr(Explainer, "rungs", blaming)
    judged = list(causes.silence(scene))
    assert sum(truth is not change.cause for truth, change in judged) > 0


def test_silence_ends_with_everybody_forgotten_and_who_comes_back_is_new(scene: Scene) -> None:
    truths = Counter(truth for truth, _ in causes.silence(scene))
    assert truths[Cause.EXPIRED] == len(scene.last_ms)
    assert truths[Cause.FIRST] == len(scene.orders)
    assert truths[Cause.TIME] > 0


def test_worlds_without_another_model_have_no_such_cause(scene: Scene) -> None:
    assert Cause.MODEL not in {truth for truth, _ in mixed_causes.time_or_event(scene)}


def test_a_copied_order_is_somebody_elses_and_otherwise_the_same(scene: Scene) -> None:
    order = next(iter(scene.orders.values()))[0]
    other = copied(order, "else", scene.ms)
    rules = DecodeRules(1)
    mine, theirs = (decode(e.key, e.payload, scene.ms, partition_of(e.key, 1), rules) for e in (order, other))
    assert (theirs.customer_id, theirs.occurred_at_ms) == ("else", scene.ms)
    assert theirs.lines == mine.lines
    assert theirs.event_id != mine.event_id


def test_a_life_too_short_for_two_models_has_no_scene(life: Run) -> None:
    assert scene_of(replace(life, stops=life.stops[:2])) is None
