"""What must hold afterwards, recomputed from the topics by other code than the service's. Nothing may be running.

The input log says which events each customer had. The states must have counted each of them once, in that order and to
the bit; documents must say what the formulas say; the journal must be one chain; changes must have no gap; the learner
must know exactly the population; the store must show all that and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import reference
from benchmarks.chaos.inputs import Inputs, read_inputs
from benchmarks.chaos.world import World, enumerate_values, read_world, values
from consumers.assembling import decode_rules
from consumers.auditing.redoing import Redoing, decided_again, state_differences
from consumers.source import Tail
from stream.contracts.changes import encode_change
from stream.contracts.events import Event
from stream.contracts.rejected import read_rejected
from stream.customer.contributions import contributions
from stream.customer.features import ACTIVITY, FeatureSet
from stream.customer.fold import add
from stream.customer.state import empty, unpack
from stream.decision.assign import Assigner
from stream.model.learner import Learner
from stream.model.snapshot_record import snapshot_of
from stream.settings import CustomerSettings, Tree
from stream.view.journal import NOTHING, JournalPart
from stream.view.reader import Reader

SHOWN = 5
"""Of each kind of breach so many are named."""


@dataclass(frozen=True)
class Verdict:
    """What was found. ``lost`` and ``repeated`` count events and changes."""

    events: int
    customers: int
    lost: int
    repeated: int
    features_equal: bool
    breaches: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all invariants hold."""
        return not (self.lost or self.repeated or self.breaches) and self.features_equal


def examine(settings: Tree, tail: Tail, reader: Reader, forged: Collection[int] = ()) -> Verdict:
    """Read everything and judge it. ``forged``: offsets of the model topic that are not the owner's."""
    world, inputs = read_world(settings, tail, reader, forged), read_inputs(settings, tail)
    events = inputs.by_customer()
    documents = {customer: reader.features(customer.encode()) for customer in events}
    looks = looks_of(world)
    lost, repeated = miscounted(events, looks)
    lost_changes, repeated_changes = misnumbered(world)
    features = [*unlike_formulas(settings.customers, events, documents), *unlike_fold(world, events)]
    breaches = [
        *(f"{len(features)} features differ: {what}" for what in features[:1]),
        *first(broken_chains(settings, tail)),
        *first(broken_world(world)),
        *first(misjudged(settings, tail, inputs)),
        *first(unordered_models(world, models_of(settings, tail, forged))),
        *first(misdecided(world, tail, forged)),
    ]
    return Verdict(
        events=inputs.records,
        customers=len(events),
        lost=lost + lost_changes,
        repeated=repeated + repeated_changes,
        features_equal=not features,
        breaches=tuple(breaches),
    )


def looks_of(world: World) -> dict[str, int]:
    """How many events each customer's newest journaled state has counted."""
    found: dict[str, int] = {}
    for states in world.journaled.values():
        rows, _ = unpack(world.features, list(states.values()))
        found.update(zip(states, rows["looks"].tolist(), strict=True))
    return found


def miscounted(events: Mapping[str, Sequence[Event]], looks: Mapping[str, int]) -> tuple[int, int]:
    """Events that were not counted, and such as were counted again.

    >>> miscounted({"ann": [1, 2, 3], "bob": [1]}, {"ann": 2, "bob": 2, "eve": 1})
    (1, 2)
    """
    names = {*events, *looks}
    differences = [looks.get(name, 0) - len(events.get(name, ())) for name in names]
    return -sum(d for d in differences if d < 0), sum(d for d in differences if d > 0)


def misnumbered(world: World) -> tuple[int, int]:
    """I2: changes that are missing between 1 and the newest of each customer, and such as came again."""
    versions = [[change.version for change in told] for told in world.changes.values()]
    return sum(max(v) - len(set(v)) for v in versions), sum(len(v) - len(set(v)) for v in versions)


def unlike_formulas(
    settings: CustomerSettings, events: Mapping[str, Sequence[Event]], documents: Mapping[str, dict[str, Any] | None]
) -> Iterator[str]:
    """I1: documents that do not say what the declared formulas make of the input log."""
    for customer, mine in events.items():
        document = documents[customer]
        if document is None:
            yield f"{customer} has no document"
            continue
        expected = reference.natural(settings, mine, document["as_of"])
        found = document["features"]
        for name, value in expected.items():
            if not math.isclose(found[name], value, rel_tol=1e-9, abs_tol=1e-12):
                yield f"{customer}.{name} is {found[name]!r} and should be {value!r}"


def unlike_fold(world: World, events: Mapping[str, Sequence[Event]]) -> Iterator[str]:
    """I1: accumulators that are not, to the bit, what adding the log's events one by one gives."""
    for partition, states in world.journaled.items():
        rows, _ = unpack(world.features, list(states.values()))
        for customer, row in zip(states, rows, strict=True):
            expected = folded(world.features, events.get(customer, ()))
            if any(row[name].tobytes() != expected[name].tobytes() for name in ("sums", "first_at", "newest_at")):
                yield f"accumulators of {customer} in partition {partition}"


def folded(features: FeatureSet, events: Sequence[Event]) -> Any:
    """A row to which the events were added one after the other."""
    rows = empty(features, 1)
    for one, x in zip(events, contributions(features, events), strict=True):
        at, active = np.array([one.occurred_at_ms]), np.array([x[ACTIVITY] > 0])
        add(rows, x[None], at, active, features.settings.half_life_ms)
    return rows[0]


def broken_chains(settings: Tree, tail: Tail) -> Iterator[str]:
    """I6: the journal of each partition is one chain of batches, each starting where the one before ended."""
    for partition in range(settings.topics.partitions):
        records = enumerate_values(tail, settings.topics.journal, partition)
        parts = [(offset, JournalPart.unpack(value)) for offset, value in records]
        yield from (f"partition {partition}: {what}" for what in broken_chain(parts))


def broken_chain(parts: Iterable[tuple[int, JournalPart]]) -> Iterator[str]:
    """Breaks of one partition's chain."""
    at, sequence, newest = 0, 0, NOTHING
    for offset, part in parts:
        if part.part == 0 and part.start != at:
            yield f"the batch at {offset} starts at input {part.start}, the one before ended at {at}"
        if part.previous != newest:
            yield f"the batch at {offset} follows {part.previous}, the newest was {newest}"
        if part.mark.sequence != sequence + 1:
            yield f"batch {sequence + 1} is followed by {part.mark.sequence}"
        if part.is_last:
            at, sequence, newest = part.mark.next, part.mark.sequence, offset


def broken_world(world: World) -> Iterator[str]:
    """I2, I4, I10 and the public hashes."""
    checks: tuple[Callable[[], None], ...] = (
        world.check_versions,
        world.check_view,
        world.check_hashes,
        world.check_population,
    )
    for check in checks:
        try:
            check()
        except AssertionError as error:
            yield f"{check.__name__.removeprefix('check_')} {error}".strip()


def misjudged(settings: Tree, tail: Tail, inputs: Inputs) -> Iterator[str]:
    """I5: what is not an event is on the rejected topic exactly once, and nothing else is."""
    refused: list[tuple[int, int]] = []
    for partition in range(settings.topics.partitions):
        refused += [rejected_at(record.headers) for record in read_all(tail, settings.topics.rejected, partition)]
    yield from (f"rejected {refused.count(at)} times: {at}" for at in set(refused) if refused.count(at) > 1)
    yield from (f"not rejected: {at}" for at in inputs.damaged - set(refused))
    yield from (f"wrongly rejected: {at}" for at in set(refused) - inputs.damaged)


def rejected_at(headers: Iterable[tuple[str, bytes]]) -> tuple[int, int]:
    """Where a rejected record was."""
    said = read_rejected(headers)
    return said.partition, said.offset


def read_all(tail: Tail, topic: str, partition: int) -> list[Any]:
    """Every committed record of a partition."""
    found: list[Any] = []
    offset, end = tail.bounds(topic, partition)
    while offset < end:
        records, after = tail.read(topic, partition, offset, 5.0)
        if after == offset:
            break
        found += records
        offset = after
    return found


def models_of(settings: Tree, tail: Tail, forged: Collection[int]) -> list[Any]:
    """The owner's records of the model topic."""
    return [record for record in read_all(tail, settings.topics.model, 0) if record.offset not in forged]


def unordered_models(world: World, records: Sequence[Any]) -> Iterator[str]:
    """I7: every snapshot one version further, and its learning offset never behind the one before."""
    before = (0, 0)
    for record in records:
        snapshot = Learner.from_record(record.value, world.features, world.settings.model).snapshot
        now = (snapshot.version, snapshot.learning_offset) if snapshot else (0, 0)
        if now[0] != before[0] + 1 or now[1] < before[1]:
            yield f"model {now[0]} up to {now[1]} follows model {before[0]} up to {before[1]}"
        before = now


def misdecided(world: World, tail: Tail, forged: Collection[int]) -> Iterator[str]:
    """I3: every batch, decided again by itself with the model it had, gives the states that were journaled; and all of
    them together exactly the changes that were published, in their order and to the byte.
    """
    settings, features = world.settings, world.features
    snapshots = [snapshot_of(record.value, features.features_id, 0) for record in models_of(settings, tail, forged)]
    models = {snapshot.version: Assigner(snapshot) for snapshot in snapshots}
    for partition in range(settings.topics.partitions):
        told: list[bytes] = []
        redoing = Redoing(settings, features, partition, decode_rules(settings, settings.topics.partitions), models.get)
        for batch, redone in decided_again(redoing, tail):
            if redone is None:
                yield f"partition {partition}, batch {batch.mark.sequence} cannot be decided again"
                continue
            yield from (f"partition {partition}, {what}" for what in state_differences(batch, redone))
            told += map(encode_change, redone.changes)
        published = values(tail, settings.topics.changes, partition)
        differing = sum(a != b for a, b in zip(told, published, strict=False)) + abs(len(told) - len(published))
        if differing:
            yield f"partition {partition}: {differing} of {len(published)} changes are not those that are due"


def first(breaches: Iterator[str]) -> list[str]:
    """Some of them, and how many more there are.

    >>> first(iter("abcdefgh"))
    ['a', 'b', 'c', 'd', 'e', 'and 3 more']
    """
    found = list(breaches)
    return found[:SHOWN] + ([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])
