"""The report: every part that was asked for, as one document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.quality.agreement import between
from benchmarks.quality.cause_accuracy import cause_accuracy
from benchmarks.quality.checkpoints import Ceiling, checkpoint
from benchmarks.quality.data import Data
from benchmarks.quality.evidence import counterfactual_flips, verified, verify_states_share
from benchmarks.quality.invariance import batches, partitions
from benchmarks.quality.lateness import lateness
from benchmarks.quality.order import order_agreement
from benchmarks.quality.planted import ghosts, outliers
from benchmarks.quality.proposed import proposal
from benchmarks.quality.rivals import rival
from benchmarks.quality.service import Run, run
from benchmarks.quality.summary import empty, mean, of_run, together
from benchmarks.quality.vectors import reference_vectors, vectors
from stream.settings import Tree

PARTS = ("order", "invariance", "planted", "verify", "lateness", "causes", "proposal")
"""What needs further runs of the service, on the first data only."""


@dataclass
class Report:
    """Filled part by part; ``tell`` is called with what is being done."""

    settings: Callable[[int], Tree]
    """By model seed."""
    model_seeds: Sequence[int]
    tell: Callable[[str], None]
    runs: list[dict[str, Any]] = field(default_factory=list)
    pairs: dict[int, list[float]] = field(default_factory=dict)
    """Agreement of every two model seeds, by checkpoint day."""
    more: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)

    def live(self, data: Data) -> tuple[list[Run], Ceiling | None]:
        """One life a model seed."""
        k = self.settings(self.model_seeds[0]).model.first_segments
        ceiling = Ceiling(data, reference_vectors(data), k) if data.truth is not None else None
        lived = []
        for seed in self.model_seeds:
            self.tell(f"{data.name}, model seed {seed}")
            lived.append(run(data, self.settings(seed)))
            rows = [checkpoint(lived[-1], stop, ceiling) for stop in lived[-1].stops]
            summary = of_run(lived[-1], rows) | {"counterfactual_flips": counterfactual_flips(lived[-1])}
            self.runs.append({"data": data.name, "seed": seed, "summary": summary, "checkpoints": rows})
        for day in data.checkpoint_days:
            helds = [life.history.held(data.end_of_day_ms(day)) for life in lived]
            self.pairs.setdefault(day, []).extend(between(data, helds, day))
        return lived, ceiling

    def examine(self, lives: Sequence[Run], parts: Sequence[str], data_seed: int) -> None:
        """What needs further runs, of the first life or of all."""
        life = lives[0]
        tree, data = life.settings, life.data
        if "order" in parts:
            self.tell("another order of events")
            self.more["order_agreement"] = order_agreement(life, data_seed)
        if "invariance" in parts:
            self.tell("1, 4 and 16 partitions; batches of 1, 64 and 2000")
            spread, differing = partitions(data, tree)
            self.more |= differing | {"verify_states_share": verify_states_share(spread)} | batches(data, tree)
        if "planted" in parts and data.truth is not None:
            self.tell("ghosts and outliers")
            self.more |= ghosts(tree, data_seed) | outliers(tree, data_seed)

        if "verify" in parts:
            self.tell("every decision again")
            self.more |= verified(lives)
        if "lateness" in parts:
            self.tell("late, out of order and twice")
            self.more |= lateness(life, data_seed)
        if "causes" in parts:
            self.tell("true causes")
            self.more |= cause_accuracy(life)
        if "proposal" in parts:
            self.tell("proposals, accepted")
            self.more |= proposal(data, tree)

    def compare(self, life: Run, ceiling: Ceiling | None, names: Sequence[str]) -> None:
        """Let baselines live through the same data."""
        y = vectors(life.data, life.settings.customers) if names else None
        for name in names:
            self.tell(name)
            assert y is not None
            self.baselines[name] = rival(name, life, y, ceiling)

    def to_json(self) -> dict[str, Any]:
        """As printed. ``checkpoints`` are those of all runs, with the data and model seed of each."""
        model, profile = self.settings(self.model_seeds[0]).model, self.settings(self.model_seeds[0]).profile
        said = f"{profile}, {model.kind}, k {model.segments}, margin {model.margin}"
        summary = empty(said) | together([row["summary"] for row in self.runs]) | self.more
        pairs = [pair for day in self.pairs.values() for pair in day]
        summary |= {"seed_agreement": mean(pairs), "seed_agreement_worst": min(pairs, default=None)}
        summary["seed_agreement_by_day"] = {day: mean(found) for day, found in self.pairs.items()}
        rows = [{"data": r["data"], "seed": r["seed"], **row} for r in self.runs for row in r["checkpoints"]]
        runs = [{name: r[name] for name in ("data", "seed", "summary")} for r in self.runs]
        return {"summary": summary, "checkpoints": rows, "baselines": self.baselines, "runs": runs}
