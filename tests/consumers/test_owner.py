"""The model owner: every row is learnt once, and what it says of the model is said all at once or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from prometheus_client import generate_latest

from consumers.build import Service
from consumers.insisting import STUCK_AFTER, pause_seconds
from consumers.owner import DRIFT_KEY, STILL_SECONDS, TRIM_SECONDS, Owner
from consumers.source import SETTLED_SECONDS
from consumers.takeover import SLOTS
from consumers.topics import shapes
from producers.sink import Committed, Outgoing
from stream.contracts.segments import decode_entry, decode_profile
from stream.contracts.timestamps import rfc3339
from stream.customer.features import DAY_MS, FeatureSet
from stream.errors import BrokerUnavailable, CommitFailed, Disagreement, StoreUnavailable
from stream.model.learner import Learner
from stream.model.macro_step import MacroStep
from stream.model.snapshot import IntArray, Vectors
from tests.consumers.shop import settings
from tests.consumers.unsteady import UnsteadyTwins
from tests.model.crowd import Crowd, blobs, learnt

PEOPLE = 40
"""Around each of three places."""
LEARNING = 0
DAMAGED = b"damaged"


class Town:
    """Customers whose looks are written to the learning topic, and whoever owns it."""

    def __init__(self, **model: Any) -> None:
        few = {"warmup_customers": 60, "macro_rows": 1, "segments": 3, "interval_seconds": 0.0}
        self.twins = UnsteadyTwins(settings(model={**few, **model}))
        self.features = FeatureSet(self.twins.settings.customers)
        self.topics = self.twins.settings.topics
        places = [[place] * len(self.features.names) for place in (-9_000.0, 0.0, 9_000.0)]
        self.crowd = Crowd(blobs(np.random.default_rng(5), places, PEOPLE), self.nobody())
        self.group = f"{self.twins.settings.kafka.group}-owner"
        self.service = self.twins.service()
        self.owner = self.service.owner()

    def nobody(self) -> Learner:
        return Learner(self.features, self.twins.settings.model)

    def look(self, who: IntArray | None = None, to: Vectors | None = None) -> None:
        """Workers look at some (all) under the newest model, and say so on the learning topic."""
        models = self.models()
        newest = models[-1].snapshot if models else None
        record = self.crowd.look(self.crowd.everybody if who is None else who, to, newest)
        self.say(record.pack())

    def say(self, value: bytes) -> None:
        self.twins.broker.append(Outgoing(self.topics.learning, 0, None, value))

    def run(self, rounds: int = 3, owner: Owner | None = None) -> list[MacroStep]:
        """Some rounds; returns what they published."""
        steps = [(owner or self.owner).run_once() for _ in range(rounds)]
        return [step for step in steps if step is not None]

    def successor(self) -> Owner:
        """The owner is gone without a word; another process takes over."""
        self.twins.broker.expel(self.group)
        self.service = self.twins.service()
        self.owner = self.service.owner()
        return self.owner

    def models(self) -> list[Learner]:
        """What is readable on the model topic, as owners read it; what is damaged is left out."""
        model, values = self.twins.settings.model, [value for _, value in self.topic(self.topics.model)]
        return [Learner.from_record(value, self.features, model) for value in values if value and value != DAMAGED]

    def versions(self) -> list[int]:
        return [learner.snapshot.version for learner in self.models() if learner.snapshot]

    def topic(self, name: str) -> list[tuple[str, bytes | None]]:
        """Key and value of everything readable."""
        entries, _ = self.twins.broker.read(name, 0, 0, 1000)
        return [((entry.key or b"").decode(), entry.value) for _, entry in entries]

    def first_row(self) -> int:
        return self.twins.broker.bounds(self.topics.learning, 0)[0]

    def damage_newest_model(self) -> None:
        """Its bytes are no longer what was written."""
        entries = self.twins.broker._log(self.topics.model, 0).entries
        at, newest = [(i, e) for i, e in enumerate(entries) if e is not None and e.value not in (None, DAMAGED)][-1]
        entries[at] = newest._replace(value=DAMAGED)

    def committed(self) -> Committed | None:
        return self.twins.broker.group(self.group).committed(self.topics.learning).get(LEARNING)

    def check(self) -> None:
        """I10: the newest model holds exactly what was looked at; it was committed with the offset it names."""
        newest = self.models()[-1]
        assert learnt(newest) == self.crowd.sums()
        assert newest.snapshot is not None
        assert self.committed() == Committed(newest.snapshot.learning_offset, str(newest.snapshot.version))
        assert self.versions() == sorted(set(self.versions()))


def metrics(service: Service) -> Mapping[str, float]:
    lines = generate_latest(service.registry).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


# Learning and telling


def test_the_first_model_comes_when_enough_customers_are_known() -> None:
    town = Town()
    town.look(np.arange(59))
    assert town.run() == []
    assert town.committed() is None
    town.look(np.arange(59, 120))
    (step,) = town.run()
    assert step.snapshot.version == 1
    assert town.owner.next_offset == step.snapshot.learning_offset == 2
    town.check()


def test_model_ledger_profiles_and_store_say_the_same() -> None:
    town = Town()
    town.look()
    (step,) = town.run()
    ids = [segment.id for segment in step.snapshot.segments]
    born = [decode_entry(value or b"") for _, value in town.topic(town.topics.ledger)]
    assert [(entry.kind.value, entry.segment_id) for entry in born] == [("born", id_) for id_ in ids]
    profiles = {key: decode_profile(value or b"") for key, value in town.topic(town.topics.profiles)}
    assert list(profiles) == ids
    shown = town.twins.store.reader.segments()
    assert {id_: fields["name"] for id_, fields in shown.items()} == {id_: p.name for id_, p in profiles.items()}
    assert sum(profile.customers for profile in profiles.values()) == 3 * PEOPLE
    seen = metrics(town.service)
    assert seen["segstream_model_version"] == 1.0
    assert seen["segstream_model_timestamp_seconds"] == town.twins.wall.now()


def test_compaction_keeps_several_models() -> None:
    town = Town()
    for _ in range(SLOTS + 1):
        town.look()
        town.run(2)
    keys = [key for key, _ in town.topic(town.topics.model)]
    assert len(keys) == SLOTS + 1
    assert len(set(keys)) == SLOTS
    assert keys[0] == keys[-1]


def test_a_segment_that_is_retired_leaves_the_profiles_topic() -> None:
    town = Town()
    town.look()
    town.run()
    there = np.arange(2 * PEOPLE, 3 * PEOPLE)
    away = (town.crowd.y[there] * np.array([1, -1] * 30)[: town.crowd.y.shape[1]]).astype(np.int16)
    town.look(there, away)  # the third group jumps elsewhere: somebody else is born there
    (jump,) = town.run()
    (retiring,) = [segment.id for segment in jump.snapshot.segments if segment.retiring]
    assert decode_profile(dict(town.topic(town.topics.profiles))[retiring] or b"").retiring
    town.look()  # under the new model nobody holds it any more
    (last,) = town.run()
    assert [e.id for e in last.entries if e.kind == "retired"] == [retiring]
    kept = dict(town.topic(town.topics.profiles))
    assert kept[retiring] is None
    assert {id_ for id_, value in kept.items() if value} == {segment.id for segment in last.snapshot.segments}
    assert set(town.twins.store.reader.segments()) == {segment.id for segment in last.snapshot.segments}


def test_a_frozen_model_is_made_once_and_told_anew_once_a_day() -> None:
    town = Town(frozen=True)
    town.look(np.arange(PEOPLE))
    assert town.run() == []  # fewer than it takes
    town.look()
    assert len(town.run()) == 1
    town.look()
    assert town.run() == []
    assert town.owner.next_offset == 3
    town.successor()
    town.look()
    assert town.run() == []
    assert town.owner.next_offset == 4
    assert len(town.models()) == 1
    town.twins.wall.wait(STILL_SECONDS)
    (step,) = town.run()
    assert (step.snapshot.version, step.snapshot.learning_offset) == (2, 4), "what it has learnt can be trimmed"
    assert town.run() == []
    town.check()


def test_a_wall_clock_that_is_set_back_does_not_hold_models_up() -> None:
    town = Town(interval_seconds=30.0)
    town.look()
    assert len(town.run()) == 1
    town.look()
    town.twins.wall.wait(-3600.0)
    assert len(town.run()) == 1


def test_models_do_not_come_more_often_than_they_may() -> None:
    town = Town(interval_seconds=30.0)
    town.look()
    assert len(town.run()) == 1
    town.look()
    assert town.run() == []
    town.twins.wall.wait(29.0)
    assert town.run() == []
    town.twins.wall.wait(1.0)
    assert len(town.run()) == 1
    town.check()


def test_a_bad_learning_record_is_refused_and_counted_and_the_feed_goes_on() -> None:
    town = Town()
    town.say(DAMAGED)
    town.look()
    town.run()
    town.check()
    assert metrics(town.service)['segstream_learning_refused_total{why="bad_record"}'] == 1.0
    assert town.owner.next_offset == 2


# All at once or not at all


@pytest.mark.parametrize("fate", ["aborted", "committed"])
def test_a_commit_without_an_answer_is_asked_of_the_broker(fate: Any) -> None:
    town = Town()
    town.look()
    town.run(1)
    town.twins.broker.fail_next(fate)
    assert town.run(1) == []
    topics = (town.topics.model, town.topics.ledger, town.topics.profiles)
    assert [bool(town.topic(name)) for name in topics] == [fate == "committed"] * 3
    assert (town.committed() is not None) == (fate == "committed")
    town.look()
    town.run()
    town.check()
    assert town.twins.store.reader.segments()


def test_rows_that_came_while_a_commit_failed_do_not_hide_those_before_them() -> None:
    town = Town()
    town.look()
    town.run()
    for _ in range(3):
        town.look()
        town.twins.broker.fail_next("aborted")
        assert town.run(1) == []
        town.look()
        town.run()
        town.check()


def test_models_that_the_broker_refuses_again_and_again_are_tried_ever_more_patiently_and_said_aloud(
    caplog: pytest.LogCaptureFixture,
) -> None:
    town = Town()
    town.look()
    town.twins.faults.order("sink.commit", CommitFailed("MessageSizeTooLargeError"), times=STUCK_AFTER + 1)
    began = town.twins.wall.now()
    town.run(2 * STUCK_AFTER + 1)
    assert town.twins.wall.now() - began == sum(map(pause_seconds, range(1, STUCK_AFTER + 1)))
    (said,) = (r.getMessage() for r in caplog.records if r.levelname == "ERROR")
    assert said.startswith(f"stuck: {STUCK_AFTER} snapshots failed in a row")
    assert "raise max.message.bytes" in said
    town.run()
    town.check()
    assert len(town.models()) == 1


@pytest.mark.parametrize("call", ["source.poll", "source.committed", "tail.bounds", "tail.read", "sink.commit"])
def test_a_lost_broker_is_waited_for(call: str) -> None:
    town = Town()
    town.look()
    town.run()
    town.look()
    began = town.twins.wall.now()
    town.successor()
    town.twins.faults.order(call, BrokerUnavailable("away"), times=2)
    town.run(8)
    assert town.twins.wall.now() - began == 2.0
    town.look()
    town.run()
    town.check()


def test_a_lost_store_holds_up_nobody() -> None:
    town = Town()
    town.twins.faults.order("store.publish_segments", StoreUnavailable("away"))
    town.look()
    assert len(town.run()) == 1
    assert town.twins.store.reader.segments() == {}
    town.look()
    town.run()
    assert town.twins.store.reader.segments()
    town.check()


# Taking over


def test_a_successor_goes_on_where_the_newest_model_ends() -> None:
    town = Town()
    for _ in range(3):
        town.look()
        town.run()
        town.look(np.arange(10))
        town.owner.run_once()  # learnt, perhaps, and gone with the process
        town.twins.store.lose()
        town.successor()
        town.run(1)
        assert town.twins.store.reader.segments(), "who takes over shows the segments"
    town.run()
    town.check()


def test_only_one_of_two_learns() -> None:
    town = Town()
    town.look()
    other = town.twins.service().owner()
    assert len(town.run(2)) == 1, "who does not own the partition fences nobody"
    town.twins.store.lose()
    assert town.run(5, other) == []
    assert town.twins.store.reader.segments() == {}, "it is not for the other to show them"
    town.look()
    assert len(town.run(5)) == 1
    town.owner.close()
    town.look()
    assert len(town.run(5, other)) == 1
    town.check()


def test_bad_models_at_the_end_of_the_topic_are_passed_over() -> None:
    town = Town()
    town.look()
    town.run()
    for _ in range(20):
        town.twins.broker.append(Outgoing(town.topics.model, 0, None, DAMAGED))
    town.twins.broker.append(Outgoing(town.topics.model, 0, None, None))
    town.successor()
    town.run()
    town.look()
    (step,) = town.run()
    assert step.snapshot.version == 2
    town.check()


def test_a_model_behind_the_committed_offset_is_not_gone_on_from() -> None:
    town = Town()
    town.look()
    town.run()
    town.look()
    town.run()
    _, end = town.twins.broker.bounds(town.topics.model, 0)
    town.twins.faults.hide(town.topics.model, end - 2, 4.5)  # the newest is committed, and not visible yet
    town.successor()
    began = town.twins.wall.now()
    assert town.run(3) == []
    assert town.twins.wall.now() - began == 4.5
    town.look()
    town.run()
    town.check()
    assert town.versions() == [1, 2, 3]


def test_a_newest_model_that_is_damaged_is_succeeded_by_one_of_the_same_sums() -> None:
    town = Town()
    for _ in range(3):
        town.look()
        town.run()
    town.damage_newest_model()
    assert town.versions() == [1, 2]
    town.successor()
    began = town.twins.wall.now()
    (step,) = town.run()
    assert town.twins.wall.now() - began >= SETTLED_SECONDS, "it might only have been behind an open transaction"
    assert step.snapshot.version == 4, "3 was told to somebody, perhaps"
    town.check()
    assert town.owner.next_offset == 3
    town.look()
    (step,) = town.run()
    assert step.snapshot.version == 5
    town.check()


def test_customers_may_be_in_cells_of_a_model_that_is_lost() -> None:
    town = Town(cells=30)
    for number in range(4):
        town.look()
        town.run()
        moved = np.arange(number * 10, number * 10 + 30)
        town.look(moved, np.zeros((len(moved), len(town.features.names)), np.int16))  # their cells are empty then
        town.run()
    newest, before = (model.state.population.cells for model in (town.models()[-1], town.models()[-2]))
    assert newest.next_id > before.next_id, "cells were born"
    away = np.arange(110, 120)
    town.look(away, np.rint(newest.positions[newest.ids >= before.next_id][:1]).astype(np.int16).repeat(10, axis=0))
    town.damage_newest_model()
    town.successor()
    lost = newest.next_id
    (step,) = town.run()
    assert step.snapshot.version == 9
    assert town.models()[-1].state.population.cells.next_id >= lost
    assert not metrics(town.service).get('segstream_learning_refused_total{why="bad_record"}')
    town.check()


def test_an_old_model_that_is_written_again_is_not_the_newest() -> None:
    town = Town()
    for _ in range(6):
        town.look()
        town.run()
    old = town.topic(town.topics.model)[1][1]
    for _ in range(12):
        town.twins.broker.append(Outgoing(town.topics.model, 0, None, old))
    town.successor()
    began = town.twins.wall.now()
    town.run(1)
    assert town.twins.wall.now() == began, "there is nothing to wait for"
    town.look()
    (step,) = town.run()
    assert step.snapshot.version == 7
    assert learnt(town.models()[-1]) == town.crowd.sums()


def test_rows_that_no_snapshot_needs_any_more_are_deleted_and_no_others() -> None:
    town = Town()
    for _ in range(SLOTS - 1):
        town.look()
        town.run()
    assert town.first_row() == 0
    town.twins.wall.wait(TRIM_SECONDS)
    town.look()
    town.run()
    assert town.first_row() == 1, "the oldest of eight models includes one row"
    town.look()
    town.run()
    assert town.first_row() == 1, "not at once again"
    town.twins.wall.wait(TRIM_SECONDS)
    town.successor()
    for _ in range(SLOTS):
        town.look()
        town.run()
        town.twins.wall.wait(TRIM_SECONDS)
    assert 1 < town.first_row() <= town.versions()[-SLOTS]
    for _ in range(SLOTS - 1):
        town.damage_newest_model()
    town.successor()
    town.run()
    town.check()


def test_a_quiet_stream_loses_no_row() -> None:
    town = Town()
    town.look()
    town.run()
    town.look(np.arange(1))
    town.owner.close()
    shape = shapes(town.topics)[town.topics.learning]
    assert shape.configs["retention.ms"] == "-1", "only the owner deletes rows, when they are in snapshots"
    town.successor()
    town.run()
    town.check()


def test_a_topic_that_is_not_trimmed_only_grows() -> None:
    town = Town()
    town.twins.wall.wait(TRIM_SECONDS)
    town.twins.faults.order("trim", BrokerUnavailable("away"))
    for _ in range(SLOTS):
        town.look()
        town.run()
    assert town.first_row() == 0
    town.check()


def test_rows_that_are_gone_before_they_were_learnt_are_a_matter_for_a_person() -> None:
    town = Town()
    town.look()
    town.run()
    town.look()
    town.twins.broker.delete_before(town.topics.learning, 0, 2)
    town.successor()
    with pytest.raises(Disagreement, match=r"up to 1, the learning topic begins at 2.* audit --repair"):
        town.run()


def test_rows_that_were_learnt_into_a_model_that_is_gone_are_a_matter_for_a_person() -> None:
    town = Town()
    town.look()
    town.run()
    town.twins.broker.delete(town.topics.model)
    town.twins.broker.create(town.topics.model, 1)
    town.successor()
    with pytest.raises(Disagreement, match=r"committed to offset 1, but the model topic has no good snapshot.* delete"):
        town.run()


def test_without_a_model_and_an_offset_learning_begins_with_what_the_topic_still_has() -> None:
    town = Town()
    town.say(b"gone")
    town.twins.broker.delete_before(town.topics.learning, 0, 1)
    town.look()
    town.run()
    town.check()
    assert town.owner.next_offset == 2


def test_a_drift_is_on_the_ledger_and_the_next_owner_knows_it() -> None:
    town = Town()
    days = (0, 1, 300, 301, 302)
    for day in days:
        town.crowd.now_ms = day * DAY_MS
        moved = town.crowd.y.copy()
        moved[:, 0] += 500 * (day == days[-2])
        town.look(to=moved)
        town.run()
    drifts = [decode_entry(value or b"") for key, value in town.topic(town.topics.ledger) if key == DRIFT_KEY.decode()]
    first = town.features.names[0]
    assert [(d.kind, d.name, d.segment_id) for d in drifts] == [("drift", f"feature.{first}", "")]
    assert drifts[0].detail.drift is not None
    assert drifts[0].detail.drift.since == rfc3339(300 * DAY_MS)
    shown = drift_metrics(town.service)
    assert shown[f'segstream_drift_active{{signal="feature.{first}"}}'] == 1.0
    assert shown[f'segstream_feature_psi{{feature="{first}",reference="frozen"}}'] > 1.0
    town.successor()
    town.run()
    episodes = f'segstream_drift_episodes_total{{detector="psi",signal="feature.{first}"}}'
    assert drift_metrics(town.service) == {name: v for name, v in shown.items() if name != episodes}
    town.look()
    town.run()
    assert len(town.topic(town.topics.ledger)) == len({*town.topic(town.topics.ledger)})
    assert sum(key == DRIFT_KEY.decode() for key, _ in town.topic(town.topics.ledger)) == 1
    town.check()


def drift_metrics(service: Service) -> Mapping[str, float]:
    """Of drift, without the count of ledger entries, which is of one process."""
    words = ("_drift_", "_psi", "centroid_shift")
    return {name: value for name, value in metrics(service).items() if any(word in name for word in words)}
