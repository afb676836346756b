"""Pacing: a year that is read at once must fall silent exactly as the same year read little by little.

    python -m benchmarks.pacing --json [--days 365] [--customers 1000]

Both runs decide with the same model, learnt beforehand on the whole year and then frozen: what is compared is timers,
not learning. Changes of cause ``time`` are compared one by one: customer, event time, segment, status.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from producers.sink import Outgoing
from stream.contracts.changes import decode_change
from stream.settings import Tree, load

AT_ONCE, PACED = 2000, 25
"""Events a batch."""


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = run(list(Personas(PersonasPlan(customers=arguments.customers, days=arguments.days, seed=1))))
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 0 if report["identical"] else 1


def run(events: list[Encoded]) -> dict[str, Any]:
    """Learn the year, then live it twice under the model learnt."""
    taught = Twins(_settings(AT_ONCE, frozen=False))
    taught.send(events)
    drain(taught.lockstep().run_once)
    (record, *_), _ = MemoryTail(taught.broker).read(taught.settings.topics.model, 0, _last_snapshot(taught), 0.0)
    at_once, paced = (_falls_silent(events, record.value or b"", size) for size in (AT_ONCE, PACED))
    return {
        "events": len(events),
        "time_changes": len(at_once),
        "dormant": sum(status == "dormant" for *_, status in at_once),
        "identical": at_once == paced,
        "differences": len(set(at_once) ^ set(paced)),
    }


def _settings(batch: int, *, frozen: bool) -> Tree:
    kafka = {"max_poll_records": batch}
    model = {"interval_seconds": 0, "frozen": frozen, "warmup_customers": 200}
    return load(flags={"profile": "personas", "kafka": kafka, "model": model})


def _last_snapshot(twins: Twins) -> int:
    """Offset of the newest record of the model topic: the last before its transaction's marker."""
    _, end = twins.broker.bounds(twins.settings.topics.model, 0)
    return end - 2


def _falls_silent(events: list[Encoded], model: bytes, batch: int) -> list[tuple[str, str, str, str]]:
    twins = Twins(_settings(batch, frozen=True))
    twins.broker.append(Outgoing(twins.settings.topics.model, 0, None, model))
    worker = twins.service().worker()  # a frozen model needs no owner
    if batch == AT_ONCE:
        twins.send(events)
        drain(worker.run_once)
    else:
        for start in range(0, len(events), batch):
            twins.send(events[start : start + batch])
            drain(worker.run_once, idle_rounds=1)
    changes = [decode_change(value) for value in twins.changes()]
    return sorted(
        (c.customer_id, c.occurred_at, c.current.id, c.current.status.value)
        for c in changes
        if c.cause == "time" and c.current is not None
    )


if __name__ == "__main__":
    sys.exit(main())
