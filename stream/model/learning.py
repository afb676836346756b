"""What workers tell the model owner: how the population moved, as exact integer sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.customer.holdings import Holding, read, written
from stream.errors import BadRecord
from stream.model.snapshot import IntArray, Vectors
from stream.packing import pack, unpack


@dataclass(frozen=True)
class LearningRecord:
    """The movement of one batch: every look took a customer's old vector out of a cell and put its new one
    in.

    Movements inside a batch telescope, so a customer counts with its first old and its last new vector; the
    sums are int64 over int16 steps, hence exact and order-free, and records of any number of workers simply
    add.
    """

    features_id: str
    now_ms: int
    """Newest event time behind this record."""
    looks: int
    """Looks behind this record: what a macro step is paced by."""
    cells: IntArray
    """Cells touched, shape (c,), without the nursery."""
    n: IntArray
    """Change of the number of customers, (c,)."""
    sums: IntArray
    """Change of sum y, (c, d)."""
    squares: IntArray
    """Change of sum y^2, (c, d)."""
    nursery_sign: NDArray[np.int8]
    """+1 a vector came into the nursery, -1 it left, (m,)."""
    nursery_y: Vectors
    """Those vectors, (m, d)."""
    held: dict[int, int]
    """Change of the number of customers that hold each segment number."""
    holdings: dict[int, Holding]
    """Change of what those add up to."""
    rows: Vectors
    """Every look's vector in order, (r, d), for river's clusterers; empty for cells."""

    def pack(self) -> bytes:
        """The record of the learning topic."""
        head = {
            "features_id": self.features_id,
            "now_ms": self.now_ms,
            "looks": self.looks,
            "held": sorted(self.held.items()),
            "holdings": written(self.holdings),
        }
        names = ("cells", "n", "sums", "squares", "nursery_sign", "nursery_y", "rows")
        return pack(head, {name: getattr(self, name) for name in names})

    @classmethod
    def unpack(cls, record: bytes) -> LearningRecord:
        """Read a record. Raises ``BadRecord``."""
        head, arrays = unpack(record)
        try:
            head["held"] = {int(number): int(n) for number, n in head["held"]}
            head["holdings"] = read(head["holdings"])
            fields: dict[str, Any] = head | arrays
            return cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise BadRecord(f"not a learning record: {error}") from error
