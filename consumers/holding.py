"""Holding: a worker that must not take records, because an operator said so or because too many of them are bad.

It keeps its place in the group and goes on polling, so nobody else takes up what it must leave; no record is processed,
no timer fires. What was not committed comes again when it goes on.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping

from consumers.assembling import Intake
from consumers.circuit import Circuit
from consumers.control import ControlFeed
from consumers.printable import safe
from stream.contracts.control import Control
from stream.health import WorkerHealth
from stream.view.store import Store

log = logging.getLogger(__name__)


class Gate:
    """Whether one worker may take records; and if not, why, for everybody to see."""

    def __init__(
        self,
        control: ControlFeed,
        circuit: Circuit,
        store: Store,
        health: WorkerHealth,
        now_seconds: Callable[[], float],
    ) -> None:
        self._control, self._circuit, self._store = control, circuit, store
        self._health, self._now_seconds = health, now_seconds
        self._tripped = ""
        self._held: str | None = None
        self._told: set[int] = set()

    def held(self) -> str | None:
        """Why the worker must hold now, in words; ``None`` = go on. Raises ``BrokerUnavailable``."""
        command = self._control.refresh()
        if command is not None and not command.paused and self._circuit.is_open:
            log.warning("resumed: bad records go to the rejected topic, until a whole window is below the share again")
            self._circuit.accept(self._now_seconds())
        newest = self._control.newest
        paused = _paused(newest) if newest is not None and newest.paused else None
        self._health.holding(paused=paused is not None, circuit_open=self._circuit.is_open)
        self._change(paused or (self._tripped if self._circuit.is_open else None))
        return self._held

    def lets_through(self, intakes: Mapping[int, Intake]) -> bool:
        """Whether a batch may be committed. If not, its offsets must stay, and ``held`` says why from now on."""
        records, rejected = _counts(intakes)
        if self._circuit.lets_through(records, rejected, self._now_seconds()):
            return True
        reasons = Counter(reason for intake in intakes.values() for reason in intake.reasons)
        common = ", ".join(reason for reason, _ in reasons.most_common(2))
        self._tripped = (
            f"circuit open: too many bad records, {rejected:,} of the {records:,} at hand ({common}); "
            "nothing of them is committed; mend the producer, or let them go to the rejected topic: segstream resume"
        )
        self._health.circuit_open.set(1)
        self._change(self._tripped)
        return False

    def committed(self, intakes: Mapping[int, Intake]) -> None:
        """A batch was committed."""
        self._circuit.count(*_counts(intakes), self._now_seconds())

    def tell(self, partitions: Collection[int]) -> None:
        """Say of every partition held why it is. Restoring it, when the worker goes on, takes that back."""
        self._told &= set(partitions)
        for partition in sorted(set(partitions) - self._told):
            self._store.publish_status(partition, self._held)
            self._told.add(partition)

    def close(self) -> None:
        """Release the connection."""
        self._control.close()

    def _change(self, held: str | None) -> None:
        if held == self._held:
            return
        if held is None:
            log.warning("going on")
        else:
            log.log(logging.ERROR if self._circuit.is_open else logging.WARNING, "holding: %s", held)
        self._held, self._told = held, set()


def _paused(command: Control) -> str:
    reason = f": {safe(command.reason)}" if command.reason else ""
    return f"paused since {command.at}{reason}; it goes on with: segstream resume"


def _counts(intakes: Mapping[int, Intake]) -> tuple[int, int]:
    rejected = sum(len(intake.rejected) for intake in intakes.values())
    return rejected + sum(len(intake.events) for intake in intakes.values()), rejected
