"""A finished world, read from outside: what the topics and the store say, and whether they agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from consumers.following import read_between
from consumers.source import Tail
from stream.contracts.changes import SegmentChange, decode_change
from stream.contracts.commands import KEY as COMMAND
from stream.customer.features import FeatureSet
from stream.customer.holdings import holdings
from stream.customer.state import unpack
from stream.customer.tenure import tenures
from stream.model.learner import Learner
from stream.model.learning import LearningRecord
from stream.model.snapshot import OUT
from stream.model.sums import Sums
from stream.settings import Tree
from stream.view.journal import JournalPart, Mark
from stream.view.public import feature_documents, segment_hashes
from stream.view.reader import Reader


@dataclass
class World:
    """Everything a run left behind, read_committed."""

    settings: Tree
    features: FeatureSet
    changes: dict[str, list[SegmentChange]]
    journaled: dict[int, dict[str, bytes]]
    marks: dict[int, Mark]
    viewed: dict[int, dict[str, bytes]]
    watermarks: dict[int, bytes | None]
    hashes: dict[str, dict[str, str]]
    documents: dict[str, bytes | None] = field(default_factory=dict)
    learner: Learner | None = None

    @property
    def accumulators(self) -> dict[str, bytes]:
        """The bits of every customer's accumulators."""
        bits = {}
        for states in self.journaled.values():
            rows, _ = unpack(self.features, list(states.values()))
            for customer, row in zip(states, rows, strict=True):
                bits[customer] = b"".join(row[name].tobytes() for name in ("sums", "first_at", "newest_at", "looks"))
        return bits

    def check(self) -> None:
        """I2, I4, I10, and that the public hash says what was last told."""
        self.check_versions()
        self.check_view()
        self.check_hashes()
        self.check_population()

    def check_versions(self) -> None:
        """I2: versions 1..n without gap or repeat, each change starting where the one before ended."""
        for customer, told in self.changes.items():
            assert [c.version for c in told] == list(range(1, len(told) + 1)), customer
            for before, after in pairwise(told):
                ended = before.current and (before.current.id, before.current.status)
                assert ended == (after.previous and (after.previous.id, after.previous.status)), customer

    def check_view(self) -> None:
        """I4: the store holds the newest journaled state of everybody, and its watermark says so."""
        for partition, states in self.journaled.items():
            assert self.viewed[partition] == states
            assert self.watermarks[partition] == self.marks[partition].to_bytes()

    def check_hashes(self) -> None:
        """Every customer's public hash is its last change."""
        assert set(self.hashes) == {c for c, told in self.changes.items() if told[-1].current is not None}
        for customer, fields in self.hashes.items():
            last = self.changes[customer][-1]
            assert last.current is not None
            told = (last.current.id, last.current.status.value, str(last.version), last.cause.value)
            assert (fields["id"], fields["status"], fields["version"], fields["cause"]) == told

    def check_population(self) -> None:
        """I10: per cell, (n, sum y, sum y^2) of the learner equal those over the journaled states; held counts too."""
        rows, _ = unpack(self.features, [blob for states in self.journaled.values() for blob in states.values()])
        inside = rows[rows["cell"] != OUT]
        assert self.learner is not None
        population = self.learner.state.population
        cells = np.unique(inside["cell"])
        for cell in cells.tolist():
            mine = inside[inside["cell"] == cell]["y"]
            ones = np.ones(len(mine), dtype=np.int64)
            expected = Sums.of(mine, ones, np.zeros(len(mine), dtype=np.int64), 1)
            if cell == 0:
                found = population.nursery.total
            else:
                row = population.cells.ids == cell
                found = population.cells.sums[row]
            for name in ("n", "sums", "squares"):
                assert np.array_equal(getattr(found, name), getattr(expected, name)), (cell, name)
        assert int(population.total.n[0]) == len(inside)
        held = rows[rows["segment"] > 0]["segment"]
        assert self.learner.state.held == {int(s): int((held == s).sum()) for s in np.unique(held)}
        assert self.learner.state.holdings == holdings(self.features, rows)
        assert self.learner.state.tenures == tenures(rows)

    def check_documents(self) -> None:
        """Public keys are pure functions of the state."""
        for states in self.viewed.values():
            rows, _ = unpack(self.features, list(states.values()))
            for customer, document in zip(states, feature_documents(self.features, rows), strict=True):
                assert self.documents[customer] == document
            assert len(segment_hashes(rows, {})) == len(rows)


def read_world(settings: Tree, tail: Tail, reader: Reader, forged: Collection[int] = ()) -> World:
    """Read it. Nothing may be running. ``forged``: offsets of the model topic that are not the owner's."""
    features, topics = FeatureSet(settings.customers), settings.topics
    changes: dict[str, list[SegmentChange]] = defaultdict(list)
    journaled: dict[int, dict[str, bytes]] = {}
    marks: dict[int, Mark] = {}
    for partition in range(topics.partitions):
        for value in values(tail, topics.changes, partition):
            change = decode_change(value)
            changes[change.customer_id].append(change)
        journaled[partition] = {}
        for offset, value in enumerate_values(tail, topics.journal, partition):
            part = JournalPart.unpack(value)
            journaled[partition].update(part.states)
            marks[partition] = Mark(**{**part.mark.__dict__, "journal": offset})
    return World(
        settings,
        features,
        dict(changes),
        journaled,
        marks,
        {p: {c.decode(): blob for c, blob in reader.states(p)} for p in range(topics.partitions)},
        {p: reader.watermark(p) for p in range(topics.partitions)},
        {c.decode(): fields for c, fields in reader.customers()},
        learner=_learner(settings, features, tail, forged),
    )


def _learner(settings: Tree, features: FeatureSet, tail: Tail, forged: Collection[int]) -> Learner:
    """The owner's state at the end of the learning topic, by our own reading of the topics."""
    models = [value for offset, value in enumerate_values(tail, settings.topics.model, 0) if offset not in forged]
    learner = Learner.from_record(models[-1], features, settings.model) if models else Learner(features, settings.model)
    start = learner.snapshot.learning_offset if learner.snapshot else 0
    first, end = tail.bounds(settings.topics.learning, 0)
    for record in read_between(tail, settings.topics.learning, 0, max(first, start), end):
        if record.key != COMMAND:
            learner.learn(LearningRecord.unpack(record.value or b""))
    return learner


def values(tail: Tail, topic: str, partition: int) -> list[bytes]:
    """Every committed value of a partition."""
    return [value for _, value in enumerate_values(tail, topic, partition)]


def enumerate_values(tail: Tail, topic: str, partition: int) -> list[tuple[int, bytes]]:
    """Every committed value of a partition with its offset."""
    found: list[tuple[int, bytes]] = []
    offset, end = tail.bounds(topic, partition)
    while offset < end:
        records, after = tail.read(topic, partition, offset, 5.0)
        assert after > offset, f"{topic} does not go on at {offset}"
        found += [(r.offset, r.value) for r in records if r.value is not None]
        offset = after
    return found


def causes(world: World) -> Mapping[str, int]:
    """Changes by cause."""
    counted: dict[str, int] = defaultdict(int)
    for told in world.changes.values():
        for change in told:
            counted[change.cause.value] += 1
    return counted


def same_accumulators(worlds: Iterable[World]) -> bool:
    """Whether all worlds have the same customers with the same bits."""
    every: Sequence[dict[str, bytes]] = [world.accumulators for world in worlds]
    return all(bits == every[0] for bits in every)
