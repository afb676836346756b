"""Chaos: faults against the running service on Apache Kafka and redis-server. Does it keep its promises?

    python -m benchmarks.chaos --json [--rows 1,11,22] [--seeds N] [--kills N] [--minutes N] [--workers N]
                               [--client kafka-python|librdkafka] [--customers N]

Real processes are killed, stopped and restarted, broker and store are taken away, replies are dropped; between faults
the harness waits until further commits were seen. In the end the topics are read as any subscriber reads them and
everything is recomputed from the input log. The rows are those of the fault matrix, and the words scale, takeover and
restore; without ``--rows`` all of them are run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.status import Status

from benchmarks.chaos.crashes import Soak, soak_row
from benchmarks.chaos.matrix import ACTS, ELSEWHERE, SOAK, Act
from benchmarks.chaos.measures import restore, takeover
from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.report import Report, Row
from benchmarks.chaos.scene import Scene, Tally
from benchmarks.servers import ApacheKafka

MEASURES = ("takeover", "restore")
Name = int | str
"""Of a row, or of what is measured."""


def main(words: Sequence[str] | None = None) -> int:
    """Command line; 1 if a row failed."""
    arguments = _parser().parse_args(words)
    console = Console(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="segstream-chaos-"))
    console.print(f"logs of what fails stay under {folder}")
    with ExitStack() as stack:
        detour = stack.enter_context(Proxy(frames=True))
        broker = stack.enter_context(ApacheKafka(detour.port))
        detour.upstream = broker.detour_port
        status = stack.enter_context(console.status("starting"))
        how = {name: getattr(arguments, name) for name in ("seeds", "kills", "minutes", "workers", "client")}
        scene = Scene(broker, detour, folder, **how, tell=status.update)
        report = Report(arguments.client, f"Apache Kafka {broker.version}")
        _run(scene, report, arguments, Voice(console, status))
    print(json.dumps(report.to_json(), indent=None if arguments.json else 2))
    return 0 if report.passed else 1


class Voice:
    """What a person who waits gets to see."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console, self._status = console, status

    def row(self, row: Row, seconds: float) -> None:
        """A row is done."""
        word = {True: "[green]passed", False: "[red]failed", None: "[dim]not run"}[row.passed]
        self._console.print(f"{row.row:>4} {word}[/] {row.fault} ({row.runs} runs, {seconds:.0f} s)", soft_wrap=True)
        if row.passed is False:
            self._console.print(f"     {row.note}", markup=False, soft_wrap=True)


def _run(scene: Scene, report: Report, arguments: argparse.Namespace, voice: Voice) -> None:
    for name in arguments.rows:
        started = time.monotonic()
        row = _row(scene, report, name, arguments.customers)
        report.rows.append(row)
        voice.row(row, time.monotonic() - started)


def _row(scene: Scene, report: Report, name: Name, customers: int) -> Row:
    if name in ELSEWHERE:
        fault, why = ELSEWHERE[name]
        return Row(name, fault, 0, None, why)
    if name == SOAK:
        soak = Soak()
        row = attempted(name, Act("random SIGKILL soak of workers and owner", partial(soak_row, soak=soak)), scene)
        report.soak = asdict(soak)
        return row
    if name == "takeover":
        return attempted(name, Act("takeover of a dead worker's partitions", partial(_takeover, report=report)), scene)
    if name == "restore":
        act = partial(_restore, report=report, customers=customers)
        return attempted(name, Act("store lost entirely, rebuilt from Kafka", act), scene)
    return attempted(name, ACTS[name], scene)


def _takeover(scene: Scene, tally: Tally, report: Report) -> None:
    found = takeover(scene)
    report.takeover_seconds, tally.runs = found, sum(part["runs"] for part in (found, found["alone"], found["static"]))
    if not found["invariants_hold"]:
        tally.complaints.append("invariants do not hold")


def _restore(scene: Scene, tally: Tally, report: Report, customers: int) -> None:
    report.restore, tally.runs = restore(scene, customers), 1


def attempted(number: Name, act: Act, scene: Scene) -> Row:
    """Run it. What goes wrong on the way fails the row and not the harness."""
    tally = Tally(number, act.fault)
    try:
        act.run(scene, tally)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        tally.complaints.append(f"{type(error).__name__}: {error} ({Path(where.filename).name}; logs: {scene.folder})")
    return tally.to_row()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everything = [*sorted({name for name in (*ACTS, *ELSEWHERE, SOAK) if isinstance(name, int)}), "scale", *MEASURES]
    parser.add_argument("--json", action="store_true", help="one line")
    parser.add_argument("--rows", type=_names, default=everything, help="default: all")
    parser.add_argument("--customers", type=int, default=200_000, help="of the restore that is measured")
    parser.add_argument("--seeds", type=int, default=20, help="crashes of each point (rows 1-10)")
    parser.add_argument("--kills", type=int, default=100, help="of the soak (row 11)")
    parser.add_argument("--minutes", type=float, default=30.0, help="the soak takes at most")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--client", choices=["kafka-python", "librdkafka"], default="kafka-python")
    return parser


def _names(words: str) -> list[Name]:
    known = {*ACTS, *ELSEWHERE, SOAK, *MEASURES}
    names: list[Name] = [int(word) if word.isdecimal() else word for word in words.split(",") if word]
    strange = [str(name) for name in names if name not in known]
    if strange:
        raise argparse.ArgumentTypeError(f"there is no row {', '.join(strange)}")
    return names
