"""The store: Redis as a guarded view of committed state, and its in-memory twin.

Private to segstream, one set per input partition P:

    segstream:watermark:<P>   string     how much of the journal has been applied (opaque bytes here)
    segstream:states:<P>      hash       customer -> packed state
    segstream:deadlines:<P>   sorted set customer by the event time (ms) of its next timer
    segstream:customers:<P>   sorted set every customer, all at score 0: the order of the sweep
    segstream:status:<P>      string     what is being done to the partition, in words; absent = all is well

Public: ``segment:<customer>`` (hash), ``features:<customer>`` (JSON string), ``segments`` (hash: id -> JSON profile).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch needs of one partition.

    ``customers``: whose states; ``due_before_ms``: besides them, customers whose deadline is before it, the earliest
    ``due_limit`` of them; ``sweep_after``: besides them, the next ``sweep_limit`` customers in name order after it.
    """

    customers: Sequence[bytes]
    due_before_ms: int | None = None
    due_limit: int = 0
    sweep_after: bytes = b""
    sweep_limit: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was there: ``states`` only has customers that exist. ``sweep``: in name order; shorter than asked = end."""

    watermark: bytes | None
    states: Mapping[bytes, bytes]
    due: Sequence[bytes] = ()
    sweep: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """What one committed batch changes in one partition. Absolute values only: applying twice is applying once.

    ``deadlines``: ``None`` removes. ``hashes``: public hash by customer, ``None`` removes it.
    ``documents``: features JSON by customer, ``None`` removes it. ``forgotten``: removed with all their keys.
    """

    watermark: bytes
    states: Mapping[bytes, bytes] = field(default_factory=dict)
    deadlines: Mapping[bytes, int | None] = field(default_factory=dict)
    hashes: Mapping[bytes, Mapping[str, str] | None] = field(default_factory=dict)
    documents: Mapping[bytes, bytes | None] = field(default_factory=dict)
    forgotten: Sequence[bytes] = ()


class Store(Protocol):
    """Committed state of the partitions. All methods raise ``StoreUnavailable``."""

    def load(self, wanted: Mapping[int, Wanted]) -> dict[int, Loaded]:
        """Watermarks and states, in two round trips at most, whatever the number of customers."""
        ...

    def apply(self, partition: int, expected: bytes | None, update: Update) -> bool:
        """Apply ``update`` atomically if the partition's watermark still equals ``expected``; else ``False``."""
        ...

    def wipe(self, partition: int) -> None:
        """Remove everything private of a partition, its watermark first; public keys stay until overwritten."""
        ...

    def publish_segments(self, profiles: Mapping[str, bytes]) -> None:
        """Replace the public ``segments`` hash."""
        ...

    def publish_status(self, partition: int, status: str | None) -> None:
        """Say what is being done to a partition, such as restoring it; ``None`` when done. Unguarded."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...
