"""Restoring: whatever the store holds, afterwards it shows what was committed, or a person is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from consumers import restoring
from consumers.memory_source import MemoryTail
from consumers.model_feed import ModelFeed
from consumers.restoring import Identity, Restorer
from consumers.source import Record
from producers.personas import Personas, PersonasPlan
from producers.sink import Committed
from stream.customer.features import FeatureSet
from stream.errors import BadRecord, IncompleteJournal, SettingsError, StoreUnavailable
from stream.view.journal import NOTHING, JournalPart, Mark
from stream.view.store import Update, Wanted
from tests.consumers.shop import settings, settle
from tests.consumers.unsteady import UnsteadyTail, UnsteadyTwins

PLAN = PersonasPlan(customers=24, days=30)
PARTITIONS = 2
EVERYTHING = Wanted((), due_before_ms=1 << 62, due_limit=1 << 30)


@pytest.fixture
def shop() -> UnsteadyTwins:
    """A quiet shop with one model, so that no segment was renamed after a customer was told."""
    model, topics = {"warmup_customers": 16, "macro_rows": 100_000}, {"partitions": PARTITIONS}
    twins = UnsteadyTwins(settings(model=model, topics=topics))
    twins.send(Personas(PLAN))
    settle(twins)
    return twins


def restorer(twins: UnsteadyTwins, **changed: Any) -> Restorer:
    """As a worker has it. ``changed`` are fields of ``Restorer``."""
    features, topics = FeatureSet(twins.settings.customers), twins.settings.topics
    feed = ModelFeed(MemoryTail(twins.broker), topics.model, features.features_id)
    feed.refresh()
    fields: dict[str, Any] = {
        "look": lambda: identity(twins, features),
        "features": features,
        "store": twins.store,
        "tail": UnsteadyTail(twins.broker, twins.faults),
        "journal_topic": topics.journal,
        "documents": True,
        "names": lambda: feed.names,
        "wait_seconds": 10.0,
        "now_seconds": twins.wall.now,
    }
    return Restorer(**{**fields, **changed})


def restored(by: Restorer, partition: int, committed: Committed | None, beginning: int = 0) -> Mark:
    """As a worker does it."""
    return by.restore(partition, by.watermarks([partition])[partition], committed, beginning)


def identity(twins: UnsteadyTwins, features: FeatureSet) -> Identity:
    topics = twins.settings.topics
    journal_id, _ = twins.broker.identity(topics.journal)
    return Identity(*twins.broker.identity(topics.events), features.features_id, journal_id)


def committed(twins: UnsteadyTwins, partition: int) -> Committed:
    return twins.broker.group(twins.settings.kafka.group).committed(twins.settings.topics.events)[partition]


def restore(twins: UnsteadyTwins, **changed: Any) -> dict[int, Mark]:
    by = restorer(twins, **changed)
    return {p: restored(by, p, committed(twins, p)) for p in range(PARTITIONS)}


@dataclass
class View:
    """All that the store shows, to anybody; by partition or by customer."""

    watermarks: dict[int, bytes]
    states: dict[int, dict[bytes, bytes]]
    timers: dict[int, Sequence[bytes]]
    hashes: dict[bytes, dict[str, str]]
    documents: dict[bytes, dict[str, Any] | None]


def view(twins: UnsteadyTwins) -> View:
    reader, partitions = twins.store.reader, range(PARTITIONS)
    hashes = dict(reader.customers())
    return View(
        {p: reader.watermark(p) or b"" for p in partitions},
        {p: dict(reader.states(p)) for p in partitions},
        {p: twins.store.load({p: EVERYTHING})[p].due for p in partitions},
        hashes,
        {customer: reader.features(customer) for customer in hashes},
    )


def history(twins: UnsteadyTwins, partition: int) -> list[tuple[int, JournalPart]]:
    entries, _ = twins.broker.read(twins.settings.topics.journal, partition, 0, 10_000)
    return [(offset, JournalPart.unpack(entry.value or b"")) for offset, entry in entries]


def marked(twins: UnsteadyTwins, partition: int, **changed: Any) -> None:
    """Give the store another watermark."""
    held = twins.store.reader.watermark(partition)
    assert held is not None
    mark = replace(Mark.from_bytes(held), **changed)
    assert twins.store.apply(partition, held, Update(mark.to_bytes()))


# A store that was lost, or is old


def test_a_lost_store_comes_back_as_it_was(shop: UnsteadyTwins) -> None:
    before = view(shop)
    assert len(before.hashes) == PLAN.customers
    assert any(before.timers.values())
    shop.store.lose()
    assert restore(shop) == {p: Mark.from_bytes(held) for p, held in before.watermarks.items()}
    assert view(shop) == before


@pytest.mark.parametrize("page", [1, 7, 2000])
def test_it_is_written_page_by_page(shop: UnsteadyTwins, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "PAGE", page)
    before = view(shop)
    shop.store.lose()
    shop.store.applied.clear()
    restore(shop)
    assert view(shop) == before
    sizes = [len(update.states) for _, update in shop.store.applied]
    assert sum(sizes) == PLAN.customers
    assert max(sizes) == min(page, max(map(len, before.states.values())))


def test_a_store_that_is_behind_goes_on_from_where_it_is(shop: UnsteadyTwins) -> None:
    before = view(shop)
    shop.store.lose()
    by = restorer(shop)
    for partition in range(PARTITIONS):
        middle = history(shop, partition)[len(history(shop, partition)) // 2][1].mark
        restored(by, partition, Committed(middle.next, str(middle.sequence)))
    shop.store.applied.clear()
    restore(shop)
    assert view(shop) == before
    since = {p: history(shop, p)[len(history(shop, p)) // 2 + 1 :] for p in range(PARTITIONS)}
    written = {p: set(update.states) for p, update in shop.store.applied}
    assert written == {p: {c.encode() for _, part in parts for c in part.states} for p, parts in since.items()}


def test_a_store_that_is_up_to_date_is_left_alone(shop: UnsteadyTwins) -> None:
    before = view(shop)
    shop.store.applied.clear()
    shop.faults.order("tail.bounds", IncompleteJournal("nobody has to read anything"))
    marks = restore(shop)
    assert shop.store.applied == []
    assert {p: mark.to_bytes() for p, mark in marks.items()} == before.watermarks


def test_batches_that_changed_nobody_move_the_watermark(shop: UnsteadyTwins) -> None:
    marked(shop, 0, sequence=0)  # as if the rest of the journal had no states
    by = restorer(shop, tail=StatelessTail(shop.broker))
    at = committed(shop, 0)
    mark = restored(by, 0, at)
    assert (mark.next, str(mark.sequence)) == at
    assert shop.store.reader.watermark(0) == mark.to_bytes()


class StatelessTail(MemoryTail):
    """A journal whose batches changed nobody: one record more than there is, chained to the last."""

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        first, end = super().bounds(topic, partition)
        return first, end + 1

    def read(self, topic: str, partition: int, offset: int, timeout_seconds: float) -> tuple[list[Record], int]:
        found, after = super().read(topic, partition, 0, timeout_seconds)
        last = JournalPart.unpack(found[-1].value or b"")
        empty = replace(last, previous=found[-1].offset, part=0, parts=1, states={})
        return [found[-1]._replace(offset=after, value=empty.pack())], after + 1


# Without anything to go by


def test_where_nothing_was_ever_committed_the_input_is_read_from_its_beginning() -> None:
    twins = UnsteadyTwins(settings())
    mark = restored(restorer(twins), 2, None, 17)
    now = identity(twins, FeatureSet(twins.settings.customers))
    assert mark == Mark(now.topic_id, now.partitions, now.features_id, 17, journal_id=now.journal_id)
    assert twins.store.applied == []


def test_without_a_committed_offset_the_journal_says_where_to_go_on(shop: UnsteadyTwins) -> None:
    before = view(shop)
    at = {p: committed(shop, p) for p in range(PARTITIONS)}
    shop.store.lose()
    by = restorer(shop)
    marks = {p: restored(by, p, None) for p in range(PARTITIONS)}
    assert {p: Committed(mark.next, str(mark.sequence)) for p, mark in marks.items()} == at
    assert view(shop) == before


@pytest.mark.parametrize("journal", ["of a whole store", "of an unfinished restore"])
def test_states_whose_journal_is_gone_are_not_added_to_from_the_beginning(shop: UnsteadyTwins, journal: str) -> None:
    for partition in range(PARTITIONS):
        if journal == "of an unfinished restore":
            marked(shop, partition, journal=NOTHING, next=NOTHING)
        shop.broker.delete_before(
            shop.settings.topics.journal, partition, shop.broker.bounds(shop.settings.topics.journal, partition)[1]
        )
    before = view(shop)
    with pytest.raises(IncompleteJournal, match=r"the store has states, but nothing is committed .* empty the store"):
        restored(restorer(shop), 0, None)
    assert view(shop) == before


# What goes wrong on the way


def test_an_unfinished_restore_is_not_believed_and_starts_over(
    shop: UnsteadyTwins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "PAGE", 4)
    before = view(shop)
    shop.store.lose()
    shop.faults.order("store.apply", StoreUnavailable("the process is gone"), after=2)
    with pytest.raises(StoreUnavailable, match="gone"):
        restore(shop)
    half = Mark.from_bytes(shop.store.reader.watermark(0) or b"")
    assert (half.journal, half.next) == (NOTHING, NOTHING)
    assert len(dict(shop.store.reader.states(0))) == 8
    restore(shop)
    assert view(shop) == before


def test_nothing_is_written_over_another_worker(shop: UnsteadyTwins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "PAGE", 4)
    before = view(shop)
    shop.store.lose()
    shop.faults.order("store.apply", lambda: restored(restorer(shop), 0, committed(shop, 0)), after=2)
    with pytest.raises(StoreUnavailable, match="partition 0: another worker wrote to the store during the restore"):
        restored(restorer(shop), 0, committed(shop, 0))
    assert shop.store.reader.watermark(0) == before.watermarks[0]
    restore(shop)
    assert view(shop) == before


def test_a_damaged_watermark_is_refused(shop: UnsteadyTwins) -> None:
    held = shop.store.reader.watermark(0)
    shop.store.apply(0, held, Update(b"damaged"))
    with pytest.raises(BadRecord, match="not a watermark"):
        restore(shop)


# Another topic, another declaration


@pytest.mark.parametrize(
    ("other", "mend"),
    [
        (
            {"topic_id": "other"},
            r"topics.events: .* was recreated .*; restore the old topic, or begin anew",
        ),
        ({"partitions": 5}, r"topics.partitions: .* written for 2 partitions, .* has 5; .* a new topic .* migrate"),
        (
            {"journal_id": "other"},
            r"topics.journal: the journal was recreated .*; restore the old topic, or begin anew",
        ),
        (
            {"features_id": "other"},
            r"customers.features: the declarations changed .*; restore the old ones, or begin anew",
        ),
    ],
)
@pytest.mark.parametrize("said_by", ["the store", "the journal"])
def test_states_of_another_topic_or_declaration_are_refused(
    shop: UnsteadyTwins, other: Mapping[str, Any], mend: str, said_by: str
) -> None:
    now = replace(restorer(shop).identity, **other)
    if said_by == "the journal":
        shop.store.lose()
    before = view(shop)
    with pytest.raises(SettingsError, match=mend):
        restore(shop, look=lambda: now)
    assert view(shop) == before


# What people are told meanwhile, and afterwards


def test_readers_are_told_that_a_partition_is_being_restored(shop: UnsteadyTwins) -> None:
    shop.store.lose()
    seen: list[str | None] = []
    shop.faults.order("store.apply", lambda: seen.append(shop.store.reader.status(0)))
    restore(shop)
    count = len(dict(shop.store.reader.states(0)))
    assert seen == [f"restoring {count} customers"]
    assert [shop.store.reader.status(p) for p in range(PARTITIONS)] == [None] * PARTITIONS


def test_who_died_before_saying_so_is_spoken_for_by_the_next(shop: UnsteadyTwins) -> None:
    shop.store.lose()
    shop.faults.order("store.publish_status", StoreUnavailable("the process is gone"), after=1)
    with pytest.raises(StoreUnavailable, match="gone"):
        restore(shop)
    assert shop.store.reader.status(0) is not None
    restore(shop)
    assert shop.store.reader.status(0) is None


def test_documents_are_a_setting(shop: UnsteadyTwins) -> None:
    shop.store.lose()
    restore(shop, documents=False)
    hashes = dict(shop.store.reader.customers())
    assert len(hashes) == PLAN.customers
    assert all(shop.store.reader.features(customer) is None for customer in hashes)
