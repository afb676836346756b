"""Random histories: whatever happens, the store in memory and the one on a server cannot be told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.view.memory_store import MemoryStore
from stream.view.reader import Reader
from stream.view.redis_reader import RedisReader
from stream.view.redis_store import RedisStore
from stream.view.store import Store, Update, Wanted
from tests.view.server import Server

PARTITIONS = (0, 1)
Action = Callable[[Store], object]

customers = st.sampled_from([b"a", b"aa", b"b", b"\x00", b"\xff", "é".encode(), b"a b"])
times_ms = st.integers(-3, 3) | st.integers(-(2**53), 2**53)
hashes = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)
documents = st.sampled_from([b"{}", b'{"a": 1.5}', '{"b": "é"}'.encode()])
updates = st.builds(
    Update,
    watermark=st.binary(max_size=2),
    states=st.dictionaries(customers, st.binary(max_size=4)),
    deadlines=st.dictionaries(customers, st.none() | times_ms),
    hashes=st.dictionaries(customers, st.none() | hashes),
    documents=st.dictionaries(customers, st.none() | documents),
    forgotten=st.lists(customers, max_size=2),
)
wants = st.builds(
    Wanted,
    customers=st.lists(customers, max_size=4),
    due_before_ms=st.none() | times_ms,
    due_limit=st.integers(0, 4),
    sweep_after=st.just(b"") | customers | st.binary(max_size=2),
    sweep_limit=st.integers(0, 4),
)


def applying(partition: int, update: Update, stale: bytes | None) -> Action:
    """Mostly with the watermark that is there; sometimes with one that may not be."""

    def act(store: Store) -> object:
        held = store.load({partition: Wanted([])})[partition].watermark
        return store.apply(partition, held if stale is None else stale, update)

    return act


actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(applying, st.sampled_from(PARTITIONS), updates, st.none() | st.binary(max_size=1)),
    st.builds(
        lambda wanted: lambda store: store.load(wanted),
        st.dictionaries(st.sampled_from(PARTITIONS), wants),
    ),
    st.builds(lambda partition: lambda store: store.wipe(partition), st.sampled_from(PARTITIONS)),
    st.builds(
        lambda profiles: lambda store: store.publish_segments(profiles),
        st.dictionaries(st.text(max_size=2), documents, max_size=2),
    ),
    st.builds(
        lambda partition, status: lambda store: store.publish_status(partition, status),
        st.sampled_from(PARTITIONS),
        st.none() | st.text(max_size=3),
    ),
)


def seen_by(reader: Reader) -> dict[str, Any]:
    """Everything."""
    listed = sorted(reader.customers())
    return {
        "customers": listed,
        "features": [reader.features(customer) for customer, _ in listed],
        "segments": reader.segments(),
        "states": [list(reader.states(p)) for p in PARTITIONS],
        "watermarks": [reader.watermark(p) for p in PARTITIONS],
        "statuses": [reader.status(p) for p in PARTITIONS],
    }


def test_memory_and_server_cannot_be_told_apart(server: Server) -> None:
    on_server, reader = RedisStore(server.settings()), RedisReader(server.settings())

    @settings(max_examples=100, deadline=None)
    @given(st.lists(actions, max_size=12))
    def histories(history: list[Action]) -> None:
        with server.client() as client:
            client.flushall()
        memory = MemoryStore()
        for action in history:
            assert action(memory) == action(on_server)
        assert seen_by(memory.reader) == seen_by(reader)

    histories()
    on_server.close()
    reader.close()
