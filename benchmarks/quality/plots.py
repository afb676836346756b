"""Plots: how large the segments are over time, who went where between checkpoints, and how true they were."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmarks.quality.agreement import active, agreement, ari
from benchmarks.quality.checkpoints import Ceiling
from benchmarks.quality.data import FloatArray, IntArray
from benchmarks.quality.history import NONE
from benchmarks.quality.service import Run

WEEK_DAYS = 7
_BAR = 0.12
"""Width of a checkpoint's column, of the way to the next."""


def draw(life: Run, ceiling: Ceiling | None, folder: Path) -> list[Path]:
    """Write the plots of one run and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = {"segments": _segments, "flow": _flow, "agreement": _agreement}
    written = []
    for name, plot in plots.items():
        figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
        plot(axes, life, ceiling)
        written.append(folder / f"{name}.png")
        figure.savefig(written[-1], dpi=120)
        plt.close(figure)
    return written


def colours(life: Run) -> dict[int, tuple[float, float, float, float]]:
    """One for every segment there ever was."""
    numbers = sorted(set(life.history.segment[life.history.segment != NONE].tolist()))
    palette = mpl.colormaps["tab20"]
    return {number: palette(i % 20) for i, number in enumerate(numbers)}


def _segments(axes: Axes, life: Run, _: Ceiling | None) -> None:
    colour, data = colours(life), life.data
    days = range(WEEK_DAYS - 1, data.days, WEEK_DAYS)
    counts = np.array([_counts(life, day, [*colour]) for day in days])
    names = life.stops[-1].assigner.snapshot.names
    labels = [f"s{number} {names.get(number, '')}" for number in colour]
    axes.stackplot(list(days), counts.T, colors=list(colour.values()), labels=labels)
    axes.set(
        title=f"Segments of the active customers: {data.name}", xlabel="day", ylabel="customers", xlim=(0, data.days)
    )
    handles, said = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], said[::-1], loc="upper left", bbox_to_anchor=(1, 1), fontsize="small", title="last name")


def _counts(life: Run, day: int, numbers: list[int]) -> IntArray:
    ms = life.data.end_of_day_ms(day)
    held = life.history.held(ms)[active(life.data, ms)]
    return np.array([np.count_nonzero(held == number) for number in numbers])


def _flow(axes: Axes, life: Run, _: Ceiling | None) -> None:
    """Columns of segments at checkpoints, bands between them: customers who are active at both."""
    colour, data = colours(life), life.data
    days = [stop.day for stop in life.stops]
    for place, (left, right) in enumerate(pairwise(days)):
        ends = [data.end_of_day_ms(day) for day in (left, right)]
        who = active(data, ends[0]) & active(data, ends[1])
        before, after = (life.history.held(ms)[who] for ms in ends)
        table = _table(before, after, [*colour])
        _bands(axes, table / max(table.sum(), 1), place, list(colour.values()))
    axes.set_xticks(range(len(days)), [f"day {day}" for day in days])
    handles = [Rectangle((0, 0), 1, 1, color=shade) for shade in colour.values()]
    axes.legend(handles, [f"s{number}" for number in colour], loc="upper left", bbox_to_anchor=(1, 1))
    axes.set(title=f"Flow between segments: {data.name}", ylabel="share of customers active at both", ylim=(0, 1))


def _table(left: IntArray, right: IntArray, numbers: list[int]) -> FloatArray:
    return np.array([[np.count_nonzero((left == a) & (right == b)) for b in numbers] for a in numbers], np.float64)


def _bands(axes: Axes, table: FloatArray, place: float, shades: list[tuple[float, float, float, float]]) -> None:
    into = np.concatenate([[0.0], np.cumsum(table.sum(axis=0))[:-1]])
    at = 0.0
    ease = (1 - np.cos(np.linspace(0, np.pi, 30))) / 2
    x = place + _BAR / 2 + np.linspace(0, 1, 30) * (1 - _BAR)
    for i, row in enumerate(table):
        axes.bar(place, row.sum(), _BAR, bottom=at, color=shades[i])
        for j, share in enumerate(row):
            low = at + ease * (into[j] - at)
            axes.fill_between(x, low, low + share, color=shades[i], alpha=0.75 if i == j else 0.45, linewidth=0)
            at, into[j] = at + share, into[j] + share
    bottom = 0.0
    for j, share in enumerate(table.sum(axis=0)):
        axes.bar(place + 1, share, _BAR, bottom=bottom, color=shades[j])
        bottom += share


def _agreement(axes: Axes, life: Run, ceiling: Ceiling | None) -> None:
    """With the truth where there is one; else with the first of the checkpoints: how far the population has moved."""
    data, days = life.data, list(range(life.stops[0].day, life.data.days, WEEK_DAYS))
    held = {day: life.history.held(data.end_of_day_ms(day)) for day in days}
    if ceiling is not None:
        axes.plot(days, [agreement(data, held[day], day) for day in days], label="segments held")
        at = [stop.day for stop in life.stops]
        found = [ceiling.agreement(life.history.held(data.end_of_day_ms(day)), day) for day in at]
        axes.plot(at, found, "k^--", label="batch re-fit at the checkpoint")
        axes.set(title=f"Agreement with the true personas: {data.name}", ylabel="adjusted Rand index")
    else:
        pairs = [(day, day - WEEK_DAYS) for day in days[1:]]
        found = [ari(held[now], held[before], active(data, data.end_of_day_ms(now))) for now, before in pairs]
        axes.plot([now for now, _ in pairs], found, label="with the week before")
        axes.set(title=f"Agreement with the week before: {data.name}", ylabel="adjusted Rand index")
    axes.set(xlabel="day", ylim=(0, 1.02), xlim=(0, data.days))
    axes.legend(loc="lower left")
