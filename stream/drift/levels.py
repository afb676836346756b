"""How far the signals of the population are in their limits."""

from __future__ import annotations

from collections.abc import Sequence

from stream.drift.picture import DECISIONS, Difference
from stream.drift.signals import DECISION, FEATURE, SHARE


def population_levels(features: Sequence[str], difference: Difference | None, least: float) -> dict[str, float]:
    """Of the signals of the population: PSI over what is noise or, ``least``, too little to tell.

    0 before there is a reference: ``difference`` is from the frozen one.
    """
    names = (SHARE, *(FEATURE + name for name in features), *(DECISION + name for name in DECISIONS))
    if difference is None:
        return dict.fromkeys(names, 0.0)
    indices = (difference.share_psi, *difference.feature_psi, *difference.decision_psi)
    floors = (difference.share_floor, *difference.feature_floors, *difference.decision_floors)
    return {n: index / max(least, noise) for n, index, noise in zip(names, indices, floors, strict=True)}
