"""The commands that look: feed, live page, report, customers, doctor, audit, verify. Only `audit --repair` mends."""

# ruff: noqa: PLC0415
# Commands import what they need when they run, so that help comes at once.

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consumers.printable import safe

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
JsonLines = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command()
def watch(
    ctx: typer.Context,
    *,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Everything the topic has, first.")] = False,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only this customer.")] = None,
    as_json: JsonLines = False,
) -> None:
    """Follow segment changes as they happen, until Ctrl-C; on a terminal with what they come to below them."""
    from consumers import attending

    attending.watch(ctx.obj, customer=customer, from_beginning=from_beginning, as_json=as_json)


@app.command()
def dashboard(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Instead of page.port.")] = None,
) -> None:
    """Serve the live page, until Ctrl-C: segments, flows, drift, customers, health.

    Renaming and pinning segments there needs page.token.
    """
    from consumers.page.serving import serve

    page = ctx.obj.page if port is None else ctx.obj.page.model_copy(update={"port": port})
    raise typer.Exit(serve(ctx.obj.model_copy(update={"page": page})))


@app.command()
def report(
    ctx: typer.Context,
    *,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same facts as one JSON object.")] = False,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="A day of event time, UTC.")] = None,
    hours: Annotated[
        int | None, typer.Option(min=1, max=8_784, help="The last hours up to the newest event, instead of a day.")
    ] = None,
) -> None:
    """What happened to the segments in a day, by default the newest: sizes, who moved where and why, drift, names."""
    from consumers.reporting.command import report

    said = report(ctx.obj, day=day, hours=hours, html=html, as_json=as_json)
    if said:
        typer.echo("\n".join(map(safe, said.splitlines())), err=as_json)


@app.command()
def customers(
    ctx: typer.Context,
    *,
    segment: Annotated[str | None, typer.Option(metavar="ID", help="Only those who hold it, such as s3.")] = None,
    status: Annotated[str | None, typer.Option(help="Only cold, ready, dormant or locked.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of them, for a spreadsheet.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All of them, one JSON object a line.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; a table shows 50.")] = None,
) -> None:
    """List customers with their segments."""
    from consumers import inspecting

    inspecting.list_customers(ctx.obj, segment=segment, status=status, as_csv=as_csv, as_json=as_json, limit=limit)


@app.command()
def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """What is wrong with broker, topics, store and settings, and how to mend it.

    Exit code 1 if something fails.
    """
    from consumers import checking

    raise typer.Exit(checking.doctor(ctx.obj, as_json=as_json))


@app.command()
def audit(
    ctx: typer.Context,
    as_json: Json = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend store and learner by the journal, audit again.")
    ] = False,
) -> None:
    """Compare journal, learner, store and change topic of a quiet stream.

    Exit code 1 if they differ, after the repair if there is one.
    """
    from consumers import checking

    raise typer.Exit((checking.repair if repair else checking.audit)(ctx.obj, as_json=as_json))


@app.command()
def verify(
    ctx: typer.Context,
    *,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only this customer's.")] = None,
    as_json: Json = False,
) -> None:
    """Decide every published change again, from journal, input and models, and compare them to the byte.

    Exit code 1 if one differs.
    """
    from consumers import checking

    raise typer.Exit(checking.verify(ctx.obj, customer, as_json=as_json))
