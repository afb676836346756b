"""The page in one sentence: what is there, whether it is current, whether the mix is stable; or what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consumers.showing.words import duration
from consumers.watching.board import Board
from consumers.watching.lag import Behind
from stream.contracts.timestamps import rfc3339

Words = list[str | dict[str, int]]
"""Text, and wall-clock times as ``{"at": epoch ms}``, which the browser says in its own time zone."""

STALE_SECONDS = 30.0
"""Records wait and none is processed for so long: longer than a takeover of a dead worker's partitions."""
UNSEEN_SECONDS = 10.0
"""So long without an answer counts as no answer."""
REPLAY_MS = 86_400_000
"""Event time so far from the wall clock's is told beside it."""


@dataclass(frozen=True)
class Sentence:
    """``kind`` is one word: ok, drift, empty, warming, stale, paused, restoring or unreachable."""

    kind: str
    words: Words

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"kind": self.kind, "words": self.words}


def sentence(board: Board, now_seconds: float, warmup_customers: int) -> Sentence:
    """The sentence; what is wrong comes first."""
    behind = board.behind(now_seconds)
    found = _unreachable(board, now_seconds) or _held(board, behind) or _before(board, now_seconds, warmup_customers)
    return found or _running(board, behind, now_seconds)


def _unreachable(board: Board, now_seconds: float) -> Sentence | None:
    for name, side in (("the store", board.store), ("the broker", board.broker)):
        if side.error or now_seconds - max(side.seen_at, board.began_at) > UNSEEN_SECONDS:
            said, _, _ = side.error.partition(" (")  # the rest is in the health strip
            why = f" ({said})" if said else ""
            if not side.seen_at:
                return Sentence("unreachable", [f"{name} has not answered yet{why}"])
            words: Words = [f"{name} does not answer since ", _at(side.seen_at), f"; what you see is of then{why}"]
            return Sentence("unreachable", words)
    return None


def _held(board: Board, behind: Behind) -> Sentence | None:
    if board.broker.paused is not None:
        why = f": {board.broker.paused}" if board.broker.paused else ""
        return Sentence("paused", [f"paused by an operator{why}; {behind.records:,} events wait"])
    if board.store.statuses:
        return Sentence("restoring", [f"the view is being rebuilt: {'; '.join(board.store.statuses)}"])
    if behind.records and behind.stuck_seconds > STALE_SECONDS:
        stuck = f"{behind.records:,} events wait, none was processed for {duration(behind.stuck_seconds)}"
        return Sentence("stale", [f"stale: {stuck}; {_who(board)}, as of then"])
    return None


def _before(board: Board, now_seconds: float, warmup_customers: int) -> Sentence | None:
    if not board.store.seen_at or not board.is_counted:
        return Sentence("warming", ["counting customers"])
    known = sum(board.counts.values())
    if not known and not board.store.profiles:
        waiting = board.behind(now_seconds).records
        more = f"{waiting:,} events wait for a worker" if waiting else "the first event makes the first one"
        return Sentence("empty", [f"no customers yet: {more}"])
    if not board.store.profiles:
        so_far = f"{known:,} customer{'s' if known != 1 else ''} so far"
        return Sentence("warming", [f"warming up: {so_far}, the first segments come with {warmup_customers:,}"])
    return None


def _running(board: Board, behind: Behind, now_seconds: float) -> Sentence:
    event_ms = board.store.newest_event_ms
    is_replay = event_ms is not None and abs(now_seconds * 1000 - event_ms) > REPLAY_MS
    kind, words = _mix(board)
    reached = f", events up to {day(event_ms)}" if is_replay and event_ms is not None else ""
    return Sentence(kind, [f"{_who(board)}, {behind_words(behind)}{reached}, {words}"])


def _who(board: Board) -> str:
    awake = sum(board.segments().values())
    segments = sum(not profile["retiring"] for profile in board.store.profiles.values())
    return f"{awake:,} active customers in {segments} segments"


def behind_words(behind: Behind) -> str:
    """How current the view is.

    >>> behind_words(Behind(0, 0.0)), behind_words(Behind(1_200, 4.2)), behind_words(Behind(9, 60.0, at_least=True))
    ('up to date', '4 s behind', 'at least 60 s behind')
    """
    if not behind.records:
        return "up to date"
    return f"{'at least ' if behind.at_least else ''}{duration(behind.seconds)} behind"


def not_counted_words(counts: Mapping[str, int]) -> str:
    """Who is not in the sentence.

    >>> not_counted_words({"s1": 5, "dormant": 2, "new": 1})
    'besides: 2 dormant, 1 too new to place'
    """
    dormant, new = counts.get("dormant", 0), counts.get("new", 0)
    said = [f"{dormant:,} dormant"] * bool(dormant) + [f"{new:,} too new to place"] * bool(new)
    return f"besides: {', '.join(said)}" if said else ""


def _mix(board: Board) -> tuple[str, str]:
    mix = board.mix
    if mix is None:
        return "ok", "which mix is usual is not known yet"
    if mix.since_ms is not None:
        shift = mix.shift
        name = board.store.profiles.get(shift.segment_id, {}).get("name", "gone")
        moved = f"{100 * shift.before:.0f} % to {100 * shift.after:.0f} %"
        return "drift", f"mix drifts since {day(mix.since_ms)}: {shift.segment_id} {name} from {moved}"
    apart = f" (not judged now: partitions are {duration(mix.apart_ms / 1000)} apart)" if mix.apart_ms else ""
    return "ok", f"mix stable, as on {day(mix.usual_ms)}{apart}"


def _at(seconds: float) -> dict[str, int]:
    return {"at": round(seconds * 1000)}


def day(ms: int) -> str:
    """A day of event time, UTC.

    >>> day(1_496_513_579_999)
    '2017-06-03'
    """
    return rfc3339(ms)[:10]
