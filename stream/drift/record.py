"""The monitor in the owner's record: as data, so that a new owner goes on where another one was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from stream.drift.abreast import Abreast
from stream.drift.blocks import Block
from stream.drift.charts import charts_of
from stream.drift.episodes import Episode, Turn
from stream.drift.histograms import GRID
from stream.drift.monitor import Monitor, Plan
from stream.drift.picture import DECISIONS, Picture
from stream.drift.reference import Reference
from stream.drift.signals import RAW
from stream.drift.week import Week
from stream.packing import Arrays

_PICTURES = ("frozen", "judged", "today", "yesterday")
_PARTS = ("grid", "numbers", "customers", "centroids", "radii", "per_step", "decisions")
_REFERENCE = ("by_hour", "by_weekday", "sd", "limit")


def head_of(monitor: Monitor) -> dict[str, Any]:
    """What of it is JSON."""
    pictures = {name: getattr(monitor, name) for name in _PICTURES}
    watch = monitor.watch
    return {
        "signals": list(monitor.plan.signals),
        "detector": monitor.plan.settings.detector,
        "partitions": monitor.plan.partitions,
        "reached_ms": sorted(monitor.abreast.reached_ms.items()),
        "week": [[day, *counts] for day, counts in sorted(monitor.week.days.items())],
        "began_ms": monitor.began_ms,
        "active": [asdict(episode) for episode in monitor.episodes.active.values()],
        "calm_ms": sorted(monitor.episodes.calm_ms.items()),
        "turns": [asdict(turn) for turn in monitor.turns],
        "block": [watch.blocks.events, watch.blocks.n, watch.blocks.at_ms],
        "gathered_ms": [block.at_ms for block in watch.gathered],
        "pictures": {name: [p.at_ms, p.epoch] for name, p in pictures.items() if p is not None},
    }


def arrays_of(monitor: Monitor) -> Arrays:
    """What of it is numbers."""
    watch, signals = monitor.watch, len(monitor.plan.signals)
    arrays: Arrays = {
        "drift_sums": np.zeros(signals) if watch.blocks.sums is None else watch.blocks.sums,
        "drift_gathered": np.array([block.means for block in watch.gathered]).reshape(len(watch.gathered), signals),
    }
    if watch.reference is not None and watch.charts is not None:
        arrays |= {f"drift_{part}": getattr(watch.reference, part) for part in _REFERENCE}
        arrays["drift_charts"] = watch.charts.memory()
    if monitor.bins is not None:
        arrays["drift_bins"] = monitor.bins
    for name in _PICTURES:
        if (picture := getattr(monitor, name)) is not None:
            arrays |= {f"drift_{name}_{part}": getattr(picture, part) for part in _PARTS}
    return arrays


def monitor_of(head: Mapping[str, Any], arrays: Arrays, plan: Plan | None, d: int) -> Monitor:
    """The inverse, for ``d`` features. Under another ``plan`` what still has a meaning is kept; ``None``: as it was.

    Raises ``KeyError``, ``TypeError`` or ``ValueError``.
    """
    signals = tuple(map(str, head["signals"]))
    monitor = Monitor(plan or Plan(signals=signals, partitions=int(head["partitions"])))
    monitor.week = Week({int(day): (int(flaps), int(moves)) for day, flaps, moves in head["week"]})
    if monitor.plan.partitions == head["partitions"]:  # of another number, each has other customers
        monitor.abreast = Abreast({int(partition): int(at_ms) for partition, at_ms in head["reached_ms"]})
    monitor.began_ms = head["began_ms"]
    monitor.episodes.active = {said["signal"]: Episode(**said) for said in head["active"]}
    monitor.episodes.calm_ms = {str(signal): int(at_ms) for signal, at_ms in head["calm_ms"]}
    monitor.turns = [Turn(t["what"], Episode(**t["episode"]), int(t["at_ms"])) for t in head["turns"]]
    for name, (at_ms, epoch) in head["pictures"].items():
        setattr(monitor, name, _picture(int(at_ms), int(epoch), arrays, f"drift_{name}_", d))
    if "drift_bins" in arrays:
        monitor.bins = arrays["drift_bins"].reshape(d, GRID)
    if monitor.plan.signals == signals:
        _read_watch(monitor, head, arrays)
    else:
        active = monitor.episodes.active
        monitor.episodes.active = {signal: e for signal, e in active.items() if not signal.startswith(RAW)}
    return monitor


def _read_watch(monitor: Monitor, head: Mapping[str, Any], arrays: Arrays) -> None:
    watch, s = monitor.watch, len(monitor.plan.signals)
    events, watch.blocks.n, watch.blocks.at_ms = map(int, head["block"])
    watch.blocks.events = max(events, watch.blocks.events)
    watch.blocks.sums = arrays["drift_sums"].reshape(s) if watch.blocks.n else None
    means = arrays["drift_gathered"].reshape(len(head["gathered_ms"]), s)
    watch.gathered = [Block(int(at), row) for at, row in zip(head["gathered_ms"], means, strict=True)]
    if "drift_charts" in arrays:
        watch.reference = Reference(*(arrays[f"drift_{part}"] for part in _REFERENCE))
        is_same = head["detector"] == monitor.plan.settings.detector
        memory = arrays["drift_charts"] if is_same else None
        watch.charts = charts_of(monitor.plan.settings, watch.reference.limit, memory)


def _picture(at_ms: int, epoch: int, arrays: Arrays, prefix: str, d: int) -> Picture:
    parts = {part: arrays[prefix + part] for part in _PARTS}
    shapes = {"grid": (d, GRID), "centroids": (len(parts["numbers"]), d), "decisions": (len(DECISIONS), 2)}
    if any(parts[part].shape != shape for part, shape in shapes.items()):
        raise ValueError("a picture of another number of features")
    return Picture(at_ms, epoch, **parts)
