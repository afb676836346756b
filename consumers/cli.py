"""``segstream``: the command line, and the only place that reads the environment."""

# ruff: noqa: PLC0415
# Commands import what they need when they run, so that help comes at once.

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from consumers import cli_customer, cli_inspect, cli_model, cli_operate, cli_settings, logs
from consumers.printable import safe
from stream.errors import SegstreamError, SettingsError

DEFAULT_FILE = Path("segstream.toml")
USER_ERROR = 2
"""Exit code of a mistake in the settings or on the command line; everything else that fails is 1."""


class _Root(TyperGroup):
    """Ends errors of ours in one sentence and an exit code. A traceback is for bugs."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            _end(error, USER_ERROR)
        except SegstreamError as error:
            _end(error, 1)


class _Produce(TyperGroup):
    """``segstream produce``, imported when somebody asks for it."""

    @cached_property
    def _group(self) -> Any:
        from consumers.cli_produce import app

        return get_command(app)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """See ``TyperGroup``."""
        return self._group.get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """See ``TyperGroup``."""
        return list(self._group.commands)


app = typer.Typer(
    name="segstream",
    help="Streaming customer segments: a moving model, a stable contract.",
    cls=_Root,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics = typer.Typer(help="The topics in Kafka.", no_args_is_help=True)
produce = typer.Typer(help="Send customer events into Kafka.", cls=_Produce, no_args_is_help=True)
app.add_typer(cli_inspect.app)
app.add_typer(cli_operate.app)
app.add_typer(cli_customer.app, name="customer")
app.add_typer(cli_model.model, name="model")
app.add_typer(cli_model.segments, name="segments")
app.add_typer(cli_settings.app, name="settings")
app.add_typer(cli_settings.tuning)
app.add_typer(topics, name="topics")
app.add_typer(produce, name="produce")


def _tell_version(asked: bool) -> None:
    """Of the package as it is installed; nothing else is done."""
    from importlib.metadata import version

    if asked:
        typer.echo(f"segstream {version('segstream')}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings file; if not given, ./segstream.toml.")
    ] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.NAME=VALUE", help="One setting; repeatable.")
    ] = None,
    log_level: Annotated[str, typer.Option(metavar="LEVEL", help=f"Of {', '.join(logs.LEVELS)}.")] = "info",
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Streaming customer segments: a moving model, a stable contract."""
    logs.set_up(log_level)
    ctx.obj = _load(ctx.params)


@app.command()
def run(ctx: typer.Context, workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1) -> None:
    """Run workers and the model owner until SIGTERM or Ctrl-C."""
    from consumers import running

    raise typer.Exit(running.run(ctx.obj, workers, _options(ctx.find_root().params)))


@app.command(hidden=True)
def worker(ctx: typer.Context, slot: Annotated[int, typer.Option(min=0)]) -> None:
    """One worker process; started by `run`."""
    from consumers import running

    raise typer.Exit(running.worker(ctx.obj, slot))


@app.command(hidden=True)
def owner(ctx: typer.Context) -> None:
    """The process of the model owner; started by `run`."""
    from consumers import running

    raise typer.Exit(running.owner(ctx.obj))


@app.command()
def demo(
    ctx: typer.Context,
    *,
    headless: Annotated[bool, typer.Option("--headless", help="End when the replay is over.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
    model: Annotated[
        str | None, typer.Option(metavar="KIND", help="cells, or a clusterer of river: kmeans, clustream ...")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Replay only the first N events.")] = None,
) -> None:
    """A year of real baskets through an embedded broker and store, on this machine."""
    from consumers import demo

    settings = _load(ctx.find_root().params, {"model": {"kind": model}} if model else {})
    raise typer.Exit(demo.demo(settings, headless=headless, as_json=as_json, limit=limit))


@topics.command()
def create(ctx: typer.Context) -> None:
    """Create the topics that do not exist yet; those that do are left as they are."""
    from consumers.topics import create_topics

    created = create_topics(ctx.obj)
    typer.echo(f"created {', '.join(created)}" if created else "all topics exist")


def main() -> None:
    """The console script."""
    app(prog_name="segstream")


def flags(assignments: Sequence[str]) -> dict[str, Any]:
    """Settings from ``section.name=value``. Raises ``SettingsError``.

    >>> flags(["model.kind=kmeans", "model.segments=6", "profile=personas"])
    {'model': {'kind': 'kmeans', 'segments': '6'}, 'profile': 'personas'}
    """
    tree: dict[str, Any] = {}
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        *sections, name = path.strip().split(".")
        if not equals or not name or not all(sections):
            raise SettingsError(f"--set {path}: write section.name=value")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
            if not isinstance(node, dict):
                raise SettingsError(f"--set {path}: {section} is a section and cannot have a value of its own")
        node[name] = value
    return tree


def _load(params: Mapping[str, Any], above: Mapping[str, Any] | None = None) -> Any:
    """The settings of this command line; what is ``above`` counts most."""
    from stream.settings import load

    given = params["settings"]
    file = Path(given) if given else DEFAULT_FILE if DEFAULT_FILE.exists() else None
    said = flags(params["assignments"] or ())
    for section, values in (above or {}).items():
        said[section] = {**said.get(section, {}), **values}
    return load(file, os.environ, said)


def _options(params: Mapping[str, Any]) -> list[str]:
    """The options that make another process of ours read the same settings."""
    file = ["--settings", str(params["settings"])] if params["settings"] else []
    said = [word for assignment in params["assignments"] or () for word in ("--set", assignment)]
    return [*file, *said, "--log-level", params["log_level"]]


def _end(error: SegstreamError, code: int) -> NoReturn:
    typer.echo(f"segstream: {safe(str(error))}", err=True)
    raise typer.Exit(code) from error


if __name__ == "__main__":
    main()
