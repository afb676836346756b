"""What only the twin can do: lose what it knows, or part of it, on demand. The rest is in the contract suite."""

from __future__ import annotations

from dataclasses import replace

from stream.view.memory_store import MemoryStore
from stream.view.store import Loaded, Update, Wanted

ANN = b"ann"


def store() -> MemoryStore:
    store = MemoryStore()
    assert store.apply(0, None, Update(b"1", {ANN: b"old"}, {ANN: 5}, {ANN: {"id": "s1"}}))
    return store


def loaded(store: MemoryStore) -> Loaded:
    return store.load({0: Wanted([ANN], due_before_ms=10, due_limit=9)})[0]


def test_it_goes_back_to_a_backup_as_often_as_one_likes() -> None:
    ours = store()
    backup, before = ours.backup(), loaded(ours)
    for _ in range(2):
        assert ours.apply(0, b"1", Update(b"2", {ANN: b"new"}, {ANN: None}, {ANN: None}))
        assert ours.reader.segment(ANN) is None
        ours.go_back(backup)
        assert loaded(ours) == before
        assert ours.reader.segment(ANN) == {"id": "s1"}


def test_a_watermark_can_be_lost_alone() -> None:
    ours = store()
    before = loaded(ours)
    ours.lose_watermark(0)
    ours.lose_watermark(1)
    assert loaded(ours) == replace(before, watermark=None)
