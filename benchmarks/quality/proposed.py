"""Proposals: does what a person is shown before accepting a regrouping happen to the customers after it?

Shown are two matrices: one estimated from the model's cells, and on demand one of every customer (``foretelling``).

A life in which large regroupings wait, and the analyst says yes to each at once. No time passes and no event comes
between the model that follows and the end of its sweep, so every change of that time is the regrouping's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.quality.data import Data
from consumers.foretelling import foretold
from consumers.lockstep import Lockstep
from consumers.twins import Twins, drain
from producers.orders import Encoded
from producers.sink import Outgoing
from stream.contracts.changes import SegmentChange
from stream.contracts.commands import KEY, Command, encode_command
from stream.contracts.timestamps import rfc3339
from stream.customer.features import FeatureSet
from stream.customer.state import segment_id
from stream.model.proposals import Flows, Waiting
from stream.model.state import unpack_state
from stream.settings import Tree

NEXT = 50
"""Events of the batch with which the owner hears the word: so few that hardly anybody is somewhere else by them."""

Matrix = Counter[tuple[str, str]]
"""Customers by the ids of the segments that they leave and enter."""


@dataclass(frozen=True)
class Accepted:
    """One proposal: what was foretold, and what the sweep told."""

    foretold: Flows
    """From every customer."""
    by_cells: Flows
    emitted: Matrix


def proposal(data: Data, settings: Tree) -> dict[str, Any]:
    """All proposals of a life together."""
    asking = settings.model_copy(update={"model": settings.model.model_copy(update={"regroup": "propose"})})
    return {"proposal": summed(accepted(data, asking))}


def summed(found: Sequence[Accepted]) -> dict[str, Any]:
    """Shares of the customers that hold a segment; differences as shares of those who moved."""
    emitted, customers = sum(one.emitted.total() for one in found), sum(_everybody(one.foretold) for one in found)
    if not emitted:
        return {"accepted": len(found)}
    by_cells = sum(_everybody(one.by_cells) for one in found)
    return {
        "accepted": len(found),
        "customers_moved": emitted,
        "foretold": sum(_matrix(one.foretold).total() for one in found) / customers,
        "emitted": emitted / customers,
        "difference": sum(_difference(_matrix(one.foretold), one.emitted) for one in found) / emitted,
        "foretold_by_cells": sum(_matrix(one.by_cells).total() for one in found) / by_cells,
        "difference_by_cells": sum(_difference(_matrix(one.by_cells), one.emitted) for one in found) / emitted,
    }


def accepted(data: Data, settings: Tree) -> list[Accepted]:
    """Live through the data, in batches as one poll takes them, and accept whatever is proposed."""
    batch = settings.kafka.max_poll_records
    twins = Twins(settings)
    lockstep, found, start = twins.lockstep(), [], 0
    drain(lockstep.run_once)
    while start < len(data.events):
        twins.send(data.events[start : start + batch])
        drain(lockstep.run_once, idle_rounds=1)
        start += batch
        waiting = _waiting(twins)
        if waiting is not None and start < len(data.events):
            found.append(_accept(twins, lockstep, waiting, data.events[start : start + NEXT]))
            start += NEXT
    lockstep.close()
    return found


def _accept(twins: Twins, lockstep: Lockstep, waiting: Waiting, events: Iterable[Encoded]) -> Accepted:
    """Say yes; the owner hears it with the next few events, and a sweep follows."""
    said = Command("accept", rfc3339(round(twins.wall.now() * 1000)), version=waiting.version)
    twins.broker.append(Outgoing(twins.settings.topics.learning, 0, KEY, encode_command(said)))
    features, partitions = FeatureSet(twins.settings.customers), twins.settings.topics.partitions
    exactly = foretold(twins.settings, features, twins.store.reader, _newest(twins), range(partitions))
    twins.send(events)
    swept = [done.step for done in drain(lockstep.run_once) if done.step is not None and not done.records]
    moved = [change for step in swept for _, change in step.changes if _has_moved(change)]
    return Accepted(exactly, waiting.flows, Counter(map(_place, moved)))


def _newest(twins: Twins) -> bytes:
    """The owner's newest record, empty before there is one. Behind it is the marker of its transaction."""
    topic = twins.settings.topics.model
    records, _ = twins.broker.read(topic, 0, max(0, twins.broker.bounds(topic, 0)[1] - 2), 2)
    return records[-1][1].value or b"" if records else b""


def _waiting(twins: Twins) -> Waiting | None:
    record = _newest(twins)
    return unpack_state(record, twins.settings.model).docket.waiting if record else None


def _difference(foretold: Matrix, emitted: Matrix) -> int:
    """By how many customers two matrices differ, all places together."""
    return sum(abs(foretold[place] - emitted[place]) for place in foretold | emitted)


def _matrix(flows: Flows) -> Matrix:
    moves = {(a, b): n for a, row in flows.items() for b, n in row.items() if a != b and n}
    return Counter({(segment_id(a), segment_id(b)): n for (a, b), n in moves.items()})


def _everybody(flows: Flows) -> int:
    return sum(sum(row.values()) for row in flows.values())


def _has_moved(change: SegmentChange) -> bool:
    before, now = change.previous, change.current
    return before is not None and now is not None and bool(before.id) and before.id != now.id


def _place(change: SegmentChange) -> tuple[str, str]:
    assert change.previous is not None
    assert change.current is not None
    return change.previous.id, change.current.id
