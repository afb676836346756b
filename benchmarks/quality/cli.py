"""Quality: are the segments as good as a batch re-fit at every moment, calm, and true?

    python -m benchmarks.quality --json [--data journey|personas|FILE] [--seeds 0,101] [--settings FILE] [--plots DIR]
                                 [--baselines all|none|NAME,..] [--parts all|none|NAME,..]

Runs the service's own engine (same fold, same step, same learner; broker and store in memory) over a year, once a model
seed. At every checkpoint its segments are held against a batch k-means on the same customers, and against the truth
where it is known. The ceiling is a batch re-fit at every checkpoint on features that are frozen in
offline_features.toml, so that it does not move with the shipped ones. river's clusterers and scikit-learn's stand
beside it, on the same vectors; the slow ones stop early and say so (``events``, ``is_bounded``).

Keys are null where there is no truth to compare with, or the part that measures them was not asked for.
``inertia_ratio`` is of the vectors of the last looks, ``inertia_ratio_aged`` of the same customers aged to the moment:
who is silent is only looked at when something would change.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from benchmarks.quality.baselines import KINDS
from benchmarks.quality.data import Data, journey, orders, personas
from benchmarks.quality.plots import draw
from benchmarks.quality.report import PARTS, Report
from producers.personas import PersonasPlan
from stream.settings import Tree, load

MODEL_SEEDS = (7, 8, 9)


def main(words: Sequence[str] | None = None) -> int:
    """Command line."""
    arguments = _parser().parse_args(words)
    with threadpool_limits(1):  # threads that wait for each other are slower than one, on busy machines by far
        report = measured(arguments)
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 0


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """The whole report."""
    seeds = _model_seeds(arguments)
    report = Report(partial(_settings, arguments), seeds, lambda said: print(said, file=sys.stderr, flush=True))
    for number, data in enumerate(_data(arguments)):
        lived, ceiling = report.live(data)
        if number == 0:
            report.examine(lived, arguments.parts, arguments.seeds[0] if arguments.seeds else 0)
            report.compare(lived[0], ceiling, arguments.baselines)
            if arguments.plots is not None:
                draw(lived[0], ceiling, arguments.plots)
    return report.to_json()


def _model_seeds(arguments: argparse.Namespace) -> Sequence[int]:
    """Personas have seeds of their own; of data that is what it is, ``--seeds`` are the model's."""
    return arguments.seeds if arguments.seeds and arguments.data != "personas" else MODEL_SEEDS[: arguments.model_seeds]


def _data(arguments: argparse.Namespace) -> Iterator[Data]:
    if arguments.data == "personas":
        yield from (personas(PersonasPlan(seed=seed, customers=arguments.customers)) for seed in arguments.seeds or [0])
    elif arguments.data == "journey":
        yield journey()
    else:
        yield orders(Path(arguments.data), arguments.columns, arguments.timezone)


def _settings(arguments: argparse.Namespace, seed: int) -> Tree:
    flags: dict[str, Any] = {
        "kafka": {"max_poll_records": 2000},
        "model": {"interval_seconds": 0, "seed": seed},
        "redis": {"features_document": False},
    }
    if arguments.settings is None:
        flags["profile"] = "personas" if arguments.data == "personas" else "retail"
    return load(arguments.settings, flags=flags)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks.quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="journey", help="journey (default), personas, or a file of orders")
    parser.add_argument("--columns", default="", help="of a file: customer=..,time=..,amount=..[,items=..,category=..]")
    parser.add_argument("--timezone", help="of a file: where times without an offset were taken")
    parser.add_argument("--seeds", type=_numbers, default=[], help="of the personas; else of the model")
    parser.add_argument("--model-seeds", type=int, default=3, choices=[1, 2, 3], help="how many, for the personas")
    parser.add_argument("--customers", type=int, default=2500, help="of the personas")
    parser.add_argument("--settings", type=Path, help="default: the shipped ones of the data")
    parser.add_argument("--baselines", type=partial(_names, [*KINDS]), default=[*KINDS], help=f"of {', '.join(KINDS)}")
    parser.add_argument("--parts", type=partial(_names, PARTS), default=[*PARTS], help="further runs; all, none, some")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="also draw segments, flow and agreement over time")
    parser.add_argument("--json", action="store_true", help="one line")
    return parser


def _numbers(said: str) -> list[int]:
    return [int(number) for number in said.split(",") if number]


def _names(known: Sequence[str], said: str) -> list[str]:
    names = {"all": [*known], "none": []}.get(said, [name for name in said.split(",") if name])
    if strange := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(strange)}; there are {', '.join(known)}")
    return names
