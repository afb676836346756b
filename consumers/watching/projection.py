"""The segment map: profiles in two dimensions whose axes are found once and then stay, or the map would spin."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consumers.showing.words import feature_words

Profiles = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By segment and feature, as in the ``segments`` hash."""

_LEAST = 2
"""Segments that it takes to tell a direction."""
_TRAIL = 12
_STEP = 0.02
"""Of the map's width: a segment that moved less has not moved."""
_NAMED = 2
"""Features in the words of an axis."""


@dataclass(frozen=True)
class Axes:
    """Principal components of the first segments seen, in standardised logarithms of their means."""

    features: tuple[str, ...]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    directions: NDArray[np.float64]
    """(2, features)."""

    def place(self, profile: Mapping[str, Mapping[str, Any]]) -> tuple[float, float]:
        """Where a segment is on the map."""
        x, y = self.directions @ ((_vector(profile, self.features) - self.centre) / self.scale)
        return float(x), float(y)

    def words(self) -> list[str]:
        """What grows along each axis, such as ``orders, spend``; a minus before what shrinks."""
        said = []
        for direction in self.directions:
            strongest = np.argsort(-np.abs(direction))[:_NAMED]
            features = (("" if direction[i] > 0 else "fewer ") + feature_words(self.features[i]) for i in strongest)
            said.append(", ".join(features))
        return said


@dataclass
class Projection:
    """The axes, and the way each segment has gone since they were found."""

    axes: Axes | None = None
    trails: dict[str, deque[tuple[float, float]]] = field(default_factory=dict)
    extent: float = 1.0
    """Nothing has been farther from the middle: it only grows, so that the map does not zoom to and fro."""

    def look(self, profiles: Profiles) -> None:
        """Place the segments as they are now."""
        if self.axes is None:
            self.axes = _axes(profiles)
        if self.axes is None:
            return
        if not all(self.axes.features == tuple(sorted(profile)) for profile in profiles.values()):
            self.axes, self.trails = _axes(profiles), {}  # other features were declared
            return
        self.trails = {id_: self._moved(id_, self.axes.place(profile)) for id_, profile in profiles.items()}

    def to_json(self) -> dict[str, Any] | None:
        """Points between -1 and 1, each with where it came from, oldest first."""
        if self.axes is None:
            return None
        return {
            "axes": self.axes.words(),
            "points": {
                id_: [[round(x / self.extent, 3), round(y / self.extent, 3)] for x, y in trail]
                for id_, trail in self.trails.items()
            },
        }

    def _moved(self, id_: str, at: tuple[float, float]) -> deque[tuple[float, float]]:
        self.extent = max(self.extent, abs(at[0]), abs(at[1]))
        trail = self.trails.get(id_) or deque([at], maxlen=_TRAIL)
        if max(abs(at[0] - trail[-1][0]), abs(at[1] - trail[-1][1])) > _STEP * self.extent:
            trail.append(at)
        return trail


def _axes(profiles: Profiles) -> Axes | None:
    if len(profiles) < _LEAST:
        return None
    features = tuple(sorted(next(iter(profiles.values()))))
    table = np.array([_vector(profile, features) for profile in profiles.values()])
    scale = table.std(axis=0)
    scale[scale < 1e-9] = 1.0
    centre = table.mean(axis=0)
    _, _, directions = np.linalg.svd((table - centre) / scale, full_matrices=True)
    found = directions[:2] if len(features) > 1 else np.vstack([directions, 0 * directions])
    signs = np.where(found[np.arange(2), np.abs(found).argmax(axis=1)] < 0, -1.0, 1.0)  # more is to the right and up
    return Axes(features, centre, scale, found * signs[:, None])


def _vector(profile: Mapping[str, Mapping[str, Any]], features: tuple[str, ...]) -> NDArray[np.float64]:
    """Logarithms of what is not a share: twice as much is as far everywhere."""
    return np.array([log1p(max(profile[name]["value"], -0.99)) if name in profile else 0.0 for name in features])
