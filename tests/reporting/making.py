"""Changes and ledger entries as a test needs them, and a shop's report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from consumers.memory_source import MemoryTail
from consumers.reporting.facts import Facts, facts_of
from consumers.reporting.gathering import gather
from consumers.reporting.material import Material
from consumers.reporting.period import Period, period
from consumers.twins import Twins
from consumers.watching.marks import newest_event_ms
from stream.contracts.changes import Assignment, Cause, SegmentChange, Status
from stream.contracts.examples import CHANGE, DRIFT_ENTRY, LEDGER_ENTRY
from stream.contracts.segments import Flow, LedgerDetail, LedgerEntry, LedgerKind
from stream.contracts.timestamps import rfc3339

DAY = period("2024-05-02", None, 0)
What = Literal["begins", "ends"]
NOON = "2024-05-02T12:00:00.000Z"
HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;{{7*7}}\u202e"


def at(place: str) -> Assignment | None:
    """``s3``, ``dormant`` (which holds s1), ``new`` or ``closed``."""
    if place == "closed":
        return None
    if place == "new":
        return Assignment("", "", Status.COLD)
    if place == "dormant":
        return Assignment("s1", "one", Status.DORMANT)
    return Assignment(place, f"name of {place}", Status.READY)


def change(left: str | None, entered: str, occurred: int | str = NOON, **more: Any) -> SegmentChange:
    """``left`` ``None``: never seen before. ``occurred``: epoch ms, or as on the wire."""
    said = {
        "customer_id": "c1",
        "version": 1,
        "cause": Cause.BEHAVIOUR,
        "previous": None if left is None else at(left),
        "current": at(entered),
        "occurred_at": occurred if isinstance(occurred, str) else rfc3339(occurred),
    }
    return replace(CHANGE, **{**said, **more})


def entry(kind: LedgerKind, segment: str, text: str = "", occurred: str = NOON, **more: Any) -> LedgerEntry:
    """A line of the ledger, with ``flows`` as (from, to, mass)."""
    flows = tuple(Flow(*flow) for flow in more.pop("flows", ()))
    said = {"kind": kind, "segment_id": segment, "name": f"name of {segment}", "occurred_at": occurred}
    return replace(LEDGER_ENTRY, **{**said, **more}, detail=LedgerDetail(flows, text))


def drift(
    what: Literal["begins", "ends"], signal: str = "event.spend", occurred: str = NOON, level: float = 1.1
) -> LedgerEntry:
    """A drift that begins or ends."""
    assert DRIFT_ENTRY.detail.drift is not None
    told = replace(DRIFT_ENTRY.detail.drift, what=what, signal=signal, level=level)
    return replace(DRIFT_ENTRY, occurred_at=occurred, detail=replace(DRIFT_ENTRY.detail, drift=told))


def gathered(twins: Twins, day: str | None = None, hours: int | None = None) -> tuple[Material, Period]:
    """What a report of a shop is made of."""
    topics, reader = twins.settings.topics, twins.store.reader
    newest = newest_event_ms(reader, topics.partitions)
    wanted = period(day, hours, newest or round(twins.wall.now() * 1000))
    return gather(reader, MemoryTail(twins.broker), topics, wanted, topics.partitions), wanted


def told(twins: Twins, day: str | None = None, hours: int | None = None) -> Facts:
    """A shop's report."""
    return facts_of(*gathered(twins, day, hours), twins.settings.model.warmup_customers)
