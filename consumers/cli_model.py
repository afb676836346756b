"""The commands of analysts: the model, its proposals, and the names of segments."""

# ruff: noqa: PLC0415
# Commands import what they need when they run, so that help comes at once.

from __future__ import annotations

from typing import Annotated

import typer

model = typer.Typer(help="The model: what stands, and what is proposed.", no_args_is_help=True)
segments = typer.Typer(help="Names, sizes and profiles of the segments; with a command: name them, or make one of two.")

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who says so, for the ledger; if not given, your user name.")
]
Proposal = Annotated[int, typer.Argument(min=1, metavar="N", help="Its number, from `segstream model show`.")]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Take the owner's matrix, of cells: at once, but rough. Asks no customer.")
]
Segment = Annotated[str, typer.Argument(metavar="ID", help="Such as s3.")]


@model.command()
def show(ctx: typer.Context, estimate: Estimate = False, as_json: Json = False) -> None:
    """What stands, how many segments would fit, which of them are alike, and who a proposal would move where."""
    from consumers import desk

    desk.show(ctx.obj, estimate=estimate, as_json=as_json)


@model.command()
def history(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """What people said of the segments: when, who, what, and what came of it; newest last."""
    from consumers import history

    history.show_said(ctx.obj, limit=limit, as_json=as_json)


@model.command()
def accept(ctx: typer.Context, proposal: Proposal, by: By = "") -> None:
    """Adopt the grouping that waits."""
    from consumers import desk

    desk.decide(ctx.obj, "accept", proposal, by)


@model.command()
def reject(ctx: typer.Context, proposal: Proposal, by: By = "") -> None:
    """Keep the segments as they are; the same grouping is not proposed again."""
    from consumers import desk

    desk.decide(ctx.obj, "reject", proposal, by)


@model.command()
def rollback(
    ctx: typer.Context,
    version: Annotated[int, typer.Argument(min=1, metavar="VERSION", help="Of a model that is still kept.")],
    by: By = "",
) -> None:
    """Go back to the segments of an earlier model, under the ids they had.

    From then on large regroupings wait for a person, until one is accepted.
    """
    from consumers import desk

    desk.decide(ctx.obj, "rollback", version, by)


@model.command()
def refreeze(ctx: typer.Context, by: By = "") -> None:
    """Take what is now as usual: drift is told against new references."""
    from consumers import desk

    desk.refreeze(ctx.obj, by)


@segments.callback(invoke_without_command=True)
def list_segments(ctx: typer.Context, as_json: Json = False) -> None:
    """Names, sizes and profiles of the segments."""
    if ctx.invoked_subcommand is None:
        from consumers import inspecting

        inspecting.list_segments(ctx.obj, as_json=as_json)


@segments.command()
def rename(
    ctx: typer.Context, segment: Segment, name: Annotated[str, typer.Argument(metavar="NAME")], by: By = ""
) -> None:
    """Give a segment a name that stays."""
    from consumers import desk

    desk.name(ctx.obj, "rename", segment, name, by)


@segments.command()
def merge(
    ctx: typer.Context,
    segment: Segment,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The one that stays, with its id and name.")],
    by: By = "",
) -> None:
    """Make one segment of two: the first goes, its customers are in the second.

    From then on there is one segment less, until somebody says otherwise, and large regroupings wait for a person.
    """
    from consumers import desk

    desk.merge(ctx.obj, segment, into, by)


@segments.command()
def pin(ctx: typer.Context, segment: Segment, by: By = "") -> None:
    """Keep the name that a segment has, whatever its customers do."""
    from consumers import desk

    desk.name(ctx.obj, "pin", segment, None, by)


@segments.command()
def unpin(ctx: typer.Context, segment: Segment, by: By = "") -> None:
    """Let a segment be named by what its customers do again."""
    from consumers import desk

    desk.name(ctx.obj, "unpin", segment, None, by)
