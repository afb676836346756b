"""From a sample to declarations: what can be kept of these customers, and what a median one of them does. Pure.

The features are those that hold for orders of any trade (DESIGN 3): how often and how much at weight 1, how and of
what at weight .5. What the file says nothing of is not declared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from consumers.suggesting.drafts import Pace, accumulators_for, category_drafts, drafts_for
from consumers.suggesting.measuring import are_dates, known, median_gap_days, raw, round_above, rounded, sd_steps
from consumers.suggesting.sample import Sample
from producers.orders import UNKNOWN_CATEGORY
from stream.contracts.events import Event
from stream.customer.features import FeatureSet, FloatArray
from stream.settings import Accumulator, CustomerSettings, Feature

GUESSED_GAP_DAYS = 7.0
_GAP_BOUNDS_DAYS = (1 / 24, 365.0)
"""Below an hour gaps are those of machines, beyond a year nobody is waited for."""
_MIX_VALUES = 8
_CATEGORY_SHARES = 3
"""More shares of one whole say the same over and over; the entropy has the rest."""
_ROOM = 4.0
"""How far beyond the sample a range goes: who is there but once would else be clipped."""
_FAR = 0.995
_LEAST_TOP = 0.01
"""Of a range, so that a feature that is always 0 has one too."""


@dataclass(frozen=True)
class Suggestion:
    """What the settings file is to say, and what is to be said beside it."""

    sample: Sample
    pace: Pace
    is_gap_guessed: bool
    has_hours: bool
    categories: int
    """How many there are, whether or not they are worth a mix."""
    accumulators: tuple[Accumulator, ...]
    features: tuple[Feature, ...]
    near_constant: frozenset[str]
    """Names of features that hardly vary in the sample."""


def suggest(sample: Sample) -> Suggestion:
    """Declarations for the service that is to segment these customers."""
    events, timezone = sample.events, sample.timezone or "UTC"
    gap = median_gap_days(events)
    basket = float(np.median([abs(event.amount) for event in events]))
    pace = Pace(rounded(float(np.clip(gap or GUESSED_GAP_DAYS, *_GAP_BOUNDS_DAYS))), basket)
    has_hours = not are_dates(events, timezone)
    common = _common_categories(events)
    mix = common[:_MIX_VALUES] if len(common) > 1 else []
    accumulators = accumulators_for(events, mix, has_hours=has_hours)
    compiled = _Compiled(accumulators, pace, timezone, known(events))
    told = compiled.most_telling(category_drafts(mix, pace))
    features = compiled.finished([*drafts_for(accumulators, pace), *told])
    return Suggestion(
        sample=sample,
        pace=pace,
        is_gap_guessed=gap is None,
        has_hours=has_hours,
        categories=len(common),
        accumulators=accumulators,
        features=features,
        near_constant=compiled.near_constant(features),
    )


def _common_categories(events: Sequence[Event]) -> list[str]:
    """Categories by the number of orders that have them, the commonest first, then by name."""
    counts = Counter(category for event in events for category in {line[0] for line in event.lines})
    del counts[UNKNOWN_CATEGORY]
    return sorted(counts, key=lambda category: (-counts[category], category))


@dataclass(frozen=True)
class _Compiled:
    """Accumulators over events, ready to measure any features of them."""

    accumulators: tuple[Accumulator, ...]
    pace: Pace
    timezone: str
    events: Sequence[Event]

    def most_telling(self, drafts: Sequence[Feature]) -> list[Feature]:
        """Those that vary most between customers, in their own order."""
        if not drafts:
            return []
        spread = self._unshrunk(drafts).clip(0, 1).std(axis=0)
        return [drafts[i] for i in sorted(np.argsort(-spread, kind="stable")[:_CATEGORY_SHARES])]

    def finished(self, drafts: Sequence[Feature]) -> tuple[Feature, ...]:
        """The features with the median as prior, and with room above what is in the sample as range."""
        middle, far = np.quantile(self._unshrunk(drafts), [0.5, _FAR], axis=0).tolist()
        return tuple(_finished(draft, prior, top) for draft, prior, top in zip(drafts, middle, far, strict=True))

    def near_constant(self, features: Sequence[Feature]) -> frozenset[str]:
        """Names of those that the model would give weight 0 if everybody were as the sample is."""
        spread = sd_steps(self._set(features), self.events)
        return frozenset(f.name for f, sd in zip(features, spread.tolist(), strict=True) if sd < f.min_sd)

    def _unshrunk(self, drafts: Sequence[Feature]) -> FloatArray:
        """The drafts, measured; quotients without a prior, for it is what is looked for."""
        bare = [f.model_copy(update={"prior_weight": 0.0}) if f.per is not None else f for f in drafts]
        return raw(self._set(bare), self.events)

    def _set(self, features: Sequence[Feature]) -> FeatureSet:
        return FeatureSet(
            CustomerSettings(
                typical_gap_days=self.pace.typical_gap_days,
                timezone=self.timezone,
                accumulators=self.accumulators,
                features=tuple(features),
            )
        )


def _finished(draft: Feature, prior: float, far: float) -> Feature:
    changed: dict[str, object] = {}
    if draft.kind != "entropy":
        changed["prior"] = rounded(min(prior, 1.0) if draft.kind == "share" else prior)
    if draft.transform == "log1p":
        changed["range"] = (0.0, round_above(max(_ROOM * far, _LEAST_TOP)))
    return draft.model_copy(update=changed)
