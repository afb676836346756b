"""The monitor: all that the model owner knows of drift. Raw values as they come, the population at each macro step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stream.drift.blocks import Chunks, IntArray
from stream.drift.episodes import Episode, Episodes, Turn
from stream.drift.picture import Difference, Picture, bins_of
from stream.drift.reference import DAY_MS
from stream.drift.signals import FEATURE, RAW, SHARE
from stream.drift.watch import Watch
from stream.settings import DriftSettings

FROZEN, ROLLING = "frozen", "rolling"


@dataclass(frozen=True)
class Plan:
    """What is watched, and how."""

    settings: DriftSettings = field(default_factory=DriftSettings)
    signals: tuple[str, ...] = ()
    """Raw signals, in order of the workers' sums."""
    settle_days: float = 0.0
    """Until customers' features have a history: before, they drift because they are young."""


@dataclass(frozen=True)
class Report:
    """Drift at one macro step."""

    features: tuple[str, ...]
    differences: dict[str, Difference]
    """By reference, ``frozen`` or ``rolling``, once there is one."""
    levels: dict[str, float]
    """Of each signal, in its limits."""
    active: tuple[Episode, ...]
    turns: tuple[Turn, ...] = ()
    """Since the last one."""


@dataclass
class Monitor:
    """Deterministic: everything follows from the learning records and the macro steps."""

    plan: Plan
    watch: Watch = field(init=False)
    episodes: Episodes = field(default_factory=Episodes)
    turns: list[Turn] = field(default_factory=list)
    """Not told yet."""
    began_ms: int | None = None
    """Event time of the first macro step."""
    frozen: Picture | None = None
    bins: IntArray | None = None
    """Of every feature, as ``frozen`` has them, (d, GRID)."""
    today: Picture | None = None
    """The first of the event day; ``yesterday``'s is what ``rolling`` compares with."""
    yesterday: Picture | None = None

    def __post_init__(self) -> None:
        self.watch = Watch(self.plan.settings, [f"{RAW}{name}" for name in self.plan.signals])

    def learn(self, chunks: Chunks) -> None:
        """Raw values; those of a worker with other signals are passed over."""
        if chunks.sums.shape[1] == len(self.plan.signals):
            self.turns += self.watch.take(chunks, self.episodes)

    def look(self, now: Picture, features: Sequence[str]) -> Report:
        """At a macro step: bring the references up to ``now``, and tell what turned."""
        self._refer(now)
        for signal, level in self._levels(now, features).items():
            if signal not in self.watch.signals:
                self.turns += self.episodes.see(signal, "psi", level, now.at_ms)
        told, self.turns = tuple(self.turns), []
        return self.report(now, features, told)

    def report(self, now: Picture, features: Sequence[str], turns: tuple[Turn, ...] = ()) -> Report:
        """How things stand; nothing is changed."""
        active = tuple(self.episodes.active[signal] for signal in sorted(self.episodes.active))
        return Report(tuple(features), self._differences(now), self._levels(now, features), active, turns)

    def refreeze(self) -> None:
        """What is now is usual: all references begin anew, and what drifted has ended."""
        at_ms = self.today.at_ms if self.today is not None else 0
        at_ms = max([at_ms, *(episode.began_ms for episode in self.episodes.active.values())])
        self.turns += [Turn("ends", episode, at_ms) for episode in self.episodes.active.values()]
        self.episodes, self.frozen = Episodes(), None
        self.watch = Watch(self.plan.settings, self.watch.signals)

    def _differences(self, now: Picture) -> dict[str, Difference]:
        if self.bins is None:
            return {}
        references = {FROZEN: self.frozen, ROLLING: self.yesterday}
        return {name: Difference(there, now, self.bins) for name, there in references.items() if there is not None}

    def _levels(self, now: Picture, features: Sequence[str]) -> dict[str, float]:
        """Raw values by their chart, the population by its PSI over what is noise or too little to tell."""
        levels = dict(zip(self.watch.signals, self.watch.level.tolist(), strict=True))
        least, difference = self.plan.settings.psi_least, self._differences(now).get(FROZEN)
        if difference is None:
            return levels | dict.fromkeys((SHARE, *(FEATURE + name for name in features)), 0.0)
        levels[SHARE] = difference.share_psi / max(least, difference.share_floor)
        for name, index, noise in zip(features, difference.feature_psi, difference.feature_floors, strict=True):
            levels[FEATURE + name] = index / max(least, noise)
        return levels

    def _refer(self, now: Picture) -> None:
        self.began_ms = now.at_ms if self.began_ms is None else self.began_ms
        is_settled = now.at_ms - self.began_ms >= self.plan.settle_days * DAY_MS
        if is_settled and (self.frozen is None or self.frozen.epoch != now.epoch):
            self.frozen, self.bins = now, bins_of(now, self.plan.settings.psi_bins)
        if self.today is None or now.at_ms // DAY_MS > self.today.at_ms // DAY_MS:
            self.yesterday, self.today = self.today, now
