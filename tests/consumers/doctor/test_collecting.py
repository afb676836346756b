"""Collecting on the twins: the facts are those of the service that ran."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumers.doctor import Facts, collect, examine
from consumers.doctor.collecting import broker_facts, sample_keys, store_facts
from consumers.embedded import free_port
from consumers.topics import Topic, shapes
from consumers.twins import Twins
from producers.sink import Outgoing
from stream.customer.features import FeatureSet
from stream.settings import load
from tests.consumers.shop import quiet_shop, settings, tail


def facts_of(twins: Twins) -> Facts:
    """What ``collect`` finds, on the twins."""
    tree = twins.settings
    topics = {
        name: Topic(shape.partitions, twins.broker.identity(name)[0], shape.configs)
        for name, shape in shapes(tree.topics).items()
    }
    features_id = FeatureSet(tree.customers).features_id
    asked = Facts(tree, features_id, round(twins.wall.seconds * 1000), topics=topics, store="memory")
    return store_facts(broker_facts(asked, tail(twins)), twins.store.reader)


@pytest.fixture(scope="module")
def shop() -> Twins:
    return quiet_shop()


def failing(facts: Facts) -> list[str]:
    return [finding.check for finding in examine(facts) if finding.result == "fail"]


def test_a_service_that_runs_is_well(shop: Twins) -> None:
    facts = facts_of(shop)
    assert failing(facts) == []
    assert facts.model is not None
    assert facts.keys.records > 100
    assert all(of.written == of.applied for of in facts.partitions.values())
    assert {finding.check for finding in examine(facts)} >= {"journal", "model", "view", "keys"}


def test_a_service_that_never_ran_is_well_but_for_its_model() -> None:
    found = examine(facts_of(Twins(settings())))
    assert [finding.check for finding in found if finding.result != "ok"] == ["model"]


def test_a_store_that_was_lost_is_behind() -> None:
    own = quiet_shop()
    own.store.lose()
    own.wall.seconds += 600
    said = [finding.says for finding in examine(facts_of(own)) if finding.check == "view"]
    assert said == [f"partition {p}: the store is behind its journal for 10 min" for p in range(4)]


def test_a_restore_under_way_is_told(shop: Twins) -> None:
    shop.store.publish_status(3, "being restored")
    said = [finding.says for finding in examine(facts_of(shop)) if finding.check == "view"]
    shop.store.publish_status(3, None)
    assert said == ["partition 3: being restored"]


def test_other_declarations_are_noticed_everywhere(shop: Twins) -> None:
    facts = replace(facts_of(shop), features_id="other")
    assert failing(facts) == ["features"]


def test_keys_in_foreign_partitions_are_counted() -> None:
    twins = Twins(settings())
    topic = twins.settings.topics.events
    for key in (b"ann", b"bob", b"cem", None):
        twins.broker.append(Outgoing(topic, 0, key, b"{}"))
    sample = sample_keys(tail(twins), topic, twins.settings.topics.partitions)
    assert (sample.records, sample.keyless) == (4, 1)
    assert 0 < sample.misplaced <= 3


def test_a_model_record_that_does_not_read_is_passed_over() -> None:
    own = quiet_shop()
    before = facts_of(own).model
    own.broker.append(Outgoing(own.settings.topics.model, 0, None, b"noise"))
    assert facts_of(own).model == before is not None


def test_nobody_there_is_two_failures_and_no_exception() -> None:
    tree = load(
        flags={
            "kafka": {"security": "tls", "ca_file": "nowhere.pem"},
            "redis": {"url": f"redis://127.0.0.1:{free_port()}", "timeout_seconds": 0.2},
        }
    )
    assert failing(collect(tree, 0)) == ["broker", "store"]
