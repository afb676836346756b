"""Locks: customers whom an analyst's word holds in a segment, whatever the model says of them.

The last word is a register and is kept as such; the row says what is in force of it: ``lock``, the segment, and
``lock_until``. A lock begins with the event that says so, and ends with one that lets go, when its time is up, or when
the model no longer has the segment. What the model says of the customer is then asked as if nobody had been anywhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import FOREVER, NEVER, TimeArray
from stream.customer.registers import Register, Registers, Word
from stream.customer.state import States
from stream.decision.agenda import Looks
from stream.decision.assign import NONE, Assigner, Decision
from stream.decision.batch import Batch
from stream.model.snapshot import FloatArray

Words = NDArray[np.object_]
"""``Word`` or ``None`` of each customer."""


def heed(rows: States, looks: Looks, batch: Batch, registers: list[Registers]) -> None:
    """Take down what analysts say in this round of looks, in place: in ``registers``, and in ``rows`` (one a look)."""
    if not len(batch.overrides):
        return
    for i in np.flatnonzero(np.isin(looks.event, batch.overrides)).tolist():
        event, who = batch.events[looks.event[i]], int(looks.customer[i])
        if event.override is None:
            continue
        word = Register(event.override, event.occurred_at_ms, event.event_id)
        if word.newer(registers[who].override) is not word:
            continue  # late: something newer has been said
        registers[who] = replace(registers[who], override=word)
        number, until = word.value.segment, FOREVER if word.value.until_ms is None else word.value.until_ms
        if number != NONE and until > max(looks.at_ms[i], rows["looked_at"][i], rows["newest_at"][i]):
            rows["lock"][i], rows["lock_until"][i] = number, until
        else:
            rows["lock_until"][i] = NEVER  # who is locked is so no longer


def settle(rows: States, at: TimeArray, assigner: Assigner | None) -> NDArray[np.bool_]:
    """Put the locked into their segments, in place, and return whose lock is over at ``at``, (n,).

    Nothing of a lock that is over is left in the row, nor the segment.
    """
    if not rows["lock"].any():
        return np.zeros(len(rows), dtype=bool)
    lock = rows["lock"].astype(np.int64)
    may_stay = assigner.may_hold(lock) if assigner is not None else np.zeros(len(rows), dtype=bool)
    over = (lock != NONE) & (~may_stay | (rows["lock_until"] <= at))
    rows["lock"][over], rows["lock_until"][over], rows["segment"][over] = NONE, NEVER, NONE
    rows["segment"] = np.where(rows["lock"] != NONE, rows["lock"], rows["segment"])
    return np.asarray(over)


def held(rows: States, assigner: Assigner, distances: FloatArray, decision: Decision) -> Decision:
    """``decision``, but the locked stay where they are held."""
    if not rows["lock"].any():
        return decision
    is_locked = rows["lock"] != NONE
    staying = assigner.stay(distances, np.where(is_locked, rows["lock"], decision.segment).astype(np.int64))
    return Decision(
        staying.segment,
        np.where(is_locked, staying.margin, decision.margin),
    )


def words(before: States, after: States, looks: Looks, registers: list[Registers]) -> Words:
    """For each look at somebody who was locked or is: what was said last; else ``None``."""
    said: Words = np.empty(len(after), dtype=object)
    if not (before["lock"].any() or after["lock"].any()):
        return said
    for i in np.flatnonzero((before["lock"] != NONE) | (after["lock"] != NONE)).tolist():
        word: Word | None = registers[int(looks.customer[i])].override
        said[i] = word
    return said
