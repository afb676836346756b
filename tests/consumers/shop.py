"""A small shop on the twins whose events have all been processed: the stream is quiet, everybody agrees."""

from __future__ import annotations

from typing import Any

from consumers.memory_source import MemoryTail
from consumers.twins import Twins, drain
from producers.personas import Personas, PersonasPlan
from stream.contracts.partitioning import partition_of
from stream.settings import Tree, load
from stream.view.store import Update, Wanted

PLAN = PersonasPlan(customers=60, days=60)
MODEL = {"segments": 3, "cells": 24, "warmup_customers": 40, "macro_rows": 150, "interval_seconds": 0}


def settings(**flags: Any) -> Tree:
    """Fast, in many batches, and with a model after a few of them. ``flags`` are sections."""
    model = {**MODEL, **flags.pop("model", {})}
    kafka = {"max_poll_records": 50}
    return load(flags={"profile": "personas", "model": model, "kafka": kafka, **flags})


def quiet_shop(tree: Tree | None = None, plan: PersonasPlan = PLAN) -> Twins:
    """Two months of sixty customers, all committed, learnt and applied."""
    twins = Twins(tree or settings())
    twins.send(Personas(plan))
    settle(twins)
    return twins


def settle(twins: Twins) -> None:
    """Process everything that was sent."""
    lockstep = twins.lockstep()
    drain(lockstep.run_once)
    lockstep.close()


def tail(twins: Twins) -> MemoryTail:
    """Reads the shop's topics."""
    return MemoryTail(twins.broker)


def moved_customer(twins: Twins, changes: int = 2) -> str:
    """The first customer who is in a segment after at least so many changes."""
    rows = sorted(twins.store.reader.customers())
    return next(name.decode() for name, row in rows if row["id"] and int(row["version"]) >= changes)


def home(twins: Twins, customer: str) -> int:
    """The customer's partition."""
    return partition_of(customer.encode(), twins.settings.topics.partitions)


def tamper(twins: Twins, partition: int, **changed: Any) -> None:
    """Write to the store as nobody should; ``changed`` are fields of ``Update``."""
    held = twins.store.load({partition: Wanted(())})[partition].watermark
    assert held is not None
    assert twins.store.apply(partition, held, Update(**{"watermark": held, **changed}))
