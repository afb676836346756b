"""Series: how many of them a process shows Prometheus after many customers, in as many segments as there can be.

    python -m benchmarks.series --json [--customers 100000] [--days 7] [--partitions 64]

Worker and owner on the twins, each with a registry of its own, as if they were processes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import islice
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from consumers.lockstep import Lockstep
from consumers.running import describe
from consumers.twins import Twins, drain
from producers.personas import Personas, PersonasPlan
from stream.settings import load
from stream.settings.tree import MOST_SEGMENTS

BUDGET = 1_500
_CHUNK = 20_000


def main() -> int:
    """Exit code: 1 above the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--partitions", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = run(arguments.customers, arguments.days, arguments.partitions)
    print(json.dumps(report, indent=None if arguments.json else 2))
    return int(max(report["series"].values()) > BUDGET)


def run(customers: int, days: int, partitions: int) -> dict[str, Any]:
    """Live through it; what is shown then."""
    model = {"segments": MOST_SEGMENTS, "interval_seconds": 0, "macro_rows": 20_000, "cells": 20 * MOST_SEGMENTS}
    settings = load(flags={"profile": "personas", "model": model, "topics": {"partitions": partitions}})
    twins = Twins(settings)
    ours, theirs = twins.service(), twins.service()
    lockstep = Lockstep(ours.worker(), theirs.owner())
    events = iter(Personas(PersonasPlan(customers=customers, days=days, seed=1)))
    sent = 0
    while count := twins.send(islice(events, _CHUNK)):
        drain(lockstep.run_once, idle_rounds=2)
        sent += count
    registries = {"worker": ours.registry, "owner": theirs.registry}
    for registry in registries.values():
        describe(registry, settings)
    return {
        "customers": sum(1 for _ in twins.store.reader.customers()),
        "events": sent,
        "series": {role: _series(registry) for role, registry in registries.items()},
        "budget": BUDGET,
        "scrape": {role: _scrape(registry) for role, registry in registries.items()},
    }


def _series(registry: CollectorRegistry) -> int:
    return sum(len(family.samples) for family in registry.collect())


def _scrape(registry: CollectorRegistry) -> dict[str, float]:
    began = time.perf_counter()
    said = generate_latest(registry)
    return {"milliseconds": round(1000 * (time.perf_counter() - began), 1), "kibibytes": round(len(said) / 1024, 1)}


if __name__ == "__main__":
    sys.exit(main())
