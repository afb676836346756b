"""The docket in the owner's record: what waits for a person, and what was decided, across restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from operator import index
from typing import Any

import numpy as np

from stream.model.proposals import Challenge, Docket, Waiting
from stream.model.snapshot_record import array
from stream.packing import Arrays

_REJECTED, _WAITING = "rejected_centres", "waiting_centres"


def head_of(docket: Docket) -> dict[str, Any]:
    """What of it is JSON."""
    waiting, challenge = docket.waiting, docket.challenge
    said = None
    if waiting is not None:
        flows = [[old, sorted(row.items())] for old, row in sorted(waiting.flows.items())]
        said = {"version": waiting.version, "gain": waiting.gain, "flows": flows}
    return {"waiting": said, "is_cautious": docket.is_cautious, "challenge": astuple(challenge) if challenge else None}


def arrays_of(docket: Docket) -> Arrays:
    """What of it is numbers."""
    arrays: Arrays = {}
    if docket.waiting is not None:
        arrays[_WAITING] = docket.waiting.centres
    if docket.rejected is not None:
        arrays[_REJECTED] = docket.rejected
    return arrays


def docket_of(head: Mapping[str, Any], arrays: Arrays, d: int) -> Docket:
    """The inverse, for ``d`` features. Raises ``BadRecord``, ``KeyError``, ``TypeError`` or ``ValueError``."""
    waiting, said = None, head["waiting"]
    if said is not None:
        flows = {int(old): {int(new): int(n) for new, n in row} for old, row in said["flows"]}
        centres = array(arrays, _WAITING, np.float64, -1, d)
        waiting = Waiting(int(said["version"]), centres, float(said["gain"]), flows)
    rejected = array(arrays, _REJECTED, np.float64, -1, d) if _REJECTED in arrays else None
    challenge = Challenge(*map(index, head["challenge"])) if head["challenge"] is not None else None
    return Docket(waiting, rejected, bool(head["is_cautious"]), challenge)
