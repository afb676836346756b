"""Living through a sample: the service's own engine in memory, once to learn its segments, and once for each margin.

The segments are those that the sample ends with, and stand still meanwhile: silent customers are looked at when they
would move, which depends on the margin, so a model that learns would be another one under each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from consumers.twins import Twins, drain
from consumers.worker import Done
from producers.orders import Encoded
from producers.sink import Outgoing
from stream.contracts.changes import SegmentChange, decode_change
from stream.contracts.timestamps import ms_of
from stream.errors import SettingsError
from stream.model.snapshot import Snapshot
from stream.model.snapshot_record import written
from stream.packing import pack
from stream.settings import Tree


@dataclass(frozen=True)
class Move:
    """A customer changed segment."""

    customer: str
    at_ms: int
    from_id: str
    to_id: str


@dataclass(frozen=True)
class Life:
    """What came of one margin."""

    margin: float
    events: int
    moves: Sequence[Move]
    """From one segment to another, in order of event time; without first assignments."""
    entries: Sequence[Move]
    """The first segment of each customer, from none."""


def learn(settings: Tree, orders: Sequence[Encoded], tell: Callable[[int], None]) -> Snapshot:
    """The model that the orders, in time order, come to. ``tell`` is told how many have happened.

    Raises ``SettingsError`` when there are too few customers for one.
    """
    model = settings.model.model_copy(update={"interval_seconds": 0.0, "regroup": "auto"})
    twins = Twins(settings.model_copy(update={"model": model}))
    lockstep = twins.lockstep()
    _happen(twins, orders, lockstep.run_once, tell)
    if lockstep.assigner is None:
        needed, there = model.warmup_customers, len({order.key for order in orders})
        raise SettingsError(
            f"model.warmup_customers: a first model needs {needed} customers, the sample has {there}; lower it, or "
            "take a larger sample"
        )
    return lockstep.assigner.snapshot


def live(
    settings: Tree, margin: float, model: Snapshot, orders: Sequence[Encoded], tell: Callable[[int], None]
) -> Life:
    """Let the orders happen under a margin and a model that stands still."""
    twins = Twins(settings)
    record = pack(*written(replace(model, margin=margin)))
    twins.broker.append(Outgoing(settings.topics.model, 0, None, record))
    _happen(twins, orders, twins.service().worker().run_once, tell)
    changes = sorted(map(decode_change, twins.changes()), key=lambda change: (change.occurred_at, change.version))
    moves = [move for change in changes if (move := _move(change)) is not None]
    return Life(margin, len(orders), [m for m in moves if m.from_id], [m for m in moves if not m.from_id])


def _happen(twins: Twins, orders: Sequence[Encoded], run_once: Callable[[], Done], tell: Callable[[int], None]) -> None:
    size = twins.settings.kafka.max_poll_records
    drain(run_once)  # joining takes rounds of its own
    for start in range(0, len(orders), size):
        tell(twins.send(orders[start : start + size]))
        drain(run_once, idle_rounds=1)


def _move(change: SegmentChange) -> Move | None:
    before = change.previous.id if change.previous else ""
    after = change.current.id if change.current else ""
    if not after or before == after:
        return None
    return Move(change.customer_id, ms_of(change.occurred_at), before, after)
