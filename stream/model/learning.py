"""What workers tell the model owner: how the population moved, as exact integer sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.customer import tenure
from stream.customer.holdings import Holding, read, written
from stream.drift.blocks import Chunks
from stream.errors import BadRecord
from stream.model.snapshot import IntArray, Vectors
from stream.packing import pack, unpack

_ARRAYS = ("cells", "n", "sums", "squares", "nursery_sign", "nursery_y", "rows", "grid_cells", "grid_n")


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
    tenures: tenure.Counts
    """Change of how many of them have held it since which week (``customer.tenure``)."""
    rows: Vectors
    """Every look's vector in order, (r, d), for river's clusterers; empty for cells."""
    grid_cells: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Cells of the population's histograms touched, flat over (d, GRID), (g,) (``drift.histograms``)."""
    grid_n: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Change of the number of customers in them, (g,)."""
    raw: Chunks = field(default_factory=lambda: Chunks.none(0))
    """Sums of the raw values of the orders behind this record, in order of their time."""
    moves: int = 0
    """Changes from a segment to another behind this record."""
    flaps: int = 0
    """... those of them that went back to the segment before."""
    reached_ms: dict[int, int] = field(default_factory=dict)
    """Event time that each input partition of the batch has reached."""

    def pack(self) -> bytes:
        """The record of the learning topic."""
        head = {
            "features_id": self.features_id,
            "now_ms": self.now_ms,
            "looks": self.looks,
            "held": sorted(self.held.items()),
            "holdings": written(self.holdings),
            "tenures": tenure.written(self.tenures),
            "moves": self.moves,
            "flaps": self.flaps,
            "reached_ms": sorted(self.reached_ms.items()),
        }
        raw = {"raw_n": self.raw.n, "raw_at_ms": self.raw.at_ms, "raw_sums": self.raw.sums}
        return pack(head, {name: getattr(self, name) for name in _ARRAYS} | raw)

    @classmethod
    def unpack(cls, record: bytes) -> LearningRecord:
        """Read a record. Raises ``BadRecord``."""
        head, arrays = unpack(record)
        try:
            head["held"] = {int(number): int(n) for number, n in head["held"]}
            head["holdings"] = read(head["holdings"])
            head["tenures"] = tenure.read(head["tenures"])
            head["moves"], head["flaps"] = index(head["moves"]), index(head["flaps"])
            head["reached_ms"] = {int(partition): int(at_ms) for partition, at_ms in head["reached_ms"]}
            raw = {part: arrays.pop(f"raw_{part}") for part in ("n", "at_ms", "sums") if f"raw_{part}" in arrays}
            fields: dict[str, Any] = head | arrays | ({"raw": _chunks(**raw)} if raw else {})
            return cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise BadRecord(f"not a learning record: {error}") from error


def _chunks(n: NDArray[Any], at_ms: NDArray[Any], sums: NDArray[Any]) -> Chunks:
    """Checked. Raises ``ValueError``."""
    is_whole = n.dtype == at_ms.dtype == np.int64 and n.shape == at_ms.shape == sums.shape[:1] and sums.ndim == 2
    if not is_whole or not np.isfinite(sums).all() or (n < 1).any():
        raise ValueError("raw values that are none")
    return Chunks(n, at_ms, sums)
