"""Who goes where, and where the new partitions start: the pure part of a migration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from consumers.restoring import Identity
from stream.contracts.partitioning import partition_of
from stream.customer.features import NEVER
from stream.errors import Disagreement
from stream.view.journal import Mark

LOAD_BYTES = 16 * 1024 * 1024
"""What one transaction carries at most: far from any timeout, and large enough that their number does not count."""


def loads(sizes: Mapping[bytes, int], partitions: int) -> Iterator[dict[int, list[bytes]]]:
    """Keys by new partition, in loads of at most ``LOAD_BYTES``, or of one key that is larger.

    >>> list(loads({b"ann": 700, b"bob": 800}, partitions=2))
    [{0: [b'ann', b'bob']}]
    >>> len(list(loads({b"ann": LOAD_BYTES, b"bob": 1, b"eve": 1}, partitions=2)))
    2
    """
    load: dict[int, list[bytes]] = {}
    carried = 0
    for key, size in sizes.items():
        if load and carried + size > LOAD_BYTES:
            yield load
            load, carried = {}, 0
        load.setdefault(partition_of(key, partitions), []).append(key)
        carried += size
    if load:
        yield load


def refuse_misplaced(keys: Iterable[bytes], partition: int, partitions: int) -> None:
    """Raise ``Disagreement`` if a key is not where murmur2 puts it: its next event would go elsewhere."""
    strangers = sum(1 for key in keys if partition_of(key, partitions) != partition)
    if strangers:
        raise Disagreement(f"partition {partition}: {strangers} customers of its journal belong to other partitions")


def start_of(marks: Sequence[Mark], identity: Identity, next_: int) -> Mark:
    """Where a new partition stands that may have customers of all the old ones. Its journal begins with them.

    >>> old = [Mark("old", 2, "f", 70, now_ms=500, model_version=3), Mark("old", 2, "f", 9, now_ms=400)]
    >>> new = start_of(old, Identity("new", 3, "f"), next_=0)
    >>> new.next, new.now_ms, new.model_version
    (0, 400, 3)
    """
    reached = [mark.now_ms for mark in marks if mark.now_ms != NEVER]
    return Mark(
        topic_id=identity.topic_id,
        partitions=identity.partitions,
        features_id=identity.features_id,
        journal_id=identity.journal_id,
        next=next_,
        floor=0,
        # The least: under a later one customers of a slower partition would be declared silent by the move, for time
        # that their events have not reached. Timers that had fired already are not due again, the states say so.
        now_ms=min(reached, default=NEVER),
        newest_event_ms=max((mark.newest_event_ms for mark in marks), default=NEVER),
        # Nobody decides with an older model than anybody was decided with.
        model_version=max((mark.model_version for mark in marks), default=0),
        # What everybody in every old partition has been swept for is not owed to anybody. The sweep itself starts
        # anew: where it stood in an old partition says nothing of who is in a new one.
        swept_epoch=min((mark.swept_epoch for mark in marks), default=0),
    )
