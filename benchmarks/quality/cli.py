"""Quality: are the segments as good as a batch re-fit at every moment, calm, and true?

    python -m benchmarks.quality --json [--data journey|personas|FILE] [--seeds 0,101] [--settings FILE]

Runs the service's own engine (same fold, same step, same learner; broker and store in memory) over a year. At every
checkpoint its segments are held against a batch k-means on the same customers, and against the truth where it is known.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.agreement import between
from benchmarks.quality.checkpoints import Ceiling, checkpoint
from benchmarks.quality.data import Data, journey, orders, personas
from benchmarks.quality.service import Run, run
from benchmarks.quality.summary import empty, mean, of_run, together
from benchmarks.quality.vectors import reference_vectors
from producers.personas import PersonasPlan
from stream.settings import Tree, load

MODEL_SEEDS = (7, 8, 9)


def main(words: Sequence[str] | None = None) -> int:
    """Command line."""
    arguments = _parser().parse_args(words)
    report = measured(arguments)
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 0


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """The whole report."""
    runs: list[dict[str, Any]] = []
    pairs: list[float] = []
    for data, model_seeds in _lives(arguments):
        truth = data.truth is not None
        ceiling = Ceiling.of(data, reference_vectors(data), _settings(arguments, 0).model.segments) if truth else None
        lived = [run(data, _settings(arguments, seed), arguments.batch) for seed in model_seeds]
        for seed, life in zip(model_seeds, lived, strict=True):
            runs.append(_row(life, seed, ceiling))
        pairs += [p for day in data.checkpoint_days for p in _between(lived, day)]
    summary = empty(_said(_settings(arguments, MODEL_SEEDS[0]))) | together([r["summary"] for r in runs])
    summary["seed_agreement"], summary["seed_agreement_worst"] = mean(pairs), min(pairs, default=None)
    return {"summary": summary, "runs": runs}


def _row(life: Run, seed: int, ceiling: Ceiling | None) -> dict[str, Any]:
    rows = [checkpoint(life, stop, ceiling) for stop in life.stops]
    summary = of_run(life, rows)
    print(f"{life.data.name}, model seed {seed}: done", file=sys.stderr)
    return {"data": life.data.name, "seed": seed, "summary": summary, "checkpoints": rows}


def _between(lived: list[Run], day: int) -> list[float]:
    return between(lived[0].data, [life.history.held(life.data.end_of_day_ms(day)) for life in lived], day)


def _lives(arguments: argparse.Namespace) -> list[tuple[Data, Sequence[int]]]:
    model_seeds = MODEL_SEEDS[: arguments.model_seeds]
    if arguments.data == "personas":
        return [(personas(PersonasPlan(seed=seed)), model_seeds) for seed in arguments.seeds]
    data = journey() if arguments.data == "journey" else orders(Path(arguments.data), arguments.columns, None)
    return [(data, arguments.seeds or model_seeds)]


def _settings(arguments: argparse.Namespace, seed: int) -> Tree:
    flags: dict[str, Any] = {
        "kafka": {"max_poll_records": arguments.batch},
        "model": {"interval_seconds": 0, "seed": seed},
        "redis": {"features_document": False},
    }
    if arguments.settings is None:
        flags["profile"] = "personas" if arguments.data == "personas" else "retail"
    return load(arguments.settings, flags=flags)


def _said(settings: Tree) -> str:
    model = settings.model
    return f"{settings.profile}, {model.kind}, k {model.segments}, margin {model.margin}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="journey", help="journey, personas, or a file of orders")
    parser.add_argument("--columns", default="", help="of a file: customer=..,time=..,amount=..")
    parser.add_argument("--seeds", type=lambda said: [int(s) for s in said.split(",")], default=[])
    parser.add_argument("--model-seeds", type=int, default=3)
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--batch", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="one line")
    return parser
