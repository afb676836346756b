"""The summary: one number a key, of one run and of several together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.quality.calm import per_1000, per_1000_at_events, relabelled, renames
from benchmarks.quality.data import Data
from benchmarks.quality.history import History
from benchmarks.quality.service import Run
from benchmarks.quality.truth import Days, delays, ids_of_two_personas, right_at_third_event

KEYS = (
    "settings",
    "inertia_ratio_max",
    "agreement",
    "offline_agreement",
    "agreement_worst_gap",
    "seed_agreement",
    "changes_per_1000",
    "aba_per_1000",
    "delay_days_p50",
    "found_within_60_days",
    "right_at_third_event",
    "relabelled_mean",
    "relabelled_p95",
    "largest_share",
    "eta2_next_spend",
    "found_k_right",
    "k_scans",
    "renames_per_90d",
    "cause_accuracy",
    "cause_accuracy_worst",
    "cause_changes",
    "cause_accuracy_by",
    "counterfactual_flips",
    "verify_share",
    "verify_decisions",
    "verify_models",
    "verify_states_share",
    "lateness",
    "proposal",
    "partition_differences",
    "batch_agreement",
    "ghosts_agreement",
    "atypical_found",
    "atypical_false",
)
"""All there is to say. What cannot be said of some data or model is null."""
INDICES = ("silhouette", "davies_bouldin", "calinski_harabasz", "elbow")
HEADLINE_INDEX = "elbow"

Row = Mapping[str, Any]
Joining = Callable[[Iterable[Any]], Any]


def empty(settings: str) -> dict[str, Any]:
    """Every key, and nothing known yet."""
    return dict.fromkeys(KEYS) | {"settings": settings}


def of_checkpoints(rows: Sequence[Row]) -> dict[str, Any]:
    """What follows from the rows of one run's checkpoints."""
    with_truth = [row for row in rows if "agreement" in row]
    gaps = [row["offline_agreement"] - row["agreement"] for row in with_truth]
    return {
        "inertia_ratio_max": most(row["inertia_ratio"] for row in rows),
        "inertia_ratio_aged_max": most(row.get("inertia_ratio_aged") for row in rows),
        "agreement": mean(row["agreement"] for row in with_truth),
        "offline_agreement": mean(row["offline_agreement"] for row in with_truth),
        "agreement_worst_gap": most(gaps),
        "largest_share": most(row["largest_share"] for row in rows),
        "eta2_next_spend": mean(row["eta2_next_spend"] for row in rows),
    }


def of_run(run: Run, rows: Sequence[Row]) -> dict[str, Any]:
    """Everything that one run of the service says about itself."""
    first_model = run.macro_steps[0].events if run.macro_steps else len(run.data.events)
    found = of_history(run.data, run.history, len(run.data.events), first_model, rows)
    found |= per_1000_at_events(run.data, run.history)
    found |= relabelled(run.macro_steps) | renames(run.ledger, int(run.data.at_ms[-1]))
    return found | ({"k_scans": len(rows)} if run.data.truth is None else _of_scans(rows))


def of_history(data: Data, history: History, events: int, started: int, rows: Sequence[Row]) -> dict[str, Any]:
    """What can be said of any moves: over ``events`` events, with labels from event ``started`` on.

    Newcomers and ids are watched from the first checkpoint on, when the segments of the first days have settled.
    """
    found = of_checkpoints(rows) | per_1000(history, events)
    if data.truth is None:
        return found
    days = Days.of(data, history)
    delay = delays(data, days, days.right())
    settled = data.checkpoint_days[0]
    from_ms = max(int(data.at_ms[min(started, len(data.events) - 1)]), data.end_of_day_ms(settled))
    return found | {
        "delay_days_p50": delay.p50,
        "found_within_60_days": delay.found_within,
        "true_changes": len(delay.days),
        "right_at_third_event": right_at_third_event(data, history, days, from_ms),
        "ids_of_two_personas": len(ids_of_two_personas(days, settled)),
        "ids_of_two_majorities_any_day": len(ids_of_two_personas(days, settled, least_days=1)),
    }


def together(summaries: Sequence[Row]) -> dict[str, Any]:
    """Several runs as one: the worst where a bar is for the worst, else the mean."""
    names = [name for name in dict.fromkeys(name for s in summaries for name in s) if name != "settings"]
    return {name: _joined(name)([s.get(name) for s in summaries]) for name in names}


def mean(values: Iterable[Any]) -> float | None:
    """Of what is known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def most(values: Iterable[Any]) -> float | None:
    """Of what is known."""
    return max((value for value in values if value is not None), default=None)


def _joined(name: str) -> Joining:
    otherwise: Joining = mean
    return _JOINED.get(name, otherwise)


def _total(values: Iterable[Any]) -> int:
    return sum(value for value in values if value is not None)


def _by_index(values: Iterable[Any]) -> dict[str, float | None]:
    known = [value for value in values if value is not None]
    return {index: mean(value[index] for value in known) for index in INDICES}


_JOINED: dict[str, Joining] = {
    "inertia_ratio_max": most,
    "inertia_ratio_aged_max": most,
    "agreement_worst_gap": most,
    "aba_per_1000": most,
    "aba_per_1000_at_events": most,
    "largest_share": most,
    "relabelled_p95": most,
    "renames_per_90d_worst": most,
    "k_scans": _total,
    "ids_of_two_personas": _total,
    "ids_of_two_majorities_any_day": _total,
    "found_k_right_by": _by_index,
    "true_changes": _total,
}


def _of_scans(rows: Sequence[Row]) -> dict[str, Any]:
    by_index = {index: mean(row["k_scan"][index] == row["personas"] for row in rows) for index in INDICES}
    return {"found_k_right": by_index[HEADLINE_INDEX], "found_k_right_by": by_index, "k_scans": len(rows)}
