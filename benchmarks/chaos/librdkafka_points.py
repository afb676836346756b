"""C, D and E of ``points`` when the service speaks librdkafka: hung into a subclass of its producer."""

from __future__ import annotations

import threading
from typing import Any

from confluent_kafka import Producer

from benchmarks.chaos.tripwire import Tripwire
from producers import librdkafka_sink

ON_THE_WIRE_SECONDS = 0.003
"""How far into its commit librdkafka has sent EndTxn and, on one machine, hardly ever has the reply: it commits out of
sight of Python."""


def watch_client(tripwire: Tripwire) -> None:
    """Let the service build its producers from a class with tripwires."""

    class Watched(Producer):
        """As its base, passing C, D and E."""

        def produce(self, *given: Any, **named: Any) -> None:
            super().produce(*given, **named)
            tripwire.passing("C", before=lambda: super(Watched, self).flush(2.0))

        def send_offsets_to_transaction(self, *given: Any) -> None:
            super().send_offsets_to_transaction(*given)
            tripwire.passing("D")

        def commit_transaction(self, *given: Any) -> None:
            if tripwire.is_set("E"):
                threading.Timer(ON_THE_WIRE_SECONDS, tripwire.passing, ("E",)).start()
            super().commit_transaction(*given)

    librdkafka_sink.Producer = Watched  # type: ignore[attr-defined]
