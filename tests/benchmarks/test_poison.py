from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from benchmarks.poison import GOOD_EVENTS, PLAN, chosen, run, settings_of
from benchmarks.poison_corpus import Poison, Sent, good_order, sent
from consumers.embedded import EmbeddedStore
from stream.contracts.events import DecodeRules, Reason
from stream.settings import Tree
from tests.brokers import Broker


@pytest.fixture
def settings(embedded_broker: Broker) -> Iterator[Tree]:
    """Topics and a store of its own."""
    with EmbeddedStore() as store:
        yield settings_of(embedded_broker.bootstrap_servers, store.url)


def test_every_kind_is_refused_for_its_reason_and_nothing_is_lost(settings: Tree) -> None:
    assert run(settings, chosen(45)) == {
        "kinds": 45,
        "sent": 45,
        "right_reason": 1.0,
        "identical": 1.0,
        "lost": 0,
        "good_sent": 45 * GOOD_EVENTS,
        "good_accepted": 45 * GOOD_EVENTS,
    }


def test_what_is_accepted_or_refused_for_another_reason_shows(settings: Tree) -> None:
    def sound(customer: str, rules: DecodeRules, now_ms: int) -> Sent:
        return sent(customer, json.dumps(good_order(customer, PLAN.start_ms)).encode(), rules, now_ms)

    def empty(customer: str, rules: DecodeRules, now_ms: int) -> Sent:
        return sent(customer, b"", rules, now_ms)

    report = run(settings, [Poison("sound", Reason.NOT_JSON, sound), Poison("empty", Reason.NOT_UTF8, empty)])
    assert (report["right_reason"], report["identical"]) == (0.0, 0.5)
    assert report["good_accepted"] == report["good_sent"] + 1
    assert report["lost"] == 2  # the sound one is not on the rejected topic, and counts as an event too many
