"""The monitor: all that the model owner knows of drift. Raw values as they come, the population at each macro step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stream.drift.abreast import Abreast
from stream.drift.blocks import Chunks, IntArray
from stream.drift.episodes import Episode, Episodes, Turn
from stream.drift.levels import population_levels
from stream.drift.picture import Difference, Picture, bins_of
from stream.drift.reference import DAY_MS
from stream.drift.signals import RAW
from stream.drift.watch import Watch
from stream.drift.week import Week
from stream.settings import DriftSettings

FROZEN, ROLLING = "frozen", "rolling"
SETTLED_HALF_LIVES = 3
"""Until then the population of a new stream drifts because its customers have no history yet."""


@dataclass(frozen=True)
class Plan:
    """What is watched, and how."""

    settings: DriftSettings = field(default_factory=DriftSettings)
    signals: tuple[str, ...] = ()
    """Raw signals, in order of the workers' sums."""
    settle_days: float = 0.0
    """Until customers' features have a history: before, they drift because they are young."""
    partitions: int = 1
    """Of the input."""


@dataclass(frozen=True)
class Report:
    """Drift at one macro step."""

    features: tuple[str, ...]
    differences: dict[str, Difference]
    """By reference, ``frozen`` or ``rolling``, once there is one; of the last population that was judged."""
    levels: dict[str, float]
    """Of each signal, in its limits."""
    active: tuple[Episode, ...]
    turns: tuple[Turn, ...] = ()
    """Since the last one."""
    apart_ms: int = 0
    """Event time between partitions."""
    is_judged: bool = True
    """Whether they are near enough for the population of now to be judged."""


@dataclass
class Monitor:
    """Deterministic: everything follows from the learning records and the macro steps."""

    plan: Plan
    watch: Watch = field(init=False)
    week: Week = field(default_factory=Week)
    abreast: Abreast = field(default_factory=Abreast)
    episodes: Episodes = field(default_factory=Episodes)
    turns: list[Turn] = field(default_factory=list)
    """Not told yet."""
    began_ms: int | None = None
    """Event time of the first macro step."""
    frozen: Picture | None = None
    bins: IntArray | None = None
    """Of every feature, as ``frozen`` has them, (d, GRID)."""
    judged: Picture | None = None
    """The last one whose partitions were abreast."""
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
        """At a macro step: judge the population, if it is of one time, and tell what turned."""
        if self.is_abreast:
            self._refer(now)
        differences, levels = self._judgement(features)
        if self.is_abreast:
            for signal, level in levels.items():
                self.turns += self.episodes.see(signal, "psi", level, now.at_ms)
        told, self.turns = tuple(self.turns), []
        return self._report(features, differences, levels, told)

    def report(self, features: Sequence[str]) -> Report:
        """How things stand; nothing is changed."""
        return self._report(features, *self._judgement(features))

    def _report(
        self,
        features: Sequence[str],
        differences: dict[str, Difference],
        levels: dict[str, float],
        turns: tuple[Turn, ...] = (),
    ) -> Report:
        raw = dict(zip(self.watch.signals, self.watch.level.tolist(), strict=True))
        return Report(
            features=tuple(features),
            differences=differences,
            levels=raw | levels,
            active=tuple(self.episodes.active[signal] for signal in sorted(self.episodes.active)),
            turns=turns,
            apart_ms=self.abreast.apart_ms,
            is_judged=self.is_abreast,
        )

    @property
    def is_abreast(self) -> bool:
        """Whether the partitions are near enough in event time for a population of one time."""
        return self.abreast.apart_ms <= self.plan.settings.span_days * DAY_MS

    def refreeze(self) -> None:
        """What is now is usual: all references begin anew, and what drifted has ended."""
        at_ms = self.today.at_ms if self.today is not None else 0
        at_ms = max([at_ms, *(episode.began_ms for episode in self.episodes.active.values())])
        self.turns += [Turn("ends", episode, at_ms) for episode in self.episodes.active.values()]
        self.episodes, self.frozen = Episodes(), None
        self.watch = Watch(self.plan.settings, self.watch.signals)

    def _differences(self) -> dict[str, Difference]:
        now, bins, references = self.judged, self.bins, {FROZEN: self.frozen, ROLLING: self.yesterday}
        if now is None or bins is None:
            return {}
        return {name: Difference(there, now, bins) for name, there in references.items() if there is not None}

    def _judgement(self, features: Sequence[str]) -> tuple[dict[str, Difference], dict[str, float]]:
        """The population against its references, and the levels of its signals: indices are counted once."""
        differences = self._differences()
        return differences, population_levels(features, differences.get(FROZEN), self.plan.settings.psi_least)

    def _refer(self, now: Picture) -> None:
        self.judged = now
        self.began_ms = now.at_ms if self.began_ms is None else self.began_ms
        is_settled = now.at_ms - self.began_ms >= self.plan.settle_days * DAY_MS
        if is_settled and (self.frozen is None or self.frozen.epoch != now.epoch):
            self.frozen, self.bins = now, bins_of(now, self.plan.settings.psi_bins)
        if self.today is None or now.at_ms // DAY_MS > self.today.at_ms // DAY_MS:
            self.yesterday, self.today = self.today, now
