"""The timed store: as the store itself, and each operation is counted, also one that fails."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from consumers.timed_store import TimedStore
from stream.errors import StoreUnavailable
from stream.pace import Pace
from stream.view.memory_store import MemoryStore
from stream.view.store import Loaded, Update, Wanted


class Away(MemoryStore):
    def load(self, wanted: object) -> dict[int, Loaded]:
        raise StoreUnavailable("away")


def counts(registry: CollectorRegistry) -> dict[str, float | None]:
    name = "segstream_store_seconds_count"
    return {o: registry.get_sample_value(name, {"operation": o}) for o in ("load", "apply", "other")}


def test_every_operation_is_passed_on_and_timed() -> None:
    registry, inner = CollectorRegistry(), MemoryStore()
    store = TimedStore(inner, Pace(registry).operations)
    assert store.apply(0, None, Update(watermark=b"one", states={b"ann": b"state"}))
    assert not store.apply(0, b"another", Update(watermark=b"two"))
    assert store.load({0: Wanted([b"ann"])}) == inner.load({0: Wanted([b"ann"])}) != {}
    store.publish_segments({"s1": b"{}"})
    store.publish_status(0, "restoring")
    assert (inner.reader.segments(), inner.reader.status(0)) == ({"s1": {}}, "restoring")
    store.wipe(0)
    assert inner.load({0: Wanted([b"ann"])})[0].watermark is None
    store.close()
    assert counts(registry) == {"load": 1.0, "apply": 2.0, "other": 3.0}


def test_an_operation_that_fails_is_timed_too() -> None:
    registry = CollectorRegistry()
    store = TimedStore(Away(), Pace(registry).operations)
    with pytest.raises(StoreUnavailable):
        store.load({})
    assert counts(registry)["load"] == 1.0
