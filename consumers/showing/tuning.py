"""The curve of margins as a table, with bars: what becomes less, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumers.showing import styles
from consumers.showing.words import number
from consumers.tuning.curve import FOUND_DAYS, LASTING_DAYS, RETURN_EVENTS, Point

_BAR_WIDTH = 12


def curve_page(points: Sequence[Point], present: float, orders: int) -> RenderableType:
    """A line for each margin; the present one is marked."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("margin", justify="right")
    table.add_column("changes", justify="right")
    table.add_column("")
    table.add_column("A-B-A", justify="right")
    table.add_column("")
    table.add_column("delay, days", justify="right")
    table.add_column(f"within {FOUND_DAYS:.0f} days", justify="right")
    table.add_column("")
    most_changes = max((point.changes_per_1000 for point in points), default=0.0)
    most_returns = max((point.aba_per_1000 for point in points), default=0.0)
    for point in points:
        is_present = point.margin == present
        table.add_row(
            Text(f"{point.margin:.2f}", "bold" if is_present else ""),
            Text(number(point.changes_per_1000)),
            _bar(point.changes_per_1000, most_changes, "cyan"),
            Text(number(point.aba_per_1000)),
            _bar(point.aba_per_1000, most_returns, "yellow"),
            Text(_days(point.delay_days_p50)),
            Text("-" if point.found is None else f"{100 * point.found:.0f} %"),
            Text("now" if is_present else "", "bold"),
        )
    notes = (
        f"changes and A-B-A (back within {RETURN_EVENTS} own events) in 1,000 events; {orders:,} orders lived through",
        f"delay: half of the moves that last {LASTING_DAYS:.0f} days without any margin are seen so much later with it",
        "choose with: [model] margin = 0.2",
    )
    return Group(table, Text(), *map(styles.quiet, notes))


def _bar(value: float, most: float, colour: str) -> RenderableType:
    return Bar(most or 1.0, 0, value, width=_BAR_WIDTH, color=colour)


def _days(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if isfinite(value) else "never"
