"""A repair mends what the journal can mend and says so; where it cannot be sure it does nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consumers.auditing import Repaired, repair
from consumers.build import Backend, memory_backend
from consumers.memory_source import MemorySource
from consumers.twins import Twins, drain
from consumers.worker import Clocks
from producers.personas import Personas
from producers.sink import Committed, Outgoing
from stream.errors import BrokerUnavailable, Disagreement, SettingsError, StoreUnavailable
from stream.model.learner import Learner
from stream.model.learning import LearningRecord
from stream.settings import Tree
from stream.view.journal import NOTHING, Mark
from stream.view.memory_store import MemoryStore
from stream.view.store import Update
from tests.consumers.auditing.test_run import audited, failing
from tests.consumers.shop import PLAN, home, moved_customer, quiet_shop, settings, settle, tamper

OWNER = "segstream-owner"
Damage = Callable[[Twins, str], None]


def backend(twins: Twins, wait: Callable[[float], None] | None = None) -> Backend:
    clocks = Clocks(twins.wall.now, wait or twins.wall.wait)
    return memory_backend(twins.settings, twins.broker, twins.store, clocks)


def repaired(twins: Twins, of: Backend | None = None) -> Repaired:
    return repair(twins.settings, of or backend(twins), twins.store.reader, 0)


View = tuple[list[Any], dict[bytes, dict[str, str]], dict[bytes, Any]]


def view(store: MemoryStore, partitions: int = 4) -> View:
    """All there is in a store: private keys, hashes, documents."""
    reader = store.reader
    hashes = dict(reader.customers())
    documents = {customer: reader.features(customer) for customer in hashes}
    return [(reader.watermark(p), dict(reader.states(p))) for p in range(partitions)], hashes, documents


@pytest.fixture
def shop() -> Twins:
    return quiet_shop()


def test_nothing_is_done_where_nothing_is_wrong(shop: Twins) -> None:
    before, models = view(shop.store), shop.broker.bounds(shop.settings.topics.model, 0)
    done = repaired(shop)
    assert (done.ok, list(done.done)) == (True, [])
    assert view(shop.store) == before
    assert shop.broker.bounds(shop.settings.topics.model, 0) == models


# The view


def no_state(twins: Twins, customer: str) -> None:
    """A lone DEL, which no watermark tells of."""
    twins.store._partitions[home(twins, customer)].states.pop(customer.encode())


def no_hash(twins: Twins, customer: str) -> None:
    del twins.store._public.hashes[customer.encode()]


def no_document(twins: Twins, customer: str) -> None:
    del twins.store._public.documents[customer.encode()]


def other_state(twins: Twins, customer: str) -> None:
    tamper(twins, home(twins, customer), states={customer.encode(): b"other"})


def other_hash(twins: Twins, customer: str) -> None:
    tamper(twins, home(twins, customer), hashes={customer.encode(): {"id": "s77", "name": "", "status": "ready"}})


def no_watermark(twins: Twins, customer: str) -> None:
    twins.store._partitions[home(twins, customer)].watermark = None


def ghost(twins: Twins, customer: str) -> bytes:
    """Somebody who never was, and would be where the customer is."""
    return next(f"ghost-{n}" for n in range(100) if home(twins, f"ghost-{n}") == home(twins, customer)).encode()


def a_stranger(twins: Twins, customer: str) -> None:
    name = ghost(twins, customer)
    hashes = {name: {"id": "s1", "name": "", "status": "ready"}}
    tamper(twins, home(twins, customer), states={name: b"x"}, hashes=hashes, documents={name: b"{}"})


def a_strangers_hash(twins: Twins, customer: str) -> None:
    hashes = {ghost(twins, customer): {"id": "s1", "name": "", "status": "ready"}}
    tamper(twins, home(twins, customer), hashes=hashes)


damages = pytest.mark.parametrize(
    "damage", [no_state, no_hash, no_document, other_state, other_hash, no_watermark, a_stranger, a_strangers_hash]
)


@damages
def test_a_damaged_view_comes_back_from_the_journal(shop: Twins, damage: Damage) -> None:
    customer = moved_customer(shop)
    settle(shop)
    before = view(shop.store)
    names = {c: fields["name"] for c, fields in shop.store.reader.customers()}
    damage(shop, customer)
    assert failing(shop)
    done = repaired(shop)
    partition = home(shop, customer)
    assert done.ok
    assert done.done[-1] == f"partition {partition}: wiped the view, and restored it from the journal"
    assert all(line.startswith(f"partition {partition}: ") for line in done.done)
    after, hashes, documents = view(shop.store)
    for fields in hashes.values():  # a restore gives every hash the present name of its segment
        assert fields["name"] in {*names.values(), *(p["name"] for p in shop.store.reader.segments().values())}
    assert (after, {c: {**f, "name": names[c]} for c, f in hashes.items()}, documents) == before
    assert shop.store.reader.features(ghost(shop, customer)) is None
    settle(shop)
    assert failing(shop) == {}


@damages
def test_running_workers_restore_what_is_wiped_under_them(shop: Twins, damage: Damage) -> None:
    lockstep = shop.lockstep()
    drain(lockstep.run_once)
    customer = moved_customer(shop)
    damage(shop, customer)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        shop.wall.wait(1.0)
        lockstep.run_once()

    done = repaired(shop, backend(shop, wait))
    assert done.ok
    assert 0 < len(waits) < 20
    drain(lockstep.run_once)
    lockstep.close()
    assert failing(shop) == {}


def test_workers_that_do_not_restore_are_not_waited_for_for_ever(shop: Twins) -> None:
    source = MemorySource(shop.broker, shop.settings.topics.events, "segstream")
    source.poll(0.0)
    no_state(shop, moved_customer(shop))
    with pytest.raises(StoreUnavailable, match="no worker has restored it within 120 s"):
        repaired(shop)


def test_half_a_restore_is_not_taken_for_a_whole_one(shop: Twins) -> None:
    """A worker that died in the middle of it leaves a watermark that says so."""
    MemorySource(shop.broker, shop.settings.topics.events, "segstream").poll(0.0)
    customer = moved_customer(shop)
    held = shop.store.reader.watermark(home(shop, customer))
    assert held is not None
    unfinished = replace(Mark.from_bytes(held), journal=NOTHING).to_bytes()
    no_state(shop, customer)

    def wait(seconds: float) -> None:
        shop.wall.wait(seconds)
        shop.store.apply(home(shop, customer), None, Update(watermark=unfinished))

    with pytest.raises(StoreUnavailable, match="no worker has restored it"):
        repaired(shop, backend(shop, wait))


def test_somebody_who_writes_meanwhile_is_not_written_over(shop: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    a_stranger(shop, moved_customer(shop))
    monkeypatch.setattr(MemoryStore, "apply", lambda *_: False)
    with pytest.raises(StoreUnavailable, match="a worker wrote to the store during the repair"):
        repaired(shop)


def test_a_view_of_a_stream_that_never_began_is_emptied() -> None:
    twins = Twins(settings())
    tamper_fresh(twins)
    done = repaired(twins)
    assert done.ok
    assert dict(twins.store.reader.customers()) == {}
    assert twins.store.reader.watermark(0) is None


def tamper_fresh(twins: Twins) -> None:
    ghost = next(f"ghost-{n}" for n in range(100) if home(twins, f"ghost-{n}") == 0).encode()
    hashes = {ghost: {"id": "s1", "name": "", "status": "ready"}}
    assert twins.store.apply(0, None, Update(watermark=b"odd", states={ghost: b"x"}, hashes=hashes))


# The population


def twice(twins: Twins) -> None:
    """A movement reaches the learner twice: I10."""
    topics = twins.settings.topics
    entries, _ = twins.broker.read(topics.learning, 0, 0, 1000)
    record = next(r for r in (LearningRecord.unpack(e.value or b"") for _, e in entries) if len(r.cells))
    twins.broker.append(Outgoing(topics.learning, 0, None, replace(record, held={1: 5}).pack()))


def noise(twins: Twins) -> None:
    twins.broker.append(Outgoing(twins.settings.topics.learning, 0, None, b"noise"))


def lost_rows(twins: Twins) -> None:
    """All snapshots but the first are gone, and most of the rows since then."""
    topics = twins.settings.topics
    _, end = twins.broker.bounds(topics.learning, 0)
    twins.broker.delete_before(topics.learning, 0, end - 1)
    twins.broker.append(Outgoing(topics.model, 0, b"0", models(twins)[0]))


def models(twins: Twins) -> list[bytes]:
    entries, _ = twins.broker.read(twins.settings.topics.model, 0, 0, 10_000)
    return [entry.value or b"" for _, entry in entries]


def newest(twins: Twins, tree: Tree | None = None) -> Learner:
    features = twins.service().features
    return Learner.from_record(models(twins)[-1], features, (tree or twins.settings).model)


@pytest.mark.parametrize("kind", ["cells", "kmeans"])
@pytest.mark.parametrize("damage", [twice, noise, lost_rows])
def test_sums_that_differ_are_counted_anew(kind: str, damage: Callable[[Twins], None]) -> None:
    twins = quiet_shop(settings(model={"kind": kind}))
    damage(twins)
    assert "cells" in failing(twins)
    before = newest(twins)
    assert before.snapshot is not None
    done = repaired(twins)
    assert done.ok
    committed = twins.broker.group(OWNER).offsets[twins.settings.topics.learning, 0]
    _, end = twins.broker.bounds(twins.settings.topics.learning, 0)
    assert committed.offset == end
    assert done.done[0].startswith("population: counted anew, ")
    assert done.done[0].endswith(f" published as model version {committed.note}")
    after = newest(twins)
    assert after.snapshot is not None
    assert (after.snapshot.version, after.snapshot.learning_offset) == (int(committed.note), end)
    assert after.snapshot.segments == before.snapshot.segments
    assert after.snapshot.epoch == before.snapshot.epoch
    assert twins.broker.group(OWNER).topics == {}


@pytest.mark.parametrize("damage", [twice, noise, lost_rows])
def test_life_goes_on_after_it(damage: Callable[[Twins], None]) -> None:
    events = list(Personas(PLAN))
    twins = Twins(settings())
    twins.send(events[: len(events) // 2])
    settle(twins)
    damage(twins)
    version = int(repaired(twins).done[0].rsplit(" ", 1)[1])
    twins.send(events[len(events) // 2 :])
    settle(twins)
    assert failing(twins) == {}
    assert newest(twins).snapshot.version > version  # type: ignore[union-attr]


def test_a_version_that_was_committed_and_cannot_be_read_is_not_given_again(shop: Twins) -> None:
    topics = shop.settings.topics
    group = shop.broker.group(OWNER)
    group.offsets[topics.learning, 0] = Committed(group.offsets[topics.learning, 0].offset, "70")
    twice(shop)
    assert repaired(shop).done[0].endswith("model version 71")


def test_a_damaged_view_and_other_sums_are_mended_together(shop: Twins) -> None:
    twice(shop)
    no_state(shop, moved_customer(shop))
    done = repaired(shop)
    assert (done.ok, len(done.done)) == (True, 2)
    settle(shop)
    assert failing(shop) == {}


@pytest.mark.parametrize("group", ["segstream", OWNER])
def test_sums_are_not_published_beside_a_running_service(shop: Twins, group: str) -> None:
    twice(shop)
    no_state(shop, moved_customer(shop))
    topics = shop.settings.topics
    source = MemorySource(shop.broker, topics.learning if group == OWNER else topics.events, group)
    source.poll(0.0)
    before = view(shop.store)
    with pytest.raises(SettingsError, match=f"'{group}' has 1 member; stop segstream first"):
        repaired(shop)
    assert view(shop.store) == before  # nor is anything else done


def test_an_owner_that_starts_meanwhile_is_not_raced(shop: Twins) -> None:
    """It joined after we had looked: the group gives us nothing, or fences us."""
    twice(shop)
    plain = backend(shop)
    asked: list[str] = []

    def members(group: str) -> int:
        asked.append(group)
        if len(asked) == 4:  # the last look before we join
            MemorySource(shop.broker, shop.settings.topics.learning, OWNER).poll(0.0)
            return 0
        return plain.members(group)

    with pytest.raises(BrokerUnavailable, match="does not let us in"):
        repaired(shop, replace(plain, members=members))


def test_before_there_is_a_model_there_is_nothing_to_publish() -> None:
    twins = quiet_shop(settings(model={"warmup_customers": 1000}))
    noise(twins)
    with pytest.raises(Disagreement, match="no good model yet"):
        repaired(twins)


def test_a_commit_behind_the_audited_journal_is_not_built_upon(shop: Twins) -> None:
    """A killed worker's last transaction: its offsets are told when it is finished, its journal a moment later."""
    twice(shop)
    offsets = shop.broker.group("segstream").offsets
    where, held = next((where, held) for where, held in offsets.items() if held.offset)
    offsets[where] = Committed(held.offset, str(int(held.note) + 1))
    with pytest.raises(Disagreement, match=f"partition {where[1]} was committed behind what was audited"):
        repaired(shop)


# What the journal cannot mend


def test_a_stream_that_is_not_quiet_is_left_alone(shop: Twins) -> None:
    no_state(shop, moved_customer(shop))
    before = view(shop.store)
    plain = backend(shop)

    class Growing:
        def __init__(self) -> None:
            self._tail, self._asked = plain.tail(), 0

        def bounds(self, topic: str, partition: int) -> tuple[int, int]:
            if topic == shop.settings.topics.learning:
                noise(shop)
            return self._tail.bounds(topic, partition)

        def __getattr__(self, name: str) -> object:
            return getattr(self._tail, name)

    with pytest.raises(Disagreement, match=r"nothing was repaired, .*segstream.learning:0 went from"):
        repaired(shop, replace(plain, tail=Growing))  # type: ignore[arg-type]
    assert view(shop.store) == before


def test_a_journal_with_faults_is_not_believed(shop: Twins) -> None:
    no_state(shop, moved_customer(shop))
    _, end = shop.broker.bounds(shop.settings.topics.journal, 0)
    shop.broker.delete_before(shop.settings.topics.journal, 0, end - 2)
    with pytest.raises(Disagreement, match=r"nothing was repaired, .*partition 0: the journal starts at"):
        repaired(shop)


def test_what_is_wrong_with_the_change_topic_stays_wrong_and_is_said(shop: Twins) -> None:
    customer = moved_customer(shop)
    topic, partition = shop.settings.topics.changes, home(shop, customer)
    entries, _ = shop.broker.read(topic, partition, 0, 10_000)
    value = next(entry.value for _, entry in entries if entry.key == customer.encode())
    shop.broker.append(Outgoing(topic, partition, customer.encode(), value))
    done = repaired(shop)
    assert (done.ok, list(done.done)) == (False, [])
    assert [part.check for part in done.parts if not part.holds] == ["versions"]
    assert audited(shop)["versions"].first == next(p.first for p in done.parts if not p.holds)
