"""The watch over raw event values: gathers a reference of whole days, freezes it, and charts what comes after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stream.drift.blocks import Block, Blocks, Chunks, FloatArray
from stream.drift.charts import Charts, charts_of
from stream.drift.episodes import Episodes, Turn
from stream.drift.reference import DAY_MS, Reference
from stream.settings import DriftSettings


@dataclass
class Watch:
    """Of some signals. Everything follows from the chunks and their order: no clock, no randomness."""

    settings: DriftSettings
    signals: Sequence[str]
    blocks: Blocks = field(init=False)
    gathered: list[Block] = field(default_factory=list)
    """The reference in the making; empty once it is frozen."""
    reference: Reference | None = None
    charts: Charts | None = None

    def __post_init__(self) -> None:
        self.blocks = Blocks(self.settings.block_events, len(self.signals))

    def take(self, chunks: Chunks, episodes: Episodes) -> list[Turn]:
        """More events; what turned by them."""
        turns = []
        for block in self.blocks.take(chunks):
            if self.reference is None or self.charts is None:
                self._gather(block)
            else:
                self.charts.update(self.reference.standardised(block.means, block.at_ms))
                turns += self._seen(block.at_ms, episodes)
        return turns

    @property
    def level(self) -> FloatArray:
        """The charts' statistics in their limits, (s,); 0 before there is a reference."""
        return np.zeros(len(self.signals)) if self.charts is None else self.charts.level

    def _seen(self, at_ms: int, episodes: Episodes) -> list[Turn]:
        pairs = zip(self.signals, self.level.tolist(), strict=True)
        return [turn for s, level in pairs for turn in episodes.see(s, self.settings.detector, level, at_ms)]

    def _gather(self, block: Block) -> None:
        settings, gathered = self.settings, self.gathered
        gathered.append(block)
        if len(gathered) >= settings.reference_blocks and self._days() >= settings.reference_days:
            means = np.array([b.means for b in gathered])
            at_ms = np.array([b.at_ms for b in gathered])
            self.reference = Reference.fit(means, at_ms, settings.ewmas)
            self.charts = charts_of(settings, self.reference.limit)
            self.gathered = []
        elif len(gathered) >= 4 * settings.reference_blocks:
            self._coarsen()

    def _days(self) -> float:
        return (self.gathered[-1].at_ms - self.gathered[0].at_ms) / DAY_MS

    def _coarsen(self) -> None:
        """On a quick stream blocks grow until some hundreds of them are the days of a reference."""
        pairs = zip(self.gathered[::2], self.gathered[1::2], strict=False)
        self.gathered = [Block(late.at_ms, (early.means + late.means) / 2.0) for early, late in pairs]
        self.blocks.events *= 2
