"""The commands about settings: suggest."""

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
