"""Drift: false alarms on streams that do not drift; delay and misses for known shifts.

    python -m benchmarks.drift --json [--events 1000000] [--signals 10] [--seeds 10] [--river-signals 1] [--no-service]

``false_alarms_per_million.STREAM.DETECTOR``: alarms in a million events of one signal, of streams in which nothing
drifts; how many events that is measured on stands in ``events_watched``. river's detectors take a microsecond an event
and see ``--river-signals`` of the signals.
``delay_events.SHIFT.DETECTOR``: from the shift to the first alarm, the longest of all seeds; ``median_delay_events``
besides. ``missed.SHIFT.DETECTOR``: seeds without an alarm. A detector that alarms all the time has a short delay:
read it beside its false alarms.
``delay_days.SHIFT.SIGNAL``: in the whole service, from a shift to each drift on its ledger that follows;
``service_false_alarms_per_million`` of all its signals together, where nothing drifts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np

from benchmarks.drift import service
from benchmarks.drift.detectors import DETECTORS
from benchmarks.drift.streams import SHIFTS, STILL, Stream

Table = dict[str, dict[str, Any]]
BARS = {"share_30_60": 5000, "ar95_half_sd": 20_000}
"""Events within which a shift must be found, where it is not 10,000. Ten thousand values of AR(.95) say as much as 256
independent ones: whoever finds half a standard deviation much sooner also finds it where it is not."""
JOURNEYS = 7
"""Shuffled years: more than a million events."""


def main(words: Sequence[str] | None = None) -> int:
    """Command line. Exit code 1 if a bar is missed."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.drift", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="of each made-up signal")
    parser.add_argument("--signals", type=int, default=10, help="independent ones of each made-up stream")
    parser.add_argument("--river-signals", type=int, default=1, help="of these, for river's detectors")
    parser.add_argument("--seeds", type=int, default=10, help="of each shift")
    parser.add_argument("--no-service", dest="service", action="store_false", help="detectors only: minutes less")
    parser.add_argument("--json", action="store_true", help="one line")
    arguments = parser.parse_args(words)
    report = still(arguments) | shifts(arguments)
    if arguments.service:
        _tell("the whole service")
        report |= service.report()
    print(json.dumps(report, indent=None if arguments.json else 2))
    return int(bool(unmet(report)))


def still(arguments: argparse.Namespace) -> dict[str, Table]:
    """False alarms where nothing drifts."""
    alarms: Table = {name: dict.fromkeys(DETECTORS, 0) for name in STILL}
    watched: Table = {name: dict.fromkeys(DETECTORS, 0) for name in STILL}
    for name, make in STILL.items():
        for seed in range(JOURNEYS if name.startswith("journey") else 1):
            _tell(f"{name} {seed}")
            stream = make(np.random.default_rng((seed, len(name))), arguments.events, arguments.signals)
            for detector, detect in DETECTORS.items():
                seen = stream if detector == "segstream" else _some(stream, arguments.river_signals)
                alarms[name][detector] += len(detect(seen))
                watched[name][detector] += seen.values.size
    rates = {n: {d: 1e6 * alarms[n][d] / watched[n][d] for d in DETECTORS} for n in STILL}
    return {"false_alarms_per_million": rates, "events_watched": watched}


def shifts(arguments: argparse.Namespace) -> dict[str, Table]:
    """Delay and misses where something does."""
    longest, usual, missed = Table(), Table(), Table()
    for name, make in SHIFTS.items():
        _tell(name)
        streams = [make(np.random.default_rng((seed, 99))) for seed in range(arguments.seeds)]
        found = {d: [delay(detect(s), s.shift_at or 0) for s in streams] for d, detect in DETECTORS.items()}
        known = {d: [events for events in of if events is not None] for d, of in found.items()}
        longest[name] = {d: max(of, default=None) for d, of in known.items()}
        usual[name] = {d: median(of) if of else None for d, of in known.items()}
        missed[name] = {d: len(found[d]) - len(of) for d, of in known.items()}
    return {"delay_events": longest, "median_delay_events": usual, "missed": missed}


def delay(alarms: Sequence[tuple[int, int]], shift_at: int) -> int | None:
    """Events from the shift to the first alarm after it.

    >>> delay([(90, 0), (130, 0)], 100), delay([(90, 0)], 100)
    (30, None)
    """
    return min((at - shift_at for at, _ in alarms if at > shift_at), default=None)


def unmet(report: dict[str, Any]) -> list[str]:
    """Bars that the service misses, in words."""
    rates, delays, missed = (report[key] for key in ("false_alarms_per_million", "delay_events", "missed"))
    wrong = [f"{name}: false alarms" for name, row in rates.items() if row["segstream"] > 0]
    service_rates = report.get("service_false_alarms_per_million", {})
    wrong += [f"{name}, in the whole service: false alarms" for name, rate in service_rates.items() if rate > 0]
    for name, row in delays.items():
        bar = BARS.get(name, 10_000)
        if missed[name]["segstream"] or row["segstream"] > bar:
            wrong.append(f"{name}: not found within {bar} events")
    for line in wrong:
        _tell(f"bar missed: {line}")
    return wrong


def _some(stream: Stream, signals: int) -> Stream:
    return Stream(stream.values[:, :signals], stream.at_ms)


def _tell(said: str) -> None:
    print(said, file=sys.stderr, flush=True)
