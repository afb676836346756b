"""The part of a model record that workers read: a snapshot, checked before anybody decides by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, astuple
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.customer.holdings import Holding
from stream.errors import BadRecord
from stream.model.snapshot import NURSERY, Condition, Rule, Scale, Segment, Snapshot
from stream.packing import Arrays, unpack

SCHEMA = 6
"""2: families, rules and holdings of the segments. 3: a number of segments that a person decided for, and histograms of
the population, which no older one has. 4: how sure decisions are, as sums over the holders. 5: what
segments were founded as, and since when who holds them. 6: since when challengers are found, and what segments that are
gone were called."""
SEGMENTS_AT_MOST = 16
"""Assignable segments of a snapshot, as in ``ModelSettings.segments``."""
_PLAIN = ("version", "epoch", "features_id", "margin", "kind", "learning_offset")


def snapshot_of(record: bytes, features_id: str, newer_than: int) -> Snapshot:
    """The snapshot in a model record, for workers.

    Raises ``BadRecord`` if the record is damaged, of another schema, of other features, not newer than
    version ``newer_than``, or holds a model that cannot be decided by. The caller keeps the model that it
    has.
    """
    head, arrays = unpack(record)
    snapshot = read(head, arrays)
    if snapshot.features_id != features_id:
        raise BadRecord(f"model of features {snapshot.features_id}, not {features_id}")
    if snapshot.version <= newer_than:
        raise BadRecord(f"model version {snapshot.version} is not newer than {newer_than}")
    return snapshot


def written(snapshot: Snapshot) -> tuple[dict[str, Any], Arrays]:
    """Head and arrays of a snapshot; ``read`` is the inverse."""
    head = {name: getattr(snapshot, name) for name in _PLAIN} | {
        "schema": SCHEMA,
        "features": list(snapshot.features),
        "near_constant": list(snapshot.near_constant),
        "clip": snapshot.scale.clip,
        "names": sorted(snapshot.names.items()),
        "families": sorted(snapshot.families.items()),
        "segments": [{k: v for k, v in asdict(s).items() if k != "centroid"} for s in snapshot.segments],
    }
    arrays = {
        "mean": snapshot.scale.mean,
        "sd": snapshot.scale.sd,
        "weight": snapshot.scale.weight,
        "centroids": np.array([s.centroid for s in snapshot.segments]),
        "cell_ids": snapshot.cell_ids,
        "cell_positions": snapshot.cell_positions,
    }
    return head, arrays


def read(head: Mapping[str, Any], arrays: Arrays) -> Snapshot:
    """The snapshot of an unpacked record. Raises ``BadRecord``."""
    if head.get("schema") != SCHEMA:
        raise BadRecord(f"model record of schema {head.get('schema')}, not {SCHEMA}")
    try:
        snapshot = _snapshot(head, arrays)
        _check(snapshot)
    except (KeyError, TypeError, ValueError) as error:
        raise BadRecord(f"not a model record: {error!r}") from error
    return snapshot


def array(arrays: Arrays, name: str, dtype: type[np.generic], *shape: int) -> NDArray[Any]:
    """An array of a record, of this type and shape (-1: any length). Raises ``BadRecord``."""
    found = arrays.get(name)
    if found is None or found.dtype != dtype or found.ndim != len(shape):
        raise BadRecord(f"array '{name}' is missing, or of another type or number of dimensions")
    if any(wanted not in (-1, size) for wanted, size in zip(shape, found.shape, strict=True)):
        raise BadRecord(f"array '{name}' has shape {found.shape}, not {shape}")
    if not np.isfinite(found).all():
        raise BadRecord(f"array '{name}' is not finite")
    return found


def _snapshot(head: Mapping[str, Any], arrays: Arrays) -> Snapshot:
    d, segments = len(head["features"]), head["segments"]
    mean, sd, weight = (array(arrays, part, np.float64, d) for part in ("mean", "sd", "weight"))
    centroids = array(arrays, "centroids", np.float64, len(segments), d).tolist()
    cell_ids = array(arrays, "cell_ids", np.int64, -1)
    return Snapshot(
        **{name: head[name] for name in _PLAIN},
        features=tuple(head["features"]),
        near_constant=tuple(head["near_constant"]),
        scale=Scale(mean, sd, weight, float(head["clip"])),
        segments=tuple(_segment(s, c) for s, c in zip(segments, centroids, strict=True)),
        cell_ids=cell_ids,
        cell_positions=array(arrays, "cell_positions", np.float64, len(cell_ids), d),
        names={int(number): str(name) for number, name in head["names"]},
        families={int(number): str(name) for number, name in head["families"]},
    )


def _segment(said: Mapping[str, Any], centroid: list[float]) -> Segment:
    rule = said["rule"]
    if rule is not None:
        rule = Rule(**rule | {"conditions": tuple(Condition(**c) for c in rule["conditions"])})
    return Segment(**{**said, "rule": rule, "holding": Holding(**said["holding"])}, centroid=tuple(centroid))


def _check(snapshot: Snapshot) -> None:
    """What no learner of ours would write. Raises ``BadRecord``."""
    scale, segments, cells = snapshot.scale, snapshot.segments, snapshot.cell_ids
    numbers = {s.number for s in segments}
    assignable = sum(not s.retiring for s in segments)
    plain = [scale.clip, snapshot.margin, *(s.radius for s in segments)]
    plain += [value for s in segments for value in s.profile.values()]
    rules = [s.rule for s in segments if s.rule is not None]
    conditions = [condition for rule in rules for condition in rule.conditions]
    shares = [share for rule in rules for share in (rule.right, rule.precision, rule.recall)]
    plain += [total for s in segments for total in astuple(s.holding)]
    plain += [*shares, *(condition.value for condition in conditions)]
    wrong = {
        "a version or an epoch below 1": snapshot.version < 1 or snapshot.epoch < 1,
        "a number that is not finite": not all(map(math.isfinite, plain)),
        "a standard deviation that is not positive": not (scale.sd > 0).all(),
        "a negative weight": not (scale.weight >= 0).all(),
        "no room within its clip": not scale.clip > 0,
        "a margin outside of 0 to 1": not 0 <= snapshot.margin <= 1,
        f"{assignable} segments, not 1 to {SEGMENTS_AT_MOST}": not 1 <= assignable <= SEGMENTS_AT_MOST,
        "a segment twice": len(numbers) < len(segments),
        "a segment without a name": not numbers <= snapshot.names.keys(),
        "a parent group without a name": not {s.family for s in segments} <= {0, *snapshot.families},
        "a rule of unknown features": not {c.feature for c in conditions} <= set(snapshot.features),
        "a share outside of 0 to 1": not all(0 <= share <= 1 for share in shares),
        "a radius that is not positive": any(s.radius <= 0 for s in segments),
        "a cell twice": np.unique(cells).size < cells.size,
        "no cell, or a reserved one": not len(cells) or cells.min() <= NURSERY,
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            raise BadRecord(f"model version {snapshot.version} has {what}")
