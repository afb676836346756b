"""A migration of a whole service on the twins: everybody is moved, nothing is lost, and all that must refuse does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import pytest

from benchmarks.chaos.world import World, read_world, same_accumulators
from consumers.auditing import audit
from consumers.build import Backend, memory_backend
from consumers.migrating import Moved, migrate, moving, target_of
from consumers.twins import Twins, drain
from consumers.worker import Clocks
from producers.orders import Encoded
from producers.personas import Personas
from producers.sink import Committed, Offsets, Outgoing
from stream.contracts.changes import COPIED, SegmentChange, decode_change
from stream.contracts.partitioning import partition_of
from stream.errors import BrokerUnavailable, Disagreement, SettingsError
from stream.settings import Tree
from stream.view.journal import JournalPart, parts_of
from tests.consumers.shop import PLAN, home, moved_customer, quiet_shop, settings, settle, tail


@cache
def events() -> tuple[Encoded, ...]:
    return tuple(Personas(PLAN))


def half() -> int:
    return len(events()) // 2


def shop(partitions: int = 3, sent: int | None = None) -> Twins:
    """Half of the events have been processed."""
    twins = Twins(settings(topics={"partitions": partitions}))
    twins.send(events()[: half() if sent is None else sent])
    settle(twins)
    return twins


def backend(twins: Twins) -> Backend:
    return memory_backend(twins.settings, twins.broker, twins.store, Clocks(twins.wall.now, twins.wall.wait))


def move(twins: Twins, partitions: int, suffix: str | None = None, of: Backend | None = None) -> Moved:
    """Migrate, and go over to the new settings."""
    target = target_of(twins.settings.topics, partitions, suffix)
    moved = migrate(twins.settings, of or backend(twins), target, lambda _: None)
    twins.settings = twins.settings.model_copy(update={"topics": target.new})
    return moved


def world(twins: Twins, tree: Tree | None = None) -> World:
    return read_world(tree or twins.settings, tail(twins), twins.store.reader)


def found(twins: Twins) -> list[str]:
    """What an audit says is wrong."""
    parts = audit(twins.settings, tail(twins), twins.store.reader, twins.settings.topics.partitions, 0)
    return [f"{part.check}: {line}" for part in parts for line in part.first]


def continued(before: World, after: World) -> dict[str, list[SegmentChange]]:
    """Changes of both topics, each once: what a subscriber has who reads one and then the other."""
    told = {customer: list(changes) for customer, changes in before.changes.items()}
    for customer, changes in after.changes.items():
        mine = told.setdefault(customer, [])
        mine += [change for change in changes if not mine or change.version > mine[-1].version]
    return told


@pytest.mark.parametrize(("before", "after"), [(3, 8), (8, 3), (1, 2)])
def test_life_goes_on_in_the_new_topics(before: int, after: int) -> None:
    twins = shop(before)
    old_settings, old = twins.settings, world(twins)
    moved = move(twins, after)
    assert moved.customers == len(old.accumulators) == sum(moved.by_partition)
    assert len(moved.by_partition) == after

    settle(twins)
    assert found(twins) == []
    arrived = world(twins)
    arrived.check_view()
    arrived.check_population()
    assert same_accumulators([old, arrived])

    twins.send(events()[half() :])
    settle(twins)
    assert found(twins) == []
    end = world(twins)
    end.check_population()
    end.check_view()
    end.check_hashes()
    undisturbed = world(quiet_shop(settings(topics={"partitions": before})))
    assert same_accumulators([end, undisturbed])
    whole = replace(end, changes=continued(world(twins, old_settings), end))
    whole.check_versions()
    assert sum(map(len, whole.changes.values())) > sum(map(len, old.changes.values()))


def test_the_duplicate_window_moves_along() -> None:
    twins = shop()
    move(twins, 8)
    twins.send(events()[half() - 50 : half()])
    lockstep = twins.lockstep()
    rounds = drain(lockstep.run_once)
    assert sum(done.step.duplicates for done in rounds if done.step) == 50


def test_nobody_is_declared_silent_by_the_move() -> None:
    """Also not where the partitions had come unequally far: the slowest says what time it is."""
    twins = shop(2)
    late = [e for e in events()[half() :] if partition_of(e[0], 2) == 0]
    twins.send(late)
    settle(twins)
    before = {p: mark.now_ms for p, mark in world(twins).marks.items()}
    assert before[0] - before[1] > 20 * 86_400_000
    versions = {customer: fields["version"] for customer, fields in twins.store.reader.customers()}
    move(twins, 3)
    settle(twins)
    assert {p: mark.now_ms for p, mark in world(twins).marks.items()} == dict.fromkeys(range(3), before[1])
    assert {customer: fields["version"] for customer, fields in twins.store.reader.customers()} == versions


def test_the_new_change_topic_begins_with_the_newest_change_of_everybody() -> None:
    twins = shop()
    old = world(twins)
    moved = move(twins, 8)
    topic, told = twins.settings.topics.changes, {}
    for partition in range(8):
        for _, entry in twins.broker.read(topic, partition, 0, 10_000)[0]:
            change = decode_change(entry.value or b"")
            assert partition_of(entry.key or b"", 8) == partition
            assert COPIED in entry.headers
            assert len(dict(entry.headers)) == len(entry.headers)
            told[change.customer_id] = change
    assert told == {customer: changes[-1] for customer, changes in old.changes.items()}
    assert moved.changes == len(told)


def test_who_was_erased_from_the_old_change_topic_is_not_in_the_new_one() -> None:
    twins = shop()
    customer = moved_customer(twins)
    everybody = len(world(twins).changes)
    tombstone = Outgoing(twins.settings.topics.changes, home(twins, customer), customer.encode(), None)
    twins.broker.append(tombstone)
    assert move(twins, 8).changes == everybody - 1
    told = [e.key for p in range(8) for _, e in twins.broker.read(twins.settings.topics.changes, p, 0, 10_000)[0]]
    assert len(told) == everybody - 1
    assert customer.encode() not in told


def test_a_second_migration_copies_what_the_first_had_copied() -> None:
    twins = shop()
    move(twins, 8)
    settle(twins)
    move(twins, 2)
    settle(twins)
    assert twins.settings.topics.events == "customer.events.v3"
    assert found(twins) == []
    entries, _ = twins.broker.read(twins.settings.topics.changes, 0, 0, 10_000)
    assert {entry.headers.count(COPIED) for _, entry in entries} == {1}


def test_a_store_that_was_lost_on_the_way_is_filled_from_the_new_topics() -> None:
    twins = shop()
    old = world(twins)
    twins.store.lose()
    move(twins, 8)
    settle(twins)
    assert found(twins) == []
    assert same_accumulators([old, world(twins)])


def test_partitions_without_customers_have_a_place_to_start_as_well() -> None:
    twins = shop(3, sent=2)
    move(twins, 64)
    settle(twins)
    assert {p: mark.sequence >= 2 for p, mark in world(twins).marks.items()} == dict.fromkeys(range(64), True)
    twins.send(events()[2 : half()])
    settle(twins)
    assert found(twins) == []


def test_a_service_that_never_began_can_be_moved() -> None:
    twins = shop(3, sent=0)
    assert move(twins, 5).customers == 0
    twins.send(events()[: half()])
    settle(twins)
    assert found(twins) == []


def test_events_that_producers_send_to_the_new_topic_before_the_end_are_not_lost() -> None:
    twins = shop()
    target = target_of(twins.settings.topics, 8)
    backend(twins).create(target.wanted)
    old_settings = twins.settings
    twins.settings = old_settings.model_copy(update={"topics": target.new})
    twins.send(events()[half() :])
    twins.settings = old_settings
    move(twins, 8)
    settle(twins)
    assert found(twins) == []
    assert same_accumulators([world(twins), world(quiet_shop(settings(topics={"partitions": 3})))])


def test_large_partitions_are_written_in_several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "LOAD_BYTES", 4000)
    twins = shop()
    old = world(twins)
    move(twins, 2)
    parts = [_part(e.value) for _, e in twins.broker.read(twins.settings.topics.journal, 0, 0, 10_000)[0]]
    assert len(parts) > 5
    assert [part.mark.sequence for part in parts] == list(range(1, len(parts) + 1))
    settle(twins)
    assert found(twins) == []
    assert same_accumulators([old, world(twins)])


def _part(value: bytes | None) -> JournalPart:
    return JournalPart.unpack(value or b"")


def test_the_old_service_can_go_on_when_a_migration_is_given_up() -> None:
    twins = shop()
    old_settings = twins.settings
    move(twins, 8)
    twins.settings = old_settings
    twins.send(events()[half() :])
    settle(twins)
    assert found(twins) == []


# What must be refused


def refused(twins: Twins, said: str, of: Backend | None = None, kind: type[Exception] = SettingsError) -> None:
    before = [twins.store.reader.watermark(p) for p in range(3)]
    with pytest.raises(kind, match=said):
        move(twins, 8, of=of)
    assert [twins.store.reader.watermark(p) for p in range(3)] == before  # the view was not forgotten


@pytest.mark.parametrize("group", ["segstream", "segstream-owner"])
def test_a_running_service_is_not_moved(group: str) -> None:
    twins = shop()
    topics = twins.settings.topics
    topic = topics.learning if group.endswith("owner") else topics.events
    source = backend(twins).source(topic, group)
    source.poll(0.0)
    refused(twins, f"'{group}' has 1 member; stop segstream first")
    source.close()
    move(twins, 8)


def test_events_that_were_not_processed_are_not_left_behind() -> None:
    twins = shop()
    twins.send(events()[half() :][:1])
    refused(twins, r"has events from offset \d+ on that were not processed")
    with pytest.raises(BrokerUnavailable, match="does not exist"):  # nothing was begun
        twins.broker.partitions("segstream.journal.v2")


def test_nor_are_events_of_a_partition_that_was_never_read() -> None:
    twins = Twins(settings(topics={"partitions": 3}))
    twins.send(events()[:1])
    refused(twins, "has events from offset 0 on that were not processed")


def test_nor_are_events_of_a_group_whose_offsets_are_gone() -> None:
    twins = shop()
    twins.broker.group("segstream").offsets.clear()
    twins.send(events()[half() :][:1])
    refused(twins, r"has events from offset \d+ on that were not processed")


def test_markers_of_producers_transactions_are_not_taken_for_events() -> None:
    twins = shop()
    key, payload, _ = events()[half()]
    topic = twins.settings.topics.events
    sink = backend(twins).sink("somebody")
    sink.commit([Outgoing(topic, partition_of(key, 3), key, payload)], None)
    settle(twins)
    move(twins, 8)


def interfering(twins: Twins, act: Callable[[], object], at: int) -> Backend:
    """A backend whose sink does ``act`` before its ``at``-th transaction."""
    plain = backend(twins)

    class Sink:
        def __init__(self, transactional_id: str) -> None:
            self._sink, self._count = plain.sink(transactional_id), 0

        def commit(self, records: Sequence[Outgoing], offsets: Offsets | None) -> list[int]:
            self._count += 1
            if self._count == at:
                act()
            return self._sink.commit(records, offsets)

        def close(self) -> None:
            self._sink.close()

    return replace(plain, sink=Sink)


def test_what_is_sent_during_the_migration_stops_it() -> None:
    twins = shop()
    of = interfering(twins, lambda: twins.send(events()[half() :][:1]), at=3)
    refused(twins, "grew during the migration", of, Disagreement)


def test_a_service_that_is_started_during_the_migration_stops_it() -> None:
    twins = shop()
    of = interfering(twins, lambda: backend(twins).source(twins.settings.topics.learning, "segstream-owner").poll(0), 3)
    refused(twins, "'segstream-owner' has 1 member", of)


@pytest.mark.parametrize("at", [1, 2, 5, 8])
def test_an_interrupted_migration_is_believed_by_nobody_and_run_again(at: int) -> None:
    """8 is the last of three partitions' eight transactions: first, three of states, three of changes, last."""
    twins = shop()
    old_settings, old = twins.settings, world(twins)
    of = interfering(twins, lambda: twins.broker.fail_next("aborted"), at)
    with pytest.raises(BrokerUnavailable, match="the old topics still hold; run it again with another --suffix"):
        move(twins, 8, of=of)

    if at > 1:
        twins.settings = old_settings.model_copy(update={"topics": target_of(old_settings.topics, 8).new})
        with pytest.raises(SettingsError, match=r"recreated|did not end"):  # by the store's watermarks
            settle(twins)
        twins.store.lose()
        with pytest.raises(SettingsError, match="did not end"):  # by the journal
            settle(twins)
        twins.broker.expel("segstream")
        twins.broker.expel("segstream-owner")
        twins.settings = old_settings
    with pytest.raises(SettingsError, match=r"'segstream.journal.v2' is not empty; choose another suffix"):
        move(twins, 8)
    move(twins, 8, ".again")
    settle(twins)
    assert found(twins) == []
    assert same_accumulators([old, world(twins)])


def test_the_last_transaction_decides_for_all_partitions_at_once() -> None:
    twins = shop()
    move(twins, 8)
    journal = twins.settings.topics.journal
    last = [[_part(e.value) for _, e in twins.broker.read(journal, p, 0, 10_000)[0]][-1] for p in range(8)]
    new_id, _ = twins.broker.identity(twins.settings.topics.events)
    assert {part.mark.topic_id for part in last} == {new_id}


def test_a_count_that_is_not_the_topics_is_refused() -> None:
    twins = shop(3)
    wrong = twins.settings.topics.model_copy(update={"partitions": 4})
    with pytest.raises(SettingsError, match=r"topics.partitions: 4, but 'customer.events' has 3"):
        migrate(twins.settings, backend(twins), target_of(wrong, 8), lambda _: None)


def test_other_declarations_are_refused() -> None:
    twins = shop()
    twins.settings = settings(topics={"partitions": 3}, customers={"half_life_days": 31})
    refused(twins, "declarations changed")


def test_a_journal_with_customers_of_another_partition_is_refused() -> None:
    """Their next events would go elsewhere and find nobody."""
    twins = shop()
    customer = moved_customer(twins)
    wrong = (home(twins, customer) + 1) % 3
    state, held = (world(twins).journaled[home(twins, customer)][customer], world(twins).marks[wrong])
    mark = replace(held, sequence=held.sequence + 1)
    topics, sink = twins.settings.topics, backend(twins).sink("somebody")
    parts = parts_of(mark, mark.next, held.journal, {customer: state})
    sink.commit([Outgoing(topics.journal, wrong, None, part.pack()) for part in parts], None)
    twins.broker.group("segstream").offsets[topics.events, wrong] = Committed(mark.next, str(mark.sequence))
    refused(twins, f"partition {wrong}: 1 customers of its journal belong to other partitions", kind=Disagreement)


def test_a_topic_of_another_shape_is_refused() -> None:
    twins = shop()
    twins.broker.create("segstream.journal.v2", 5)
    refused(twins, r"'segstream.journal.v2' has 5 partitions, not 8")
