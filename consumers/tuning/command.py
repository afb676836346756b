"""The command: read the orders, learn their segments, live through them once for each margin, show the curve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn as Bar
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from consumers.inspecting import console, print_json
from consumers.showing.tuning import curve_page
from consumers.suggesting.sample import draw
from consumers.tuning.curve import Point, curve
from consumers.tuning.living import Life, learn, live
from producers.files import parse_columns, read_orders
from producers.orders import Encoded
from stream.errors import SettingsError
from stream.settings import Tree

MARGINS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35)


def tune(
    settings: Tree, file: Path | None, columns: str, timezone: str | None, margins: str, most: int, *, as_json: bool
) -> None:
    """Print what each margin comes to on a file of orders, or on the demo's. Raises ``SettingsError``."""
    chosen = margins_of(margins, settings.model.margin)
    orders, customers = draw(_orders(file, columns, timezone), most)
    points = curve(_lives(settings, chosen, orders), own_times_ms(orders))
    if as_json:
        print_json({"orders": len(orders), "customers": customers, "points": [_plain(point) for point in points]})
    else:
        console().print(curve_page(points, settings.model.margin, len(orders)))


def margins_of(said: str, present: float) -> list[float]:
    """The margins to try: none first, to measure by, and the present one among them. Raises ``SettingsError``.

    >>> margins_of("0.1, 0.3", 0.25)
    [0.0, 0.1, 0.25, 0.3]
    """
    try:
        margins = {float(word) for word in said.split(",")} if said else {*MARGINS}
    except ValueError:
        raise SettingsError(f"--margins {said}: write numbers, such as 0.1,0.2") from None
    if not all(0.0 <= margin < 1.0 for margin in margins):
        raise SettingsError(f"--margins {said}: a margin is at least 0 and less than 1")
    return sorted({0.0, present, *margins})


def own_times_ms(orders: Sequence[Encoded]) -> dict[str, list[int]]:
    """The times of each customer's orders, which are in time order."""
    times: dict[str, list[int]] = defaultdict(list)
    for order in orders:
        times[order.key.decode()].append(order.occurred_at_ms)
    return times


def _orders(file: Path | None, columns: str, timezone: str | None) -> Iterable[Encoded]:
    if file is not None:
        if not file.is_file():
            raise SettingsError(f"'{file}' is not a file")
        return read_orders(file, parse_columns(columns), timezone)
    try:
        from producers.journey import Journey  # noqa: PLC0415 (an extra)

        return Journey()
    except ModuleNotFoundError as error:
        raise SettingsError("name a file of orders, or install segstream[demo] for one to try") from error


def _lives(settings: Tree, margins: Sequence[float], orders: Sequence[Encoded]) -> list[Life]:
    shown = (SpinnerColumn(), TextColumn("{task.description}"), Bar(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("orders lived through", total=len(orders) * (1 + len(margins)))

        def tell(count: int) -> None:
            progress.advance(task, count)

        model = learn(settings, orders, tell)
        return [live(settings, margin, model, orders, tell) for margin in margins]


def _plain(point: Point) -> dict[str, float | None]:
    """JSON has no infinity: a delay of more than half of the moves that never come is null."""
    return {name: value if value is None or isfinite(value) else None for name, value in asdict(point).items()}
