"""Lockstep: what a batch taught is in the model before the next batch is decided."""

from __future__ import annotations

import pytest

from consumers import lockstep
from consumers.lockstep import Lockstep
from consumers.twins import drain
from producers.personas import Personas, PersonasPlan
from stream.errors import BrokerUnavailable
from tests.consumers.shop import settings
from tests.consumers.unsteady import UnsteadyTwins


@pytest.fixture
def twins() -> UnsteadyTwins:
    twins = UnsteadyTwins(settings(model={"warmup_customers": 10, "macro_rows": 30}))
    twins.send(Personas(PersonasPlan(customers=24, days=30)))
    return twins


def test_the_owner_learns_a_batch_and_the_worker_has_its_model_before_the_next(twins: UnsteadyTwins) -> None:
    service = twins.service()
    worker, owner = service.worker(), service.owner()
    both = Lockstep(worker, owner)
    versions = []
    for _ in range(12):
        done = both.run_once()
        assert done.learning_next is None or owner.next_offset >= done.learning_next
        shown = twins.store.reader.segments().values()
        newest = max((profile["model_version"] for profile in shown), default=0)
        assert (both.assigner.snapshot.version if both.assigner else 0) == newest
        assert both.assigner is worker.assigner
        versions.append(newest)
    assert versions[-1] > 1


def test_a_replay_is_the_same_every_time(twins: UnsteadyTwins) -> None:
    again = UnsteadyTwins(twins.settings)
    again.send(Personas(PersonasPlan(customers=24, days=30)))
    for each in (twins, again):
        drain(each.lockstep().run_once)
    assert list(twins.changes()) == list(again.changes())
    assert list(twins.changes())


def test_an_owner_that_sees_nothing_is_told(twins: UnsteadyTwins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockstep, "_ROUNDS", 3)
    both = twins.lockstep()
    in_its_place = twins.service().owner()  # it has the learning topic, and does nothing
    in_its_place.run_once(0.0)
    with pytest.raises(BrokerUnavailable, match="the owner does not see what the worker committed"):
        drain(both.run_once)


def test_closing_leaves_both_groups(twins: UnsteadyTwins) -> None:
    both = twins.lockstep()
    drain(both.run_once)
    both.close()
    for group in (twins.settings.kafka.group, f"{twins.settings.kafka.group}-owner"):
        assert twins.broker.group(group).topics == {}
