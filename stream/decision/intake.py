"""Intake: what an event does to a state before anybody looks at it. Duplicates stop here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.contracts.events import Event
from stream.customer.features import ACTIVITY, FeatureSet, FloatArray, TimeArray
from stream.customer.fold import add
from stream.customer.registers import Register, Registers
from stream.customer.state import SEEN, States

_HASH_BYTES = 6
_PADDING = b"\0\0"


def event_hashes(events: Sequence[Event]) -> NDArray[np.uint64]:
    """48-bit hashes of the event ids, never 0: one is taken for one of 16 others once in 10^13 events."""
    digests = [hashlib.blake2b(e.event_id.encode(), digest_size=_HASH_BYTES).digest() for e in events]
    numbers = np.frombuffer(b"".join([d + _PADDING for d in digests]), dtype=np.uint64)
    return np.maximum(numbers, np.uint64(1))


def is_duplicate(rows: States, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of the events (n,) their customers (n rows) have accepted within the duplicate window."""
    low, high = _halves(hashes)
    return np.asarray(((rows["seen_low"] == low[:, None]) & (rows["seen_high"] == high[:, None])).any(axis=1))


def take_in(features: FeatureSet, rows: States, x: FloatArray, at_ms: TimeArray, hashes: NDArray[np.uint64]) -> None:
    """Fold one accepted event into each row, in place, and remember its id."""
    active = x[:, ACTIVITY] > 0
    add(rows, x, at_ms, active, features.settings.half_life_ms)
    rows["looks"] += active
    # A ring in order of acceptance: retries follow their original closely, in a backfill of old events too.
    low, high = _halves(hashes)
    n, slot = np.arange(len(rows)), rows["seen_next"].astype(np.int64)
    rows["seen_low"][n, slot] = low
    rows["seen_high"][n, slot] = high
    rows["seen_next"] = (slot + 1) % SEEN


def registered(held: Registers, event: Event) -> Registers:
    """Registers after a profile event: attributes are last-write-wins, each for itself."""
    said, at_ms, event_id = event.attributes or {}, event.occurred_at_ms, event.event_id
    return held.told({name: Register(value, at_ms, event_id) for name, value in said.items()})


def _halves(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.uint16]]:
    return (hashes & np.uint64(0xFFFFFFFF)).astype(np.uint32), (hashes >> np.uint64(32)).astype(np.uint16)
