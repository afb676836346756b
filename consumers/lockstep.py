"""Lockstep: worker and owner in one process, taking turns, so that a replay is the same every time.

The owner learns a batch before the worker takes the next one. Same code, same topics, same transactions; only who
waits for whom is fixed.
"""

from __future__ import annotations

from consumers.owner import Owner
from consumers.worker import Done, Worker
from stream.decision.assign import Assigner
from stream.errors import BrokerUnavailable

_ROUNDS = 500
"""Rounds of at most a tenth of a second that the owner gets to read what the worker committed."""


class Lockstep:
    """One worker and one owner."""

    def __init__(self, worker: Worker, owner: Owner) -> None:
        self._worker, self._owner = worker, owner

    def run_once(self) -> Done:
        """One batch of the worker, then everything it gave the owner to learn. Raises ``BrokerUnavailable``."""
        done = self._worker.run_once()
        if done.learning_next is not None:
            self._learn(done.learning_next)
        return done

    @property
    def assigner(self) -> Assigner | None:
        """The model in use."""
        return self._worker.assigner

    def _learn(self, learning_next: int) -> None:
        for _ in range(_ROUNDS):
            step = self._owner.run_once(timeout_seconds=0.1)
            if step is not None:
                self._worker.await_model(step.snapshot.version)
            if self._owner.next_offset >= learning_next:
                return
        raise BrokerUnavailable("the owner does not see what the worker committed to the learning topic")

    def close(self) -> None:
        """Leave both groups."""
        self._worker.close()
        self._owner.close()
