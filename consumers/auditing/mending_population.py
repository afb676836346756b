"""Mending the population: the learner's sums are counted anew and published as the next version of the same model."""

from __future__ import annotations

from contextlib import closing

from consumers.auditing.journaled import read_journal
from consumers.auditing.population import relearnt
from consumers.auditing.rebuilding import Recount, rebuilt, renewed
from consumers.auditing.run import Examined
from consumers.build import Backend
from consumers.source import Poll, Source, Tail
from consumers.standstill import refuse_running
from consumers.takeover import LEARNING, note_of, owner_group, owner_id, slot_of
from producers.sink import Committed, Offsets, Outgoing
from stream.customer.features import FeatureSet
from stream.errors import BrokerUnavailable, Disagreement
from stream.model.state import pack_state
from stream.settings import Tree

_JOINS = 100
"""Polls within which an otherwise empty group must have let us in."""


def mend_population(settings: Tree, backend: Backend, tail: Tail, examined: Examined) -> list[str]:
    """Publish the model with the sums of the journaled states at the end of a quiet stream; says what was done.

    Goes through the owner's group, as every snapshot does: an owner that starts meanwhile fences this, or waits for
    it. Raises ``SettingsError`` while the service runs, ``Disagreement`` where nothing can be published.
    """
    refuse_running(backend.members, settings.kafka)
    features, topics = FeatureSet(settings.customers), settings.topics
    # The sink comes first: it ends what a dead owner left open. Then the cut, of what is committed by then.
    with (
        closing(backend.sink(owner_id(settings.kafka))) as sink,
        closing(backend.source(topics.learning, owner_group(settings.kafka))) as source,
    ):
        poll = _joined(source, settings.kafka.poll_timeout_seconds)
        _refuse_unfinished(settings, backend, examined)
        cut = tail.bounds(topics.learning, LEARNING)[1]
        journaled = (read_journal(features, tail, topics.journal, partition) for partition in sorted(examined.marks))
        recount = Recount.of(features, (one.rows for one in journaled))
        learner, _ = relearnt(topics, features, settings.model, tail)
        if learner.snapshot is None:
            raise Disagreement(
                "cells differ, and there is no good model yet that could carry them: repeat the repair when there is"
            )
        committed = source.committed([LEARNING])[LEARNING]
        version = 1 + max(learner.snapshot.version, _noted(committed))
        state = rebuilt(learner.state, recount)
        snapshot = renewed(learner.snapshot, state.population.cells, version, cut)
        record = Outgoing(topics.model, 0, slot_of(snapshot), pack_state(state, snapshot))
        offsets = Offsets(topics.learning, {LEARNING: cut}, poll.membership, {LEARNING: note_of(snapshot)})
        sink.commit([record], offsets)
    counted = f"{recount.census.customers:,} customers in {len(recount.census.cells)} cells"
    return [f"population: counted anew, {counted}, and published as model version {version}"]


def _joined(source: Source, wait_seconds: float) -> Poll:
    for _ in range(_JOINS):
        poll = source.poll(wait_seconds)
        if LEARNING in poll.assigned and poll.membership.is_valid:
            return poll
    raise BrokerUnavailable("the group of the model owner does not let us in: stop its other members")


def _refuse_unfinished(settings: Tree, backend: Backend, examined: Examined) -> None:
    """A killed worker's last transaction may be committed and still hidden: then the journal is not at its end."""
    with closing(backend.source(settings.topics.events, settings.kafka.group)) as source:
        found = source.committed(sorted(examined.marks))
    for partition, committed in found.items():
        mark = examined.marks[partition]
        known = () if mark is None else (Committed(mark.next, str(mark.sequence)), Committed(mark.next))
        if committed is not None and committed not in known:
            raise Disagreement(f"partition {partition} was committed behind what was audited: repeat the repair")


def _noted(committed: Committed | None) -> int:
    """Version of the newest model that was committed, whether it can be read or not."""
    return int(committed.note) if committed is not None and committed.note.isdecimal() else 0
