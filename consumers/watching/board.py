"""The board: all that the page knows, written by the two watches and read once a second."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from consumers.watching.flows import Flows
from consumers.watching.history import History
from consumers.watching.lag import Behind, Lag
from consumers.watching.looking_back import looked_back
from consumers.watching.mix import Mix
from consumers.watching.places import ELSEWHERE, move, moved
from consumers.watching.projection import Projection
from stream.contracts.changes import SegmentChange
from stream.contracts.timestamps import ms_of

FEED = 40
LEDGER = 60


@dataclass
class Store:
    """What Redis said last."""

    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    nexts: Mapping[int, int] = field(default_factory=dict)
    newest_event_ms: int | None = None
    statuses: Sequence[str] = ()
    seen_at: float = 0.0
    error: str = ""


@dataclass
class Broker:
    """What Kafka said last, besides the changes."""

    paused: str | None = None
    """Why an operator paused the workers; empty if no reason was given."""
    seen_at: float = 0.0
    error: str = ""


@dataclass
class Board:
    """Guarded by ``lock``; nobody holds it while waiting for the network."""

    began_at: float
    lock: Lock = field(default_factory=Lock)
    store: Store = field(default_factory=Store)
    broker: Broker = field(default_factory=Broker)
    counts: Counter[str] = field(default_factory=Counter)
    is_counted: bool = False
    feed: deque[SegmentChange] = field(default_factory=lambda: deque(maxlen=FEED))
    changes: int = 0
    """Seen since the page began."""
    is_caught_up: bool = False
    """Everything from before the page began was read."""
    past: list[SegmentChange] = field(default_factory=list)
    """From before; kept until everybody was counted for the first time."""
    ledger: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LEDGER))
    drifting: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The entry with which each drift that goes on began, by signal."""
    flows: Flows = field(default_factory=Flows)
    history: History = field(default_factory=History)
    lag: Lag = field(default_factory=Lag)
    projection: Projection = field(default_factory=Projection)
    mix: Mix | None = None
    """As the drift engine judged it last; ``None`` before it has a reference."""

    def take_changes(self, changes: Sequence[SegmentChange], *, are_new: bool) -> None:
        """``are_new``: since the page began, so that the counts do not have them yet."""
        for change in changes:
            self.flows.add(move(change), ms_of(change.occurred_at), ms_of(change.decided_at))
            self.feed.append(change)
        if not are_new:
            self.past += changes
            return
        self.changes += len(changes)
        if self.is_counted:
            self.counts = moved(self.counts, changes)

    def take_census(self, counts: Counter[str]) -> None:
        """Everybody was counted: what the changes added up to is corrected."""
        self.counts, self.is_counted = counts, True

    def take_ledger(self, entries: Sequence[dict[str, Any]]) -> None:
        """Ledger entries, oldest first."""
        self.ledger.extend(entries)
        for entry in entries:
            self._take_turn(entry)

    def _take_turn(self, entry: dict[str, Any]) -> None:
        if entry["turn"] == "begins":
            self.drifting[entry["name"]] = entry
        elif entry["turn"] == "ends":
            self.drifting.pop(entry["name"], None)

    def take_segments(self, store: Store) -> None:
        """What Redis says now."""
        self.store = store
        self.projection.look({id_: profile["profile"] for id_, profile in store.profiles.items()})

    def sample(self, now_seconds: float) -> None:
        """Once a second: one point of the shares, one look at whether anything goes on."""
        self.behind(now_seconds)
        if self.is_counted and self.is_caught_up and self.store.profiles:
            if self.past:
                self._look_back()
            self.history.add(self.counts, self.store.newest_event_ms, now_seconds)

    def _look_back(self) -> None:
        points, self.past = looked_back(self.counts, self.past), []
        if not self.history.points:
            self.history.points = points

    def segments(self) -> dict[str, int]:
        """Customers by segment, of those that there are; who is awake."""
        held = dict.fromkeys(self.store.profiles, 0)
        return held | {id_: n for id_, n in self.counts.items() if n and id_ not in ELSEWHERE}

    def behind(self, now_seconds: float) -> Behind:
        """The distance between input and view."""
        return self.lag.behind(self.store.nexts, now_seconds)
