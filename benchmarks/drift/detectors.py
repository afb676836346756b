"""The detectors: the service's own watch, and river's, fed each event or blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from river import drift

from benchmarks.drift.streams import FloatArray, IntArray, Stream, rounds
from stream.drift.blocks import Blocks, Chunks
from stream.drift.episodes import Episodes
from stream.drift.watch import Watch
from stream.settings import DriftSettings

POLL = 2000

Alarms = list[tuple[int, int]]
"""(event at which it was raised, signal)."""


def segstream(stream: Stream) -> Alarms:
    """As shipped: episodes that begin. Several signals at once, as in the service."""
    settings = DriftSettings()
    names = [str(signal) for signal in range(stream.values.shape[1])]
    watch, episodes, alarms = Watch(settings, names), Episodes(), []
    for part in rounds(len(stream.values), POLL):
        turns = watch.take(Chunks.of(stream.values[part], stream.at_ms[part], settings.block_events), episodes)
        for turn in turns:
            if turn.what == "begins":
                seen = int(np.searchsorted(stream.at_ms, turn.at_ms, side="right"))
                alarms.append((seen, int(turn.episode.signal)))
    return alarms


def adwin_event(stream: Stream) -> Alarms:
    """river's ADWIN as its documentation feeds it."""
    return _fed(stream.values, np.arange(1, 1 + len(stream.values)), drift.ADWIN)


def page_hinkley_event(stream: Stream) -> Alarms:
    """river's Page-Hinkley as its documentation feeds it."""
    return _fed(stream.values, np.arange(1, 1 + len(stream.values)), drift.PageHinkley)


def adwin_block(stream: Stream) -> Alarms:
    """river's ADWIN on the service's block means."""
    events = DriftSettings().block_events
    blocks = Blocks(events, stream.values.shape[1]).take(Chunks.of(stream.values, stream.at_ms, events))
    return _fed(np.array([b.means for b in blocks]), events * np.arange(1, 1 + len(blocks)), drift.ADWIN)


DETECTORS: dict[str, Callable[[Stream], Alarms]] = {
    "segstream": segstream,
    "adwin_event": adwin_event,
    "adwin_block": adwin_block,
    "page_hinkley_event": page_hinkley_event,
}


def _fed(values: FloatArray, seen: IntArray, build: Callable[[], Any]) -> Alarms:
    alarms = []
    for signal in range(values.shape[1]):
        detector = build()
        for at, value in zip(seen.tolist(), values[:, signal].tolist(), strict=True):
            detector.update(value)
            if detector.drift_detected:
                alarms.append((at, signal))
    return alarms
