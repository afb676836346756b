"""Episodes: a drift begins when a signal's level passes 1, and ends when it has come back to half of that.

Two thresholds, so that a level which trembles at its limit is one drift and not twenty (Schmitt 1938).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

ENDS_BELOW = 0.5
"""Of the level at which one begins."""


@dataclass(frozen=True)
class Episode:
    """One drift of one signal. Times are event time."""

    signal: str
    detector: str
    since_ms: int
    """When the signal was last seen well within its limits."""
    began_ms: int
    """When it was found."""
    level: float
    """Highest so far, in limits."""


@dataclass(frozen=True)
class Turn:
    """An episode began, or ended."""

    what: Literal["begins", "ends"]
    episode: Episode
    at_ms: int


@dataclass
class Episodes:
    """Which signals drift now.

    >>> episodes = Episodes()
    >>> for at_ms, level in enumerate([0.2, 0.7, 1.1, 0.9, 0.4]):
    ...     for turn in episodes.see("spend", "ewma", level, at_ms):
    ...         print(turn.what, turn.at_ms, turn.episode.since_ms, turn.episode.level)
    begins 2 0 1.1
    ends 4 0 1.1
    """

    active: dict[str, Episode] = field(default_factory=dict)
    calm_ms: dict[str, int] = field(default_factory=dict)
    """When each signal was last well within its limits."""

    def see(self, signal: str, detector: str, level: float, at_ms: int) -> list[Turn]:
        """A signal's level now; what turned by it."""
        episode = self.active.get(signal)
        if level < ENDS_BELOW:
            self.calm_ms[signal] = at_ms
            return [] if episode is None else [Turn("ends", self.active.pop(signal), at_ms)]
        if episode is not None:
            self.active[signal] = replace(episode, level=max(episode.level, level))
            return []
        if level < 1.0:
            return []
        since_ms = self.calm_ms.get(signal, at_ms)
        self.active[signal] = Episode(signal, detector, since_ms, at_ms, level)
        return [Turn("begins", self.active[signal], at_ms)]
