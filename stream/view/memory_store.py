"""The in-memory twin of the store and its reader: for tests and one process; the semantics are Redis's."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from stream.view.reader import Reader
from stream.view.store import Loaded, Store, Update, Wanted

K = TypeVar("K")
V = TypeVar("V")


class _SortedSet:
    """Members by (score, name), as in Redis.

    >>> members = _SortedSet()
    >>> for name, score in ((b"ann", 7), (b"bob", 5), (b"ann", 4)):
    ...     members.put(name, score)
    >>> members.below(5, limit=10), members.below(6, limit=1), members.below(6, limit=2)
    ([b'ann'], [b'ann'], [b'ann', b'bob'])
    """

    def __init__(self) -> None:
        self._scores: dict[bytes, int] = {}
        self._order: list[tuple[int, bytes]] = []

    def put(self, member: bytes, score: int) -> None:
        if self._scores.get(member) != score:
            self.drop(member)
            self._scores[member] = score
            insort(self._order, (score, member))

    def drop(self, member: bytes) -> None:
        score = self._scores.pop(member, None)
        if score is not None:
            del self._order[bisect_left(self._order, (score, member))]

    def below(self, score: int, limit: int) -> list[bytes]:
        end = bisect_left(self._order, (score, b""))
        return [member for _, member in self._order[: min(end, limit)]]

    def after(self, member: bytes, limit: int) -> list[bytes]:
        """The next members in name order, of a set whose scores are all 0; ``b""`` = from the first."""
        start = bisect_right(self._order, (0, member)) if member else 0
        return [name for _, name in self._order[start : start + limit]]


@dataclass
class _Partition:
    """The private keys of one partition."""

    watermark: bytes | None = None
    states: dict[bytes, bytes] = field(default_factory=dict)
    deadlines: _SortedSet = field(default_factory=_SortedSet)
    customers: _SortedSet = field(default_factory=_SortedSet)

    def load(self, wanted: Wanted) -> Loaded:
        before_ms = wanted.due_before_ms
        due = [] if before_ms is None else self.deadlines.below(before_ms, wanted.due_limit)
        sweep = self.customers.after(wanted.sweep_after, wanted.sweep_limit)
        names = dict.fromkeys((*wanted.customers, *due, *sweep))
        states = {customer: self.states[customer] for customer in names if customer in self.states}
        return Loaded(self.watermark, states, due, sweep)

    def apply(self, update: Update) -> None:
        self.watermark = update.watermark
        self.states.update(update.states)
        for customer in update.states:
            self.customers.put(customer, 0)
        for customer, deadline_ms in update.deadlines.items():
            if deadline_ms is None:
                self.deadlines.drop(customer)
            else:
                self.deadlines.put(customer, deadline_ms)
        for customer in update.forgotten:
            self.states.pop(customer, None)
            self.deadlines.drop(customer)
            self.customers.drop(customer)


@dataclass
class _Public:
    """The keys that applications read."""

    hashes: dict[bytes, dict[str, str]] = field(default_factory=dict)
    documents: dict[bytes, bytes] = field(default_factory=dict)
    profiles: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[int, str] = field(default_factory=dict)

    def apply(self, update: Update) -> None:
        for customer, fields in update.hashes.items():
            _put(self.hashes, customer, dict(fields) if fields else None)
        for customer, document in update.documents.items():
            _put(self.documents, customer, document)
        for customer in update.forgotten:
            _put(self.hashes, customer, None)
            _put(self.documents, customer, None)


Backup = tuple[dict[int, _Partition], _Public]


class MemoryStore(Store):
    """A ``Store`` in memory. Workers in threads may share one, as processes share a Redis."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.lose()

    def lose(self) -> None:
        """Forget everything: what a restart without persistence does to Redis."""
        with self._lock:
            self._partitions: dict[int, _Partition] = {}
            self._public = _Public()

    def backup(self) -> Backup:
        """Everything as it is now; for ``go_back``."""
        with self._lock:
            return deepcopy((self._partitions, self._public))

    def go_back(self, backup: Backup) -> None:
        """Be as it was then: what a failover to a replica that lagged does."""
        with self._lock:
            self._partitions, self._public = deepcopy(backup)

    def lose_watermark(self, partition: int) -> None:
        """Forget how far a partition is, and nothing else: what somebody who deletes a key does."""
        with self._lock:
            if partition in self._partitions:
                self._partitions[partition].watermark = None

    @property
    def reader(self) -> MemoryReader:
        """Reads this store."""
        return MemoryReader(self)

    def load(self, wanted: Mapping[int, Wanted]) -> dict[int, Loaded]:
        """See ``Store.load``."""
        with self._lock:
            return {p: self._partitions.get(p, _Partition()).load(asked) for p, asked in wanted.items()}

    def apply(self, partition: int, expected: bytes | None, update: Update) -> bool:
        """See ``Store.apply``."""
        with self._lock:
            held = self._partitions.get(partition, _Partition())
            if held.watermark != expected:
                return False
            held.apply(update)
            self._partitions[partition] = held
            self._public.apply(update)
            return True

    def wipe(self, partition: int) -> None:
        """See ``Store.wipe``."""
        with self._lock:
            self._partitions.pop(partition, None)

    def publish_segments(self, profiles: Mapping[str, bytes]) -> None:
        """See ``Store.publish_segments``."""
        self._public.profiles = dict(profiles)

    def publish_status(self, partition: int, status: str | None) -> None:
        """See ``Store.publish_status``."""
        _put(self._public.statuses, partition, status)

    def close(self) -> None:
        """Nothing to release: the next worker finds everything as it was."""


class MemoryReader(Reader):
    """A ``Reader`` of a ``MemoryStore``. A listing is of the moment it began."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def segment(self, customer: bytes) -> dict[str, str] | None:
        """See ``Reader.segment``."""
        fields = self._store._public.hashes.get(customer)
        return fields and dict(fields)

    def features(self, customer: bytes) -> dict[str, Any] | None:
        """See ``Reader.features``."""
        document = self._store._public.documents.get(customer)
        return None if document is None else json.loads(document)

    def segments(self) -> dict[str, dict[str, Any]]:
        """See ``Reader.segments``."""
        return {segment: json.loads(profile) for segment, profile in self._store._public.profiles.items()}

    def customers(self, segment: str | None = None) -> Iterator[tuple[bytes, dict[str, str]]]:
        """See ``Reader.customers``."""
        with self._store._lock:
            rows = [(customer, dict(fields)) for customer, fields in self._store._public.hashes.items()]
        return ((c, fields) for c, fields in rows if segment is None or fields.get("id") == segment)

    def state(self, partition: int, customer: bytes) -> bytes | None:
        """See ``Reader.state``."""
        return self._partition(partition).states.get(customer)

    def states(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """See ``Reader.states``."""
        with self._store._lock:
            return iter(sorted(self._partition(partition).states.items()))

    def watermark(self, partition: int) -> bytes | None:
        """See ``Reader.watermark``."""
        return self._partition(partition).watermark

    def status(self, partition: int) -> str | None:
        """See ``Reader.status``."""
        return self._store._public.statuses.get(partition)

    def close(self) -> None:
        """Nothing to release."""

    def _partition(self, partition: int) -> _Partition:
        return self._store._partitions.get(partition, _Partition())


def _put(table: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
