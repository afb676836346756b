"""What applications read in the store, as a pure function of the state and of the segments' present names.

Restoring gives the same bytes as living, but for the name of a segment that was renamed since: a hash that was written
before has the former one, until the customer changes or is restored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np
from pydantic_core import to_json

from stream.customer.features import NEVER, FeatureSet
from stream.customer.state import CAUSES, States, Status, segment_id


def segment_hashes(rows: States, names: Mapping[int, str]) -> list[dict[str, str] | None]:
    """``segment:<customer>`` of each row, as of its last change, the name as of this write; ``None`` for who is closed.

    Times in epoch ms.
    """
    columns = (rows[field].tolist() for field in _FIELDS)
    return [
        {
            "id": _SEGMENT_IDS[segment],
            "name": names.get(segment, ""),
            "status": _STATUSES[status],
            "version": str(version),
            "previous": _SEGMENT_IDS[previous],
            "cause": _CAUSES[cause],
            "since": str(since),
            "decided_at": str(decided_at),
            "margin": "" if isnan(margin) else f"{margin:.6g}",
            "model_version": str(model_version),
            "provisional": _SEGMENT_IDS[provisional],
        }
        if status in _STATUSES
        else None
        for (
            segment,
            status,
            version,
            previous,
            cause,
            since,
            decided_at,
            margin,
            model_version,
            provisional,
        ) in zip(*columns, strict=True)
    ]


class _SegmentIds(dict[int, str]):
    def __missing__(self, number: int) -> str:
        return self.setdefault(number, segment_id(number))


_SEGMENT_IDS = _SegmentIds()
_STATUSES = {s.value: s.name.lower() for s in Status if s not in (Status.NEW, Status.CLOSED)}
_CAUSES = ("", *(cause.value for cause in CAUSES))
_FIELDS = (
    "segment",
    "status",
    "version",
    "previous",
    "change_cause",
    "since",
    "change_decided_at",
    "change_margin",
    "change_model_version",
    "change_provisional",
)


def feature_documents(features: FeatureSet, rows: States) -> list[bytes | None]:
    """``features:<customer>`` of each row: natural units as of its last look, JSON; ``None`` for who is closed."""
    if not len(rows):
        return []
    at = np.where(rows["looked_at"] == NEVER, 0, rows["looked_at"])
    natural = features.bounded(features.raw(rows["sums"], rows["first_at"], rows["newest_at"], at)).tolist()
    gaps = features.own_gap_days(rows["sums"], rows["first_at"], rows["newest_at"]).tolist()
    columns = (at.tolist(), rows["looks"].tolist(), rows["status"].tolist(), natural, gaps)
    return [
        None
        if status == Status.CLOSED
        else to_json(
            {
                "as_of": as_of,
                "events": looks,
                "own_gap_days": gap,
                "features": dict(zip(features.names, values, strict=True)),
                "features_id": features.features_id,
            }
        )
        for as_of, looks, status, values, gap in zip(*columns, strict=True)
    ]


def deadlines_of(rows: States, customers: Sequence[str]) -> dict[bytes, int | None]:
    """The timers to file."""
    due = rows["deadline"].tolist()
    return {c.encode(): None if at == NEVER else at for c, at in zip(customers, due, strict=True)}
