"""One migration, from the first refusal to the last batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from consumers.build import Backend, identity_of
from consumers.chain import Chain
from consumers.following import read_between
from consumers.migrating.journals import NewJournals
from consumers.migrating.moving import loads, refuse_misplaced, start_of
from consumers.migrating.target import Target
from consumers.restoring import UNFINISHED, Identity
from consumers.source import SETTLED_SECONDS, Record, Tail
from consumers.standstill import refuse_running, refuse_unread
from producers.sink import Committed, Outgoing, Sink
from stream.contracts.changes import COPIED
from stream.errors import BrokerUnavailable, CommitFailed, Disagreement, SettingsError
from stream.settings import TopicSettings, Tree
from stream.view.journal import Mark

Say = Callable[[str], None]


@dataclass(frozen=True)
class Moved:
    """What a migration did."""

    customers: int
    changes: int
    """Newest changes that were written to the new change topic."""
    by_partition: tuple[int, ...]
    """Customers of each new partition."""


def migrate(settings: Tree, backend: Backend, target: Target, say: Say) -> Moved:
    """Write everybody into the new topics, and forget the view: the next worker fills it from there.

    Raises ``SettingsError`` and ``Disagreement`` where a person has to do something first. Until it returns, the old
    topics hold and nothing is lost; an interrupted one is run again with another suffix.
    """
    refuse_running(backend.members, settings.kafka)
    _refuse_other_count(backend, target.old)
    with ExitStack() as stack:
        tail = stack.enter_context(closing(backend.tail()))
        sink = stack.enter_context(closing(backend.sink(f"{settings.kafka.transactional_id}-migrate")))
        migration = _Migration(settings, backend, target, tail, sink, say)
        committed = migration.committed()
        backend.create(target.wanted)
        _refuse_used(tail, target)
        try:
            return migration.run(committed)
        except (BrokerUnavailable, CommitFailed) as error:
            raise BrokerUnavailable(
                f"the migration was interrupted, the old topics still hold; run it again with another --suffix: {error}"
            ) from error


def _refuse_other_count(backend: Backend, old: TopicSettings) -> None:
    _, count = backend.identity(old.events)
    if count != old.partitions:
        raise SettingsError(f"topics.partitions: {old.partitions}, but '{old.events}' has {count}; say {count}")


def _refuse_used(tail: Tail, target: Target) -> None:
    """A chain has one beginning, and what an interrupted migration wrote is not continued."""
    for topic in (target.new.journal, target.new.changes):
        if any(tail.bounds(topic, partition)[1] for partition in range(target.new.partitions)):
            raise SettingsError(
                f"--suffix: '{topic}' is not empty; choose another suffix, or delete the topics of an interrupted "
                "migration"
            )


class _Migration:
    """Reads one old partition at a time, so that its customers must fit into memory, as in a restore."""

    def __init__(self, settings: Tree, backend: Backend, target: Target, tail: Tail, sink: Sink, say: Say) -> None:
        self._settings, self._backend, self._target = settings, backend, target
        self._tail, self._sink, self._say = tail, sink, say
        self._old = identity_of(settings, backend)
        self._journals = NewJournals(sink, target.new.journal, target.new.partitions)

    def run(self, committed: Mapping[int, Committed | None]) -> Moved:
        """All of it, into new and empty topics."""
        ends = self._ends()
        new = identity_of(self._settings.model_copy(update={"topics": self._target.new}), self._backend)
        unfinished = self._heads([], replace(new, topic_id=UNFINISHED))
        self._journals.write_all(unfinished)
        marks, changes = [], 0
        for partition in range(self._old.partitions):
            mark = self._move_states(partition, committed[partition], unfinished)
            marks += [] if mark is None else [mark]
            changes += self._copy_changes(partition)
        if self._ends() != ends:
            raise Disagreement(
                f"'{self._target.old.events}' or its journal grew during the migration; stop producers and segstream, "
                "and run it again with another --suffix"
            )
        refuse_running(self._backend.members, self._settings.kafka)
        # Before the end: if the store refuses, nothing has happened yet, and the old topics can fill it as well.
        self._forget_view()
        self._journals.write_all(self._heads(marks, new))
        return Moved(sum(self._journals.customers), changes, tuple(self._journals.customers))

    def committed(self) -> Mapping[int, Committed | None]:
        """Where the workers' group stands, once no transaction of a dead worker is open."""
        topic = self._target.old.events
        with closing(self._backend.source(topic, self._settings.kafka.group)) as source:
            found = source.committed(range(self._old.partitions))
        for partition, committed in found.items():
            if committed is not None:
                refuse_unread(self._tail, topic, partition, committed.offset)
        return found

    def _move_states(self, partition: int, committed: Committed | None, heads: list[Mark]) -> Mark | None:
        """Write a partition's customers to where they belong; return where it stood, ``None`` if it never began."""
        topics, clocks = self._target.old, self._backend.clocks
        chain = Chain(self._tail, topics.journal, partition, SETTLED_SECONDS, clocks.now_seconds)
        followed = chain.follow(None, committed)
        if followed.mark is None:
            refuse_unread(self._tail, topics.events, partition, self._tail.bounds(topics.events, partition)[0])
            return None
        self._old.refuse_other(followed.mark)
        refuse_unread(self._tail, topics.events, partition, followed.mark.next)
        states = {customer.encode(): state for customer, state in followed.states.items()}
        refuse_misplaced(states, partition, self._old.partitions)
        sizes = {customer: len(state) for customer, state in states.items()}
        for load in loads(sizes, self._target.new.partitions):
            self._journals.write(heads, {p: {c.decode(): states[c] for c in mine} for p, mine in load.items()})
        self._say(f"partition {partition}: {len(states):,} customers")
        return followed.mark

    def _copy_changes(self, partition: int) -> int:
        """Write each customer's newest change again, so that the new change topic tells the segment of everybody."""
        newest = _newest(self._tail, self._target.old.changes, partition)
        sizes = {key: len(record.value or b"") for key, record in newest.items()}
        for load in loads(sizes, self._target.new.partitions):
            self._sink.commit(list(self._copies(newest, load)), None)
        return len(newest)

    def _copies(self, newest: Mapping[bytes, Record], load: Mapping[int, list[bytes]]) -> Iterator[Outgoing]:
        for partition, keys in load.items():
            for key in keys:
                record = newest[key]
                headers = (*(header for header in record.headers if header != COPIED), COPIED)
                yield Outgoing(self._target.new.changes, partition, key, record.value, headers)

    def _forget_view(self) -> None:
        """Its watermarks are of the old topics. Public keys stay, and stay true, until the restore writes them."""
        with closing(self._backend.store()) as store:
            for partition in range(max(self._old.partitions, self._target.new.partitions)):
                store.wipe(partition)
                store.publish_status(partition, None)

    def _heads(self, marks: Sequence[Mark], identity: Identity) -> list[Mark]:
        events, partitions = self._target.new.events, range(self._target.new.partitions)
        return [start_of(marks, identity, self._tail.bounds(events, partition)[0]) for partition in partitions]

    def _ends(self) -> list[int]:
        topics = (self._target.old.events, self._target.old.journal)
        return [self._tail.bounds(topic, p)[1] for topic in topics for p in range(self._old.partitions)]


def _newest(tail: Tail, topic: str, partition: int) -> dict[bytes, Record]:
    """The newest record of every key; none of those that ended with a tombstone."""
    first, end = tail.bounds(topic, partition)
    newest = {r.key: r for r in read_between(tail, topic, partition, first, end) if r.key is not None}
    return {key: record for key, record in newest.items() if record.value is not None}
