"""The snapshot that every browser gets once a second: the board as one JSON document of at most 50 KB."""

from __future__ import annotations

import json
from typing import Any

from consumers.watching.board import Board
from consumers.watching.cards import cards
from consumers.watching.feed import line
from consumers.watching.history import point
from consumers.watching.lag import Behind
from consumers.watching.status import REPLAY_MS, behind_words, not_counted_words, sentence
from stream.contracts.timestamps import ms_of

MOST_BYTES = 50_000


def encoded(board: Board, now_seconds: float, warmup_customers: int) -> bytes:
    """The document. Where it would be too large, the oldest lines of feed and ledger are left out."""
    said = document(board, now_seconds, warmup_customers)
    text = _json(said)
    while len(text) > MOST_BYTES and (said["feed"] or said["ledger"]):
        for part in ("feed", "ledger"):
            said[part] = said[part][: len(said[part]) // 2]
        text = _json(said)
    return text


def document(board: Board, now_seconds: float, warmup_customers: int) -> dict[str, Any]:
    """All of it, newest lines first. Hold the board's lock."""
    store = board.store
    return {
        "at": round(now_seconds * 1000),
        "status": sentence(board, now_seconds, warmup_customers).to_json(),
        "besides": not_counted_words(board.counts),
        "replay": _is_replay(store.newest_event_ms, now_seconds),
        "segments": cards(store.profiles, board.counts),
        "map": board.projection.to_json(),
        "point": point(board.counts, store.newest_event_ms, now_seconds) if store.profiles else None,
        "mix": board.mix.to_json() if board.mix is not None else None,
        "flows": board.flows.to_json(now_seconds),
        "feed": [line(change) for change in reversed(board.feed)],
        "changes": board.changes,
        "ledger": list(reversed(board.ledger)),
        "health": health(board, board.behind(now_seconds), now_seconds),
    }


def health(board: Board, behind: Behind, now_seconds: float) -> list[dict[str, Any]]:
    """One item a part: its name, whether all is well, and what is to say."""
    store, broker, last = board.store, board.broker, board.feed[-1] if board.feed else None
    models = {(p["model_version"], p["updated_at"]) for p in store.profiles.values()}
    version, decided = max(models, default=(0, ""))
    waiting = f"{behind.records:,} waiting, {behind_words(behind)}" if behind.records else "none waiting, up to date"
    if not broker.seen_at or not store.seen_at:
        waiting = "not known"
    items = [
        _item("store", not store.error, store.error or _asked(store.seen_at)),
        _item("broker", not broker.error, broker.error or _asked(broker.seen_at)),
        _item("input", behind.stuck_seconds < 30 or not behind.records, waiting),
        _item("workers", broker.paused is None and not store.statuses, _workers(board)),
        _item("model", True, f"version {version}" if version else "none yet", ms_of(decided) if decided else None),
        _item("last change", True, "" if last else "none yet", ms_of(last.decided_at) if last else None),
    ]
    event_ms = store.newest_event_ms
    return [*items, _item("newest event", True, "" if event_ms is not None else "none yet", event_ms)]


def _item(name: str, is_well: bool, said: str, at: int | None = None) -> dict[str, Any]:
    return {"name": name, "well": is_well, "said": said, "at": at}


def _asked(seen_at: float) -> str:
    return "" if seen_at else "not asked yet"


def _workers(board: Board) -> str:
    if board.broker.paused is not None:
        return "paused"
    if not board.store.seen_at:
        return "not known"
    return "restoring" if board.store.statuses else "running" if board.store.nexts else "nothing processed yet"


def _is_replay(event_ms: int | None, now_seconds: float) -> bool:
    return event_ms is not None and abs(now_seconds * 1000 - event_ms) > REPLAY_MS


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode(errors="backslashreplace")
