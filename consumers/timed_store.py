"""A store that says how long it takes."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Histogram

from stream.view.store import Loaded, Store, Update, Wanted


class TimedStore(Store):
    """Any ``Store``; each operation is timed under its name, whether it succeeds or not."""

    def __init__(self, store: Store, operations: Mapping[str, Histogram]) -> None:
        self._store = store
        self._load, self._apply, self._other = (operations[name] for name in ("load", "apply", "other"))

    def load(self, wanted: Mapping[int, Wanted]) -> dict[int, Loaded]:
        """See ``Store.load``."""
        with self._load.time():
            return self._store.load(wanted)

    def apply(self, partition: int, expected: bytes | None, update: Update) -> bool:
        """See ``Store.apply``."""
        with self._apply.time():
            return self._store.apply(partition, expected, update)

    def wipe(self, partition: int) -> None:
        """See ``Store.wipe``."""
        with self._other.time():
            self._store.wipe(partition)

    def publish_segments(self, profiles: Mapping[str, bytes]) -> None:
        """See ``Store.publish_segments``."""
        with self._other.time():
            self._store.publish_segments(profiles)

    def publish_status(self, partition: int, status: str | None) -> None:
        """See ``Store.publish_status``."""
        with self._other.time():
            self._store.publish_status(partition, status)

    def close(self) -> None:
        """See ``Store.close``."""
        self._store.close()
