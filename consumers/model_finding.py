"""Finding the model of one version on its topic, however long ago it was: what a rollback goes back to."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.following import read_between
from consumers.source import Tail
from stream.errors import BadRecord
from stream.model.snapshot import Snapshot
from stream.model.snapshot_record import snapshot_of

_WINDOW = 64
"""Offsets that are read at once."""
_WINDOWS = 32
"""That many, most of them without any good model, are damage, or a topic of other declarations."""


def find_model(tail: Tail, topic: str, features_id: str, version: int | None) -> Snapshot | None:
    """The model of ``version``, if the topic still has a good record of it. Raises ``BrokerUnavailable``.

    Versions follow each other, and each took two offsets at least, its own and the end of its transaction. So from the
    oldest model of a window one knows where the next window may end.
    """
    if version is None:
        return None
    first, end = tail.bounds(topic, 0)
    for _ in range(_WINDOWS):
        start = max(first, end - _WINDOW)
        met = list(_models(tail, topic, features_id, start, end))
        found = next((snapshot for _, snapshot in met if snapshot.version == version), None)
        offset, oldest = (met[0][0], met[0][1].version) if met else (start, version)
        end = offset - 2 * (oldest - version) + bool(met)
        if found is not None or oldest < version or min(start, end) <= first:
            return found
    return None


def _models(tail: Tail, topic: str, features_id: str, start: int, end: int) -> Iterator[tuple[int, Snapshot]]:
    for record in read_between(tail, topic, 0, start, end):
        try:
            yield record.offset, snapshot_of(record.value or b"", features_id, newer_than=0)
        except BadRecord:
            continue
