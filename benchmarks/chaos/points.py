"""Where the crash points are: hung around the seams of the service and around its Kafka client, from outside.

Nothing in the service knows of them. What is replaced are bound methods of what ``kafka_backend`` hands out, and
methods of kafka-python's producer.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kafka import KafkaProducer
from kafka.net.connection import KafkaConnection
from kafka.net.transport import KafkaTCPTransport
from kafka.protocol.producer import EndTxnRequest

from benchmarks.chaos.cast import OWNS
from benchmarks.chaos.tripwire import Tripwire
from consumers.build import Backend
from consumers.source import Source
from producers.sink import Sink
from stream.view.store import Store


class Watched:
    """One process: all that is wired here passes the same tripwire."""

    def __init__(self, tripwire: Tripwire) -> None:
        self._trip = tripwire
        self._applied = 0
        self._restoring: set[int] = set()
        self.sources: list[Source] = []

    def backend(self, backend: Backend) -> Backend:
        """The same, watched."""

        def source(*given: Any, **named: Any) -> Source:
            return self.source(backend.source(*given, **named))

        return replace(
            backend,
            source=source,
            sink=lambda transactional_id: self.sink(backend.sink(transactional_id)),
            store=lambda: self.store(backend.store()),
        )

    def source(self, source: Source) -> Source:
        """H before a poll that follows an apply, A after one that brought records."""

        self.sources.append(source)
        owned: frozenset[int] = frozenset()

        def polled(poll: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal owned
            if self._applied:
                self._applied = 0
                self._trip.passing("H")
            got = poll(*arguments)
            if got.assigned != owned:
                owned = got.assigned
                os.write(2, f"{OWNS} {' '.join(map(str, sorted(owned)))}\n".encode())
            if got.count:
                self._trip.passing("A")
            return got

        return around(source, "poll", polled)

    def sink(self, sink: Sink) -> Sink:
        """B before a transaction, F after it."""

        def committed(commit: Callable[..., Any], *arguments: Any) -> Any:
            self._trip.passing("B")
            written = commit(*arguments)
            self._applied = 0
            self._trip.passing("F")
            return written

        return around(sink, "commit", committed)

    def store(self, store: Store) -> Store:
        """G before the second update after a transaction, I before every page of a restore."""

        def applied(apply: Callable[..., Any], partition: int, *arguments: Any) -> Any:
            if partition in self._restoring:
                self._trip.passing("I")
                return apply(partition, *arguments)
            if self._applied:
                self._trip.passing("G")
            self._applied += 1
            return apply(partition, *arguments)

        def said(publish: Callable[..., Any], partition: int, status: str | None) -> Any:
            is_restoring = status is not None and status.startswith("restoring")
            (self._restoring.add if is_restoring else self._restoring.discard)(partition)
            return publish(partition, status)

        return around(around(store, "apply", applied), "publish_status", said)


def watch_client(tripwire: Tripwire) -> None:
    """C, D and E: inside of a transaction of kafka-python."""

    def sent(send: Callable[..., Any], producer: Any, *arguments: Any) -> Any:
        future = send(producer, *arguments)
        tripwire.passing("C", before=lambda: producer.flush(2.0))
        return future

    def offsets_sent(send: Callable[..., Any], *arguments: Any) -> Any:
        answer = send(*arguments)
        tripwire.passing("D")
        return answer

    ending: set[int] = set()

    def requested(request: Callable[..., Any], connection: Any, what: Any, **rest: Any) -> Any:
        if isinstance(what, EndTxnRequest):
            ending.add(id(connection.transport))
        return request(connection, what, **rest)

    def put_on_the_wire(write: Callable[..., Any], transport: Any) -> Any:
        answer = write(transport)
        if id(transport) in ending:
            ending.discard(id(transport))
            tripwire.passing("E")
        return answer

    around(KafkaProducer, "send", sent)
    around(KafkaProducer, "send_offsets_to_transaction", offsets_sent)
    around(KafkaConnection, "_send_request", requested)
    around(KafkaTCPTransport, "_sock_send", put_on_the_wire)


def around(thing: Any, name: str, hook: Callable[..., Any]) -> Any:
    """Let ``hook`` be called in place of a method, with the method as its first argument."""
    method = getattr(thing, name)
    setattr(thing, name, lambda *arguments, **rest: hook(method, *arguments, **rest))
    return thing
