"""The marks of the view: how much of the input is in it, which event time it has reached, and whether it is whole."""

from __future__ import annotations

from stream.customer.features import NEVER
from stream.errors import BadRecord
from stream.view.journal import Mark
from stream.view.reader import Reader


def marks_of(reader: Reader, partitions: int) -> dict[int, Mark]:
    """By partition, where there is one. Raises ``StoreUnavailable``."""
    return {p: mark for p in range(partitions) if (mark := _mark(reader.watermark(p))) is not None}


def newest_of(marks: dict[int, Mark]) -> int | None:
    """Event time reached; ``None`` before the first event."""
    newest = max((mark.newest_event_ms for mark in marks.values()), default=NEVER)
    return None if newest == NEVER else newest


def newest_event_ms(reader: Reader, partitions: int) -> int | None:
    """Event time that the view has reached; ``None`` before the first event. Raises ``StoreUnavailable``."""
    return newest_of(marks_of(reader, partitions))


def statuses_of(reader: Reader, partitions: int) -> list[str]:
    """What is said of partitions whose view is not whole, in words. Raises ``StoreUnavailable``."""
    return [f"partition {p} is {said}" for p in range(partitions) if (said := reader.status(p))]


def _mark(watermark: bytes | None) -> Mark | None:
    try:
        return Mark.from_bytes(watermark) if watermark else None
    except BadRecord:  # of another version: the workers say so
        return None
