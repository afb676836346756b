"""``segstream produce``: customer events into Kafka, from real baskets, files or simulated customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from producers.files import FileOrders, parse_columns, read_orders
from producers.journey import Journey
from producers.kafka_writer import KafkaWriter
from producers.orders import Events
from producers.personas import CASTS, RETAIL, Personas, PersonasPlan, cast_of
from producers.replay import Pace, Sent, replay
from producers.replay import Progress as Report
from producers.writer import Writer
from stream.contracts.timestamps import rfc3339
from stream.errors import SettingsError
from stream.settings import Tree

app = typer.Typer(help="Send customer events into Kafka.", no_args_is_help=True)

JOURNEY = "journey"

Speed = Annotated[
    float | None,
    typer.Option(help="Event-time seconds per second, 86400 = a day a second. Default: unpaced."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Send only the first N events.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of a progress bar and a table.")]


@dataclass(frozen=True, slots=True)
class Job:
    """What to send, where to, and how to show it."""

    name: str
    topic: str
    events: Events
    pace: Pace
    limit: int | None
    as_json: bool

    @property
    def total(self) -> int:
        """How many events there are to send."""
        return min(len(self.events), self.limit or len(self.events))


@app.command("replay")
def replay_command(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="'journey', or a .csv, .jsonl or .parquet file.")],
    *,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns of a file: customer=..,time=..,amount=..,order=..,items=..,..."),
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Where a file's times without an offset were taken.")] = None,
    speed: Speed = None,
    limit: Limit = None,
    profiles: Annotated[bool, typer.Option(help="Journey: send the demographics of 801 households first.")] = False,
    as_json: Json = False,
) -> None:
    """Replay orders: the Complete Journey data by name, or a file."""
    settings: Tree = ctx.obj
    pace = Pace(speed)
    read = _journey if source == JOURNEY else _file
    events = read(source, columns, timezone, profiles)
    _send(settings, Job(source, settings.topics.events, events, pace, limit, as_json))


@app.command("personas")
def personas_command(
    ctx: typer.Context,
    *,
    cast: Annotated[str, typer.Option(metavar="NAME", help=f"Who they are: {', '.join(CASTS)}.")] = RETAIL.name,
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")] = PersonasPlan.customers,
    days: Annotated[int, typer.Option(min=1, help="For how long.")] = PersonasPlan.days,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = PersonasPlan.seed,
    views: Annotated[float, typer.Option(min=0, help="Mean number of views before each order.")] = 0.0,
    truth: Annotated[Path | None, typer.Option(help="Write who was which persona from when on, as CSV.")] = None,
    speed: Speed = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """Simulate customers whose true segments are known, with drift on schedule."""
    plan = PersonasPlan(cast_of(cast), customers=customers, days=days, seed=seed, views_per_order=views)
    settings: Tree = ctx.obj
    pace = Pace(speed)
    personas = Personas(plan)
    if truth is not None:
        _write_truth(personas, truth)
    _send(settings, Job("personas", settings.topics.events, personas, pace, limit, as_json))


def send(job: Job, writer: Writer, out: Console, err: Console) -> Sent:
    """Send all of a job, then say on ``out`` what was sent; the progress bar is on ``err``.

    Raises ``BrokerUnavailable``, and ``SettingsError`` when the source cannot be read.
    """
    with _progress(job, err) as report:
        sent = replay(job.events, writer, job.topic, job.pace, limit=job.limit, progress=report)
    summary = _summary(job, sent)
    if job.as_json:
        out.print_json(data=summary, indent=None)
    else:
        out.print(_table(summary))
    return sent


def _send(settings: Tree, job: Job) -> None:
    writer = KafkaWriter(settings.kafka)
    try:
        send(job, writer, Console(), Console(stderr=True, quiet=job.as_json))
    finally:
        writer.close()


def _journey(_source: str, columns: str | None, timezone: str | None, profiles: bool) -> Journey:
    if columns is not None or timezone is not None:
        raise SettingsError("--columns and --timezone are for files: the journey's columns and times are known")
    return Journey(profiles=profiles)


def _file(source: str, columns: str | None, timezone: str | None, profiles: bool) -> FileOrders:
    path = Path(source)
    if not path.is_file():
        raise SettingsError(f"'{source}' is neither '{JOURNEY}' nor a file")
    if profiles:
        raise SettingsError(f"--profiles is for '{JOURNEY}': a file of orders has none")
    return read_orders(path, parse_columns(columns or ""), timezone)


def _write_truth(personas: Personas, path: Path) -> None:
    try:
        personas.write_truth(path)
    except OSError as error:
        raise SettingsError(f"--truth {path} cannot be written: {error.strerror}") from error


class _EventsPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


@contextmanager
def _progress(job: Job, err: Console) -> Iterator[Report]:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:,.0f} events"),
        TextColumn("{task.fields[reached]}"),
        _EventsPerSecond(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task(job.name, total=job.total, reached="")
        yield lambda events, at_ms: bar.update(task, completed=events, reached=_date(at_ms))


def _summary(job: Job, sent: Sent) -> dict[str, str | int | float | None]:
    return {
        "source": job.name,
        "topic": job.topic,
        "events": sent.events,
        "customers": sent.customers,
        "first": None if sent.first_ms is None else rfc3339(sent.first_ms),
        "last": None if sent.last_ms is None else rfc3339(sent.last_ms),
        "seconds": round(sent.seconds, 3),
        "events_per_second": round(sent.events / sent.seconds, 1) if sent.seconds else None,
    }


def _table(summary: Mapping[str, str | float | None]) -> Table:
    table = Table(show_header=False, box=None)
    for name, value in summary.items():
        shown = f"{value:,}" if isinstance(value, int | float) else str(value)
        table.add_row(name.replace("_", " "), escape(shown))
    return table


def _date(at_ms: int) -> str:
    return rfc3339(at_ms)[:10]
