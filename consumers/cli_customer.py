"""The commands on one customer: show it and its past, hold it in a segment, let it go."""

# ruff: noqa: PLC0415
# Commands import what they need when they run, so that help comes at once.

from __future__ import annotations

from typing import Annotated

import typer

from consumers.printable import safe

app = typer.Typer(help="One customer.", no_args_is_help=True)

Customer = Annotated[str, typer.Argument(metavar="ID")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who says so; if not given, your user name.")]
Why = Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for whoever reads the change.")]


@app.command()
def show(
    ctx: typer.Context, customer: Customer, as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False
) -> None:
    """Segment, features, why, and last changes of one customer."""
    from consumers import inspecting

    inspecting.show_customer(ctx.obj, customer, as_json=as_json)


@app.command()
def history(
    ctx: typer.Context,
    customer: Customer,
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """All changes of one customer that the topic has, newest last: cause, reasons, and who said so."""
    from consumers import history

    history.show_customer(ctx.obj, customer, limit=limit, as_json=as_json)


@app.command()
def override(
    ctx: typer.Context,
    customer: Customer,
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="Such as s3.")],
    *,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME|DURATION", help="Event time, or 12h, 7d, 4w from now; else until released."),
    ] = None,
    by: By = None,
    reason: Why = None,
) -> None:
    """Hold a customer in a segment, whatever the model says."""
    from consumers import overriding

    word = overriding.said(customer, segment, until, by, reason)
    name = overriding.tell(ctx.obj, word)
    typer.echo(f"said: customer '{safe(customer)}' is in {safe(segment)} {safe(name)}")
    typer.echo(f"see: segstream customer show {safe(customer)}")


@app.command()
def release(ctx: typer.Context, customer: Customer, *, by: By = None, reason: Why = None) -> None:
    """Let a customer go again where the model says."""
    from consumers import overriding

    overriding.tell(ctx.obj, overriding.said(customer, None, None, by, reason))
    typer.echo(f"said: customer '{safe(customer)}' goes where the model says")
