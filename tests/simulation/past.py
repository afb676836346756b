"""A past: what a fleet has lived through, lived once and then copied."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

from producers.memory_log import MemoryLog
from tests.helpers import DAY_MS
from tests.simulation.fleet import CUSTOMERS, OWNERS, WORKERS, Fleet


def lived() -> Fleet:
    """A fleet with a model: everybody has ordered twice. A worker and an owner have just taken up what was left."""
    fleet, past = Fleet(), _past()
    fleet.wall.seconds, fleet.now_ms, fleet.sent = past.wall.seconds, past.now_ms, list(past.sent)
    fleet.store.go_back(past.store.backup())
    of, broker = past.broker, fleet.broker
    broker._topics = {t: [MemoryLog(list(log.entries), log.first) for log in logs] for t, logs in of._topics.items()}
    broker._groups = deepcopy(of._groups)
    broker._producer_epochs = dict(of._producer_epochs)
    broker._begun = of._begun
    for name in (WORKERS[0], OWNERS[0]):
        fleet.run(name)
    return fleet


@cache
def _past() -> Fleet:
    """Everybody is gone and every transaction has ended, so that it is only a broker, a store and the time."""
    fleet = Fleet()
    for round_ in range(2):
        fleet.order(range(len(CUSTOMERS)), DAY_MS // 12, 1500 + 4000 * round_)
    fleet.rest()
    fleet.close()
    fleet.broker.end_transactions(fleet.now_ms << 1)
    return fleet
