"""Plain-language names: what sets a segment's average customer apart from the population's.

    "frequent, high spend, few discounts"

A word is one end of a feature (``Feature.low`` or ``high``). It enters a name when the segment's mean is half
a standard deviation off the population's. Names are read by people, so they are calm: a word in the name is
favoured by a quarter of a standard deviation and one outside handicapped by as much, and only a difference
that lasts for seven days of event time renames.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stream.model.snapshot import FloatArray
from stream.settings import Feature

THRESHOLD_SD = 0.5
HYSTERESIS_SD = 0.25
PATIENCE_MS = 7 * 86_400_000
WORDS_AT_MOST = 3
VALUE_WORDS_AT_MOST = 2
"""As long as a word of behaviour stands out too: how much is only half of who."""
NAME_BYTES = 60
AVERAGE = "average"

Word = tuple[str, bool]
"""A feature's name, and whether its high end is meant."""


class Described(Protocol):
    """What the learner needs to know of the features; ``customer.features.FeatureSet`` is one."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order of the vector."""
        ...

    @property
    def features(self) -> tuple[Feature, ...]:
        """Declarations in order of the vector."""
        ...

    @property
    def weight(self) -> FloatArray:
        """Declared weights, (d,)."""
        ...

    @property
    def min_sd(self) -> FloatArray:
        """Least standard deviation that counts as variation, in steps, (d,)."""
        ...

    @property
    def features_id(self) -> str:
        """Hash of everything that gives the numbers their meaning."""
        ...

    def natural(self, y: FloatArray) -> FloatArray:
        """Vectors in steps (n, d) in natural units."""
        ...

    def steps(self, natural: FloatArray) -> FloatArray:
        """Inverse of ``natural`` within the declared ranges."""
        ...


@dataclass(frozen=True)
class Wording:
    """A segment's name, the words it is made of, and since when (event time) others would fit better."""

    name: str
    words: tuple[Word, ...]
    doubted_since_ms: int | None = None
    is_pinned: bool = False
    """A person wants it to stay as it is."""


@dataclass(frozen=True)
class Namer:
    """Names the segments of one macro step."""

    features: tuple[Feature, ...]
    weight: FloatArray
    """Weights of the snapshot's scale, (d,)."""

    def name(
        self,
        differences: Mapping[int, FloatArray],
        before: Mapping[int, Wording],
        now_ms: int,
        shifted: Iterable[int] = (),
        taken: Iterable[str] = (),
    ) -> dict[int, Wording]:
        """Wording of each segment number.

        ``differences`` (d,) are from the population's mean in its standard deviations. A segment in
        ``shifted`` was just declared to be elsewhere and need not wait. No name equals another or one that is
        ``taken``.
        """
        wordings, fresh = dict[int, Wording](), dict[int, tuple[Word, ...]]()
        for number, difference in differences.items():
            old = before.get(number)
            words = self.words(difference, old.words if old else None)
            if old is not None and old.is_pinned:
                wordings[number] = old
            elif old is None or (_differ(words, old.words) and (number in shifted or _is_due(old, now_ms))):
                fresh[number] = words
            else:
                wordings[number] = _doubted(old, now_ms) if _differ(words, old.words) else _trusted(old)
        names = {*taken, *(wording.name for wording in wordings.values())}
        for number, words in sorted(fresh.items()):
            name = self._unique(words, differences[number], number, names)
            wordings[number] = Wording(name, words)
            names.add(name)
        return wordings

    def words(self, difference: FloatArray, held: tuple[Word, ...] | None = None) -> tuple[Word, ...]:
        """What stands out: at most three words, value before behaviour, each kind by difference x weight.

        ``held`` are the words that the name has so far, ``None`` if there is no name yet.
        """
        favour = np.zeros(len(self.features))
        if held is not None:
            is_held = [self._word(i, difference) in held for i in range(len(self.features))]
            favour = np.where(is_held, HYSTERESIS_SD, -HYSTERESIS_SD)
        standing = np.abs(difference) + favour
        order = self._order(standing, (standing >= THRESHOLD_SD) & (self.weight > 0))
        value = [i for i in order if self.features[i].group == "value"]
        behaviour = [i for i in order if self.features[i].group != "value"]
        room = max(VALUE_WORDS_AT_MOST, WORDS_AT_MOST - len(behaviour))
        chosen = (value[:room] + behaviour)[:WORDS_AT_MOST]
        return tuple(self._word(i, difference) for i in chosen)

    def text(self, words: Iterable[Word]) -> str:
        """The words as people read them, as many as fit."""
        by_name = {feature.name: feature for feature in self.features}
        name = ""
        for feature, high in words:
            said = by_name[feature].high if high else by_name[feature].low
            longer = f"{name}, {said}" if name else cut(said, NAME_BYTES)
            name = longer if len(longer.encode()) <= NAME_BYTES else name
        return name or AVERAGE

    def _unique(self, words: tuple[Word, ...], difference: FloatArray, number: int, names: set[str]) -> str:
        """The name, with as many further words as it takes to tell it from others, or with its number."""
        further = [self._word(i, difference) for i in self._order(np.abs(difference), self.weight > 0)]
        told = list(words)
        name = self.text(told)
        for word in (w for w in further if w not in words):
            if name not in names:
                return name
            told.append(word)
            name = self.text(told)
        suffix = f" s{number}"
        return name if name not in names else cut(self.text(words), NAME_BYTES - len(suffix)) + suffix

    def _order(self, standing: FloatArray, eligible: NDArray[np.bool_]) -> list[int]:
        score = standing * self.weight
        return [int(i) for i in np.argsort(-score, kind="stable") if eligible[i]]

    def _word(self, feature: int, difference: FloatArray) -> Word:
        return self.features[feature].name, bool(difference[feature] > 0)


def cut(text: str, limit_bytes: int) -> str:
    """The longest beginning of ``text`` that is at most ``limit_bytes`` of UTF-8 and whole characters.

    >>> cut("häufig", 2), cut("häufig", 3)
    ('h', 'hä')
    """
    return text.encode()[:limit_bytes].decode(errors="ignore").rstrip()


def _differ(words: tuple[Word, ...], others: tuple[Word, ...]) -> bool:
    """Order is no reason to rename."""
    return set(words) != set(others)


def _is_due(wording: Wording, now_ms: int) -> bool:
    return wording.doubted_since_ms is not None and now_ms - wording.doubted_since_ms >= PATIENCE_MS


def _doubted(wording: Wording, now_ms: int) -> Wording:
    return wording if wording.doubted_since_ms is not None else replace(wording, doubted_since_ms=now_ms)


def _trusted(wording: Wording) -> Wording:
    return replace(wording, doubted_since_ms=None)
