"""Further runs of quality: other orders, batches, partitions, rivals, evidence; and the report as a whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import cli
from benchmarks.quality.baselines import KINDS, live
from benchmarks.quality.calm import relabelled, renames
from benchmarks.quality.data import Data, personas
from benchmarks.quality.evidence import counterfactual_flips, steps_of, verified, verify_states_share
from benchmarks.quality.invariance import differences, labels, over, with_sync_points
from benchmarks.quality.order import shuffled
from benchmarks.quality.planted import EACH, ODDITIES, _odd
from benchmarks.quality.service import MacroStep, Run, run
from benchmarks.quality.summary import KEYS, together
from consumers.twins import Twins
from producers.personas import PersonasPlan
from producers.sink import Outgoing
from stream.contracts.segments import LedgerDetail, LedgerEntry, LedgerKind
from stream.contracts.timestamps import rfc3339
from stream.customer.features import DAY_MS, FeatureSet
from stream.model.snapshot import Scale
from stream.settings import load
from tests.benchmarks.quality_data import orders
from tests.benchmarks.test_quality_measures import small


@pytest.fixture(scope="module")
def data() -> Data:
    return personas(PersonasPlan(customers=60, days=150, seed=8))


@pytest.fixture(scope="module")
def life(data: Data) -> Run:
    return run(data, small(), batch=100)


def test_at_the_same_sync_points_partitions_do_not_touch_labels(data: Data) -> None:
    settings = small()
    at_once = settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"max_poll_records": 200})})
    synced = with_sync_points(replace(data, checkpoint_days=()), settings.customers.jump_witnesses, every=200)
    assert [event for event in synced.events if not event.key.startswith(b"extra-")] == list(data.events)
    lives = [run(synced, over(at_once, count), batch=200) for count in (1, 4)]
    assert len(lives[0].macro_steps) > 3
    assert differences([labels(life) for life in lives]) == 0


def test_a_run_stops_where_the_days_end(data: Data, life: Run) -> None:
    assert [stop.day for stop in life.stops] == [60, 115]
    assert all(stop.rows["looked_at"].max() < stop.ms for stop in life.stops)
    assert [step.assigner.snapshot.version for step in life.macro_steps] == list(range(1, len(life.macro_steps) + 1))
    assert life.macro_steps[0].events == 100


def test_what_is_held_at_a_stop_is_what_the_store_has(life: Run) -> None:
    stop = life.stops[-1]
    held = life.history.held(stop.ms)
    told = [int(held[life.data.number[name]]) for name in stop.names]
    assert told == stop.rows["segment"].tolist()


def test_every_decision_comes_out_again_and_every_counterfactual_flips(life: Run) -> None:
    assert verify_states_share(life) == 1.0
    assert len(life.told) > 20
    assert counterfactual_flips(life) == 1.0


def test_the_decisions_of_several_lives_are_verified_until_there_are_enough(life: Run) -> None:
    once, twice = verified([life]), verified([life, life])
    assert once["verify_decisions"] == len(life.changes)
    assert once["verify_models"] == len({c.model_version for c in life.changes} - {0}) > 1
    assert (twice["verify_decisions"], twice["verify_share"]) == (2 * len(life.changes), 1.0)
    assert verified([life, life], enough=10) == once


def test_a_decision_of_which_nothing_is_left_is_not_right(life: Run) -> None:
    other = Twins(life.settings)
    other.broker.append(Outgoing(life.settings.topics.changes, 0, b"x", next(life.twins.changes())))
    assert verified([replace(life, twins=other)])["verify_share"] == 0.0


def test_a_counterfactual_that_changes_nothing_is_found(life: Run) -> None:
    said = [(t, t.change.counterfactual) for t in life.told]
    idle = [t._replace(change=replace(t.change, counterfactual=replace(c, value=c.now))) for t, c in said if c]
    assert counterfactual_flips(replace(life, told=idle)) == 0.0


def test_steps_are_the_inverse_of_natural_units() -> None:
    features = FeatureSet(load(flags={"profile": "personas"}).customers)
    y = np.full((1, len(features.names)), 1234, np.int16)
    natural = features.natural(y)[0]
    assert {steps_of(f, v) for f, v in zip(features.features, natural.tolist(), strict=True)} == {1234}


def test_a_frozen_model_decides_alike_in_any_batches(data: Data, life: Run) -> None:
    record = life.twins.broker.read(life.settings.topics.model, 0, 0, 2)[0][0][1].value or b""
    part = replace(data.only(np.arange(len(data.events)) < 600), checkpoint_days=())
    one, many = (run(part, small(), batch=size, frozen_model=record) for size in (1, 100))
    assert labels(one).tolist() == labels(many).tolist()
    assert len(one.macro_steps) == 1
    assert np.count_nonzero(labels(one)) > 300


def test_shuffling_stays_within_its_blocks(data: Data) -> None:
    other = shuffled(data, 1)
    assert sorted(other.events) == sorted(data.events)
    assert other.events != data.events
    block = (other.at_ms - data.start_ms) // (3 * DAY_MS)
    assert (np.diff(block) >= 0).all()


def test_oddities_are_few_and_like_nobody() -> None:
    events = list(_odd(0, 3))
    assert {e.key.decode().rpartition("-")[0] for e in events} == {o.name for o in ODDITIES}
    assert len({e.key for e in events}) == EACH * len(ODDITIES)
    assert len({json.loads(e.payload)["event_id"] for e in events}) == len(events)


@pytest.mark.parametrize("name", [*KINDS])
def test_a_rival_finds_two_groups_that_are_far_apart(name: str) -> None:
    rng = np.random.default_rng(3)
    customers = [f"c{i}" for i in range(40)]
    data = orders([(c, day + i / 100) for day in range(12) for i, c in enumerate(customers)], None, (9,))
    side = np.array([i % 2 for i in range(40)] * 12)
    y = (side[:, None] * 8000 - 4000 + rng.normal(0, 100, (len(side), 3))).astype(np.int16)
    scale = Scale(np.zeros(3), np.full(3, 4000.0), np.ones(3), 3.0)
    lived = live(KINDS[name], data, y, scale, started=40, k=2, seed=1)
    assert (lived.labels[:40] == 0).all()
    late = slice(300, None)
    apart = {(int(s), int(label)) for s, label in zip(side[late], lived.labels[late], strict=True)}
    assert {s for s, _ in apart} == {0, 1}
    assert not ({label for s, label in apart if s == 0} & {label for s, label in apart if s == 1})
    assert set(lived.centres_z) == {9}


def test_renames_are_a_segment_and_ninety_days() -> None:
    def entry(kind: LedgerKind, segment: str, day: int) -> LedgerEntry:
        at = rfc3339(day * DAY_MS)
        return LedgerEntry(kind, segment, "", 1, at, at, LedgerDetail((), ""))

    ledger = [
        entry(LedgerKind.BORN, "s1", 0),
        entry(LedgerKind.BORN, "s2", 0),
        *(entry(LedgerKind.RENAMED, "s1", day) for day in (10, 20, 100)),
        entry(LedgerKind.RETIRING, "s2", 30),
    ]
    found = renames(ledger, 180 * DAY_MS)
    assert found == {"renames_per_90d": 1.0, "renames_per_90d_worst": 1.5}


def test_relabelling_leaves_the_first_model_out(life: Run) -> None:
    model = life.macro_steps[0].assigner
    steps = [MacroStep(1, model, None, None), MacroStep(2, model, 0.1, 0.0), MacroStep(3, model, 0.3, 0.1)]
    found = relabelled(steps)
    assert found["relabelled_mean"] == pytest.approx(0.2)
    assert found["relabelled_held_mean"] == 0.05


def test_several_runs_are_judged_by_the_worst_or_the_mean() -> None:
    runs = [
        {"aba_per_1000": 1.0, "agreement": 0.8, "k_scans": 8},
        {"aba_per_1000": 2.0, "agreement": 0.9, "k_scans": 8},
    ]
    joined = together(runs)
    assert (joined["aba_per_1000"], joined["agreement"], joined["k_scans"]) == (2.0, pytest.approx(0.85), 16)


def test_the_report_of_a_file_has_every_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    rows = [
        f"c{who},2024-{1 + day // 28:02d}-{1 + day % 28:02d}T12:00:00Z,{amount:.2f}"
        for day in range(100)
        for who in range(40)
        if rng.random() < (0.5 if who % 2 else 0.1)
        for amount in [rng.lognormal(3 + who % 2, 0.3)]
    ]
    orders_file, settings = tmp_path / "orders.csv", tmp_path / "settings.toml"
    orders_file.write_text("who,when,paid\n" + "\n".join(rows))
    settings.write_text(
        'profile = "retail"\n[model]\nsegments = 2\ncells = 10\nwarmup_customers = 20\nmacro_rows = 100\n'
    )
    words = (
        f"--json --data {orders_file} --columns customer=who,time=when,amount=paid --seeds 1,2 --settings {settings}"
    )
    plots = tmp_path / "plots"
    assert cli.main([*words.split(), "--baselines", "none", "--parts", "none", "--plots", str(plots)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(KEYS) <= set(report["summary"])
    assert report["summary"]["agreement"] is None
    assert report["summary"]["seed_agreement"] > 0.5
    assert [row["seed"] for row in report["checkpoints"]] == [1, 1, 1, 2, 2, 2]
    assert {path.name for path in plots.iterdir()} == {"segments.png", "flow.png", "agreement.png"}
