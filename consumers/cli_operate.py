"""The commands of operators: pause, resume, migrate."""

# ruff: noqa: PLC0415
# Commands import what they need when they run, so that help comes at once.

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def pause(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="For whoever finds the service paused.")] = "",
) -> None:
    """Let all workers finish their batch and hold, also after a restart, until `resume`.

    Input waits in Kafka; nothing is lost.
    """
    from consumers import operating

    operating.pause(ctx.obj, reason)
    typer.echo("paused: within seconds every worker finishes its batch and holds, until: segstream resume")


@app.command()
def resume(ctx: typer.Context) -> None:
    """Let workers go on that are paused, or held by too many bad records.

    The bad records go to the rejected topic.
    """
    from consumers import operating

    operating.resume(ctx.obj)
    typer.echo("resumed")


@app.command()
def migrate(
    ctx: typer.Context,
    partitions: Annotated[int, typer.Option(metavar="N", help="How many the new topics have.")],
    suffix: Annotated[str | None, typer.Option(metavar="TEXT", help="Of their names; .v2, then .v3 ...")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Move all customers into new topics with another number of partitions.

    For a stopped service that has processed its input.
    """
    from consumers.migrating.command import command

    raise typer.Exit(command(ctx.obj, partitions, suffix, lambda question: yes or typer.confirm(question)))
