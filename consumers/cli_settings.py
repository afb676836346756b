"""The commands about settings: suggest, and tune."""

# ruff: noqa: PLC0415
# Commands import what they need when they run, so that help comes at once.

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Settings files.", no_args_is_help=True)


@app.callback()
def settings() -> None:
    """Settings files."""


@app.command()
def suggest(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Orders, as .csv, .jsonl or .parquet.")],
    *,
    columns: Annotated[str, typer.Option(help="Columns of the file: customer=..,time=..,amount=..,items=..,...")] = "",
    timezone: Annotated[str | None, typer.Option(help="Where times without an offset were taken.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there; nothing is overwritten.")] = None,
) -> None:
    """Write a settings file for the customers of a file of orders.

    Customer, time and amount are enough.
    """
    from consumers.suggesting import command

    typer.echo(command.suggested(file, columns, timezone, out), nl=False)


tuning = typer.Typer()


@tuning.command()
def tune(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Orders (.csv, .jsonl, .parquet); if not given, the demo's.")
    ] = None,
    *,
    columns: Annotated[str, typer.Option(help="Columns of the file: customer=..,time=..,amount=..,items=..,...")] = "",
    timezone: Annotated[str | None, typer.Option(help="Where times without an offset were taken.")] = None,
    margins: Annotated[str, typer.Option(metavar="0.1,0.2", help="Margins to try.")] = "",
    orders: Annotated[int, typer.Option(min=100, help="About so many, of whole customers.")] = 40_000,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Show what each margin spares in changes and costs in delay, on a sample of orders.

    Lives through the sample once for each margin, in this process: nothing else is needed, nothing is written.
    """
    from consumers.tuning import command

    command.tune(ctx.obj, file, columns, timezone, margins, orders, as_json=as_json)
