"""What a reader must know to read a report rightly: what it cannot see, and what is not over yet."""

from __future__ import annotations

from collections.abc import Iterable

from consumers.reporting.material import Material
from consumers.reporting.period import Period
from consumers.showing.words import minute
from stream.contracts.changes import SegmentChange


def notes_of(material: Material, period: Period) -> list[str]:
    """A sentence each; none where there is nothing to know."""
    return [*_reached(material.newest_ms, period), *_rebuilt(material), *_lacking(material.changes)]


def _reached(newest_ms: int | None, period: Period) -> list[str]:
    if newest_ms is None:
        return ["nothing has been processed yet: the first event makes the first customer"]
    if newest_ms < period.begin_ms:
        return [f"events have not reached this time yet: the newest is of {minute(newest_ms)} UTC"]
    if newest_ms < period.end_ms - 1:
        return [f"so far: the newest event is of {minute(newest_ms)} UTC"]
    return []


def _rebuilt(material: Material) -> list[str]:
    if not material.statuses:
        return []
    return [f"the view is being rebuilt, so customers are missing: {'; '.join(material.statuses)}"]


def _lacking(changes: Iterable[SegmentChange]) -> list[str]:
    """Versions count without gaps; compaction leaves some out after thirty days, all but each customer's last."""
    last, lacking = dict[str, int](), 0
    for change in sorted(changes, key=lambda change: change.version):
        before = last.get(change.customer_id)
        lacking += 0 if before is None else change.version - before - 1
        last[change.customer_id] = change.version
    if not lacking:
        return []
    return [f"{lacking:,} changes since then are compacted away: earlier sizes and flows are too small by them"]
