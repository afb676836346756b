"""Evidence: do decisions come out again from the topics alone, and do counterfactuals hold what they say?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks.quality.service import Run, Told
from consumers.assembling import decode_rules
from consumers.auditing.redoing import Redoing, decided_again
from consumers.memory_source import MemoryTail
from consumers.verifying import verify
from stream.customer.features import STEPS, FeatureSet
from stream.decision.assign import Assigner
from stream.errors import BadRecord
from stream.model.snapshot_record import snapshot_of
from stream.settings import Feature

DECISIONS = 10_000
"""So many are verified at least, if that many were made."""


def verified(lives: Iterable[Run], enough: int = DECISIONS) -> dict[str, Any]:
    """What ``segstream verify`` says of the changes that whole lives under a moving model have published.

    Life after life until there are enough. A decision that cannot be made again counts as one that comes out wrong:
    here nothing is beyond its retention.
    """
    same = decisions = 0
    models: set[tuple[int, int]] = set()
    for number, life in enumerate(lives):
        found = verify(life.settings, MemoryTail(life.twins.broker), life.settings.topics.partitions)
        same += found.same
        decisions += found.same + found.gone + len(found.differing)
        models |= {(number, change.model_version) for change in life.changes if change.model_version}
        if decisions >= enough:
            break
    share = same / decisions if decisions else None
    return {"verify_share": share, "verify_decisions": decisions, "verify_models": len(models)}


def verify_states_share(life: Run) -> float | None:
    """Share of the states ever written that come out to the byte when every batch is decided again."""
    models = _models(life)
    same = written = 0
    for partition in range(life.settings.topics.partitions):
        rules = decode_rules(life.settings, life.settings.topics.partitions)
        redoing = Redoing(life.settings, life.features, partition, rules, models.get)
        for batch, redone in decided_again(redoing, MemoryTail(life.twins.broker)):
            again = redone.states if redone else {}
            names = {*batch.states, *again}
            written += len(names)
            same += sum(batch.states.get(name) == again.get(name) for name in names)
    return same / written if written else None


def counterfactual_flips(life: Run) -> float | None:
    """Share of the counterfactuals told with which, applied to the vector, the old segment would have been kept."""
    models = _models(life)
    kept = [_is_kept(life.features, models[t.change.model_version], t) for t in life.told]
    return float(np.mean(kept)) if kept else None


def steps_of(feature: Feature, natural: float) -> int:
    """A value in natural units as steps of the feature's declared range, from the declaration alone.

    >>> said = {"name": "s", "kind": "share", "of": "a", "per": "b", "range": (0, 1)}
    >>> steps_of(Feature(**said, unit="share", low="low", high="high"), 0.75)
    8000
    """
    value, low, high = (_transformed(feature, x) for x in (natural, *feature.range))
    return round((value - low) / (high - low) * STEPS) - STEPS // 2


def _is_kept(features: FeatureSet, model: Assigner, told: Told) -> bool:
    said, previous = told.change.counterfactual, told.change.previous
    assert said is not None
    assert previous is not None
    position = features.names.index(said.feature)
    y = told.y.copy()
    y[position] = steps_of(features.features[position], said.value)
    old = np.array([int(previous.id[1:])])
    return bool(model.decide(model.distances(y[None]), old).segment[0] == old[0])


def _transformed(feature: Feature, natural: float) -> float:
    return float(np.log1p(natural)) if feature.transform == "log1p" else natural


def _models(life: Run) -> dict[int, Assigner]:
    """Every model of a run by its version, from the model topic."""
    entries, _ = life.twins.broker.read(life.settings.topics.model, 0, 0, 1 << 62)
    return {model.snapshot.version: model for model in _read(life, (entry.value or b"" for _, entry in entries))}


def _read(life: Run, records: Iterable[bytes]) -> Iterable[Assigner]:
    for record in records:
        try:
            yield Assigner(snapshot_of(record, life.features.features_id, 0))
        except BadRecord:
            continue
