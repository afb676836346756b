"""The reader: what applications, the command line and the audit read. It never writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol


class Reader(Protocol):
    """Point reads and listings of the view. All methods raise ``StoreUnavailable``.

    A missing key means unknown, never "no segment". Every read stands alone: two of them may see two batches.
    """

    def segment(self, customer: bytes) -> dict[str, str] | None:
        """The public hash ``segment:<customer>``, as of the last change, its name as of the last write.

        ``""`` for a missing value.
        """
        ...

    def features(self, customer: bytes) -> dict[str, Any] | None:
        """The public document ``features:<customer>``: every feature in natural units."""
        ...

    def segments(self) -> dict[str, dict[str, Any]]:
        """The public hash ``segments``: profile by segment id."""
        ...

    def customers(self, segment: str | None = None) -> Iterator[tuple[bytes, dict[str, str]]]:
        """Every customer that has a public hash, once, in no order; or only those in ``segment`` (an id).

        A customer that comes or goes during the listing may or may not be in it.
        """
        ...

    def state(self, partition: int, customer: bytes) -> bytes | None:
        """The packed state of one customer."""
        ...

    def states(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Every customer of a partition with its packed state, once, in name order.

        Exact for an audit if ``watermark`` was the same before and after.
        """
        ...

    def watermark(self, partition: int) -> bytes | None:
        """How much of the journal has been applied; ``None`` if nothing, or if the view was lost."""
        ...

    def status(self, partition: int) -> str | None:
        """What ``Store.publish_status`` said of a partition last, such as that it is being restored."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...
