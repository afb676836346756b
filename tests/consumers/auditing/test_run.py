"""The audit of a whole service: nothing is wrong with a quiet one, and each kind of damage is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consumers.auditing import Part, audit
from consumers.auditing.report import FIRST
from consumers.source import Record
from consumers.twins import Twins
from producers.sink import Outgoing
from stream.customer.holdings import Holding
from stream.model.learning import LearningRecord
from stream.settings import Tree
from stream.view.journal import Mark
from tests.consumers.shop import home, moved_customer, quiet_shop, settings, tail, tamper

EVERYTHING = ["quiet stream", "journal", "cells", "holders", "states", "public keys", "versions"]


def audited(twins: Twins, tree: Tree | None = None) -> dict[str, Part]:
    """The parts by name; all changes are still there."""
    tree = tree or twins.settings
    parts = audit(tree, tail(twins), twins.store.reader, tree.topics.partitions, complete_since_ms=0)
    return {part.check: part for part in parts}


def failing(twins: Twins) -> dict[str, tuple[str, ...]]:
    return {name: part.first for name, part in audited(twins).items() if not part.holds}


@pytest.fixture
def shop() -> Twins:
    return quiet_shop()


@pytest.mark.parametrize("kind", ["cells", "kmeans"])
def test_a_quiet_service_agrees_with_itself(kind: str) -> None:
    twins = quiet_shop(settings(model={"kind": kind}))
    parts = audited(twins)
    assert list(parts) == EVERYTHING
    assert [part.first for part in parts.values() if not part.holds] == []
    assert parts["states"].compared == "60 states in the store"


def test_before_there_is_a_model_everybody_is_in_the_nursery() -> None:
    twins = quiet_shop(settings(model={"warmup_customers": 1000}))
    parts = audited(twins)
    assert all(part.holds for part in parts.values())
    assert parts["cells"].compared.startswith("1 cells, ")


def test_an_empty_service_agrees_with_itself() -> None:
    assert all(part.holds for part in audited(Twins(settings())).values())


def test_a_lost_store_is_found(shop: Twins) -> None:
    shop.store.lose()
    found = audited(shop)
    assert {name for name, part in found.items() if not part.holds} == {"states", "public keys"}
    assert found["states"].differences == 60 + sum(1 for _ in range(shop.settings.topics.partitions))
    assert len(found["states"].first) == FIRST


def test_a_state_that_was_changed_in_the_store_is_found(shop: Twins) -> None:
    customer = moved_customer(shop)
    tamper(shop, home(shop, customer), states={customer.encode(): b"other"})
    assert failing(shop) == {"states": (f"customer '{customer}': the store has another state than the journal",)}


def test_a_state_that_nobody_journaled_is_found(shop: Twins) -> None:
    tamper(shop, 0, states={b"ghost": b"x"}, hashes={b"ghost": {"id": "s1", "name": "", "status": "ready"}})
    found = failing(shop)
    assert found["states"] == ("customer 'ghost': in the store, but never journaled",)
    assert found["public keys"] == ("segment:ghost: of a customer that was never journaled",)


def test_a_watermark_that_was_set_back_is_found(shop: Twins) -> None:
    held = shop.store.reader.watermark(1)
    assert held is not None
    mark = Mark.from_bytes(held)
    tamper(shop, 1, watermark=replace(mark, next=mark.next - 1).to_bytes())
    assert [line[:35] for line in failing(shop)["states"]] == ["partition 1: the store's watermark "]


def test_public_keys_that_say_something_else_are_found(shop: Twins) -> None:
    customer = moved_customer(shop)
    key, partition = customer.encode(), home(shop, customer)
    fields = shop.store.reader.segment(key)
    assert fields is not None
    tamper(shop, partition, hashes={key: {**fields, "id": "s77"}}, documents={key: b"{}"})
    assert failing(shop) == {
        "public keys": (
            f"segment:{customer}: id is 's77', not '{fields['id']}'",
            f"features:{customer}: not what the state says",
        )
    }


def test_a_name_as_of_the_change_is_no_difference(shop: Twins) -> None:
    customer = moved_customer(shop)
    fields = shop.store.reader.segment(customer.encode())
    assert fields is not None
    tamper(shop, home(shop, customer), hashes={customer.encode(): {**fields, "name": "as it was once"}})
    assert failing(shop) == {}


def test_documents_are_not_asked_for_where_there_are_none() -> None:
    twins = quiet_shop(settings(redis={"features_document": False}))
    assert failing(twins) == {}


def test_a_movement_without_a_customer_is_found(shop: Twins) -> None:
    """Mass that reaches the learner without a journaled state: I10."""
    topics = shop.settings.topics
    entries, _ = shop.broker.read(topics.learning, 0, 0, 1000)
    records = [LearningRecord.unpack(entry.value or b"") for _, entry in entries]
    twice = next(record for record in records if len(record.cells))
    shop.broker.append(Outgoing(topics.learning, 0, None, replace(twice, held={1: 5}).pack()))
    found = failing(shop)
    assert found.keys() == {"cells", "holders"}
    assert len(found["cells"]) == min(len(np.unique(twice.cells)), FIRST)
    assert found["holders"][0].startswith("s1: the learner counts ")


def learn_besides(shop: Twins, **of_holders: Any) -> None:
    """A learning record that says something of the holders of segments, and moves nobody."""
    topics = shop.settings.topics
    entries, _ = shop.broker.read(topics.learning, 0, 0, 1000)
    record = LearningRecord.unpack(entries[-1][1].value or b"")
    columns = ("n", "sums", "squares", "nursery_sign", "grid_n")
    nothing: dict[str, Any] = {name: getattr(record, name) * 0 for name in columns}
    nothing |= {"held": {}, "holdings": {}, "tenures": {}}
    shop.broker.append(Outgoing(topics.learning, 0, None, replace(record, **nothing | of_holders).pack()))


def test_what_holders_add_up_to_is_audited(shop: Twins) -> None:
    learn_besides(shop, holdings={1: Holding(orders=7, spend=-5)})
    said = "s1: what its holders add up to is off in orders by 7, spend by -5"
    assert failing(shop) == {"holders": (said,)}


def test_since_when_holders_hold_is_audited(shop: Twins) -> None:
    learn_besides(shop, tenures={1: {7: 1, 8: -1}})
    assert failing(shop) == {"holders": ("s1: the learner counts other weeks of its holders' entries",)}


def test_a_learning_record_that_does_not_read_is_found(shop: Twins) -> None:
    offset = shop.broker.append(Outgoing(shop.settings.topics.learning, 0, None, b"noise"))
    assert failing(shop)["cells"] == (
        f"learning record at offset {offset} cannot be learnt: not a segstream record, or of another format",
    )


def test_learning_records_that_retention_took_too_early_are_found() -> None:
    twins = quiet_shop(settings(model={"warmup_customers": 1000}))
    _, end = twins.broker.bounds(twins.settings.topics.learning, 0)
    twins.broker.delete_before(twins.settings.topics.learning, 0, end - 4)
    assert failing(twins)["cells"][0] == f"learning records 0 to {end - 5} are needed and no longer there"


def test_a_journal_that_starts_above_its_floor_is_found(shop: Twins) -> None:
    _, end = shop.broker.bounds(shop.settings.topics.journal, 0)
    shop.broker.delete_before(shop.settings.topics.journal, 0, end - 2)
    assert failing(shop)["journal"][0].startswith(f"partition 0: the journal starts at {end - 2}, states are ")


def _told(twins: Twins, customer: str) -> tuple[bytes, dict[str, object]]:
    """Value of the customer's last change, as bytes and as JSON."""
    partition, topic = home(twins, customer), twins.settings.topics.changes
    entries, _ = twins.broker.read(topic, partition, 0, 10_000)
    value = next(entry.value for _, entry in reversed(entries) if entry.key == customer.encode())
    assert value is not None
    return value, json.loads(value)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda change: change, "version {n} where {next} was due"),
        (
            lambda change: {**change, "version": change["version"] + 2},
            "version {skipped} where {next} was due",
        ),
        (
            lambda change: {**change, "version": change["version"] + 1, "previous": None},
            "version {next} does not start where the one before ended",
        ),
    ],
    ids=["repeat", "gap", "torn"],
)
def test_versions_that_do_not_follow_are_found(
    shop: Twins, edit: Callable[[dict[str, object]], dict[str, object]], said: str
) -> None:
    customer = moved_customer(shop)
    _, change = _told(shop, customer)
    version = int(str(change["version"]))
    value = json.dumps(edit(change)).encode()
    shop.broker.append(Outgoing(shop.settings.topics.changes, home(shop, customer), customer.encode(), value))
    numbers = {"n": version, "next": version + 1, "skipped": version + 2}
    assert failing(shop)["versions"][0] == f"customer '{customer}': {said.format(**numbers)}"


class Moving:
    """A tail whose topics grow by one record whenever their end is asked for."""

    def __init__(self, twins: Twins) -> None:
        self._tail, self._asked = tail(twins), 0

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        first, end = self._tail.bounds(topic, partition)
        self._asked += 1
        return first, end + self._asked

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        _, end = self._tail.bounds(topic, partition)
        return self._tail.read(topic, partition, min(offset, end), 0.0)

    def close(self) -> None:
        pass


def test_a_stream_that_is_not_quiet_is_found(shop: Twins) -> None:
    tree = shop.settings
    first, *_ = audit(tree, Moving(shop), shop.store.reader, tree.topics.partitions, 0)
    assert (first.check, first.holds) == ("quiet stream", False)
    assert first.first[0].startswith("segstream.journal:0 went from ")
