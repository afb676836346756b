"""A TCP proxy that misbehaves on demand: it delays, withholds, drops replies, cuts, and lets connections half open.

It runs in a thread of its own. For Kafka it can follow the frames, so that a rule may concern one kind of request.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from consumers.embedded import HOST

PRODUCE, END_TXN, TXN_OFFSET_COMMIT = 0, 26, 28
"""Kinds of requests in Kafka's protocol (api keys)."""
_CHUNK = 64 * 1024


@dataclass
class Rules:
    """What is done to the traffic, now. ``kinds``: only to these Kafka requests; ``None`` = to everything."""

    delay_seconds: float = 0.0
    """Of every reply."""
    drop_replies: bool = False
    """Requests arrive, replies do not: the connection stays open."""
    hold_requests: bool = False
    """Requests wait in the proxy until the rule is lifted."""
    refuse: bool = False
    """New connections are closed at once."""
    kinds: frozenset[int] | None = None
    met: int = 0
    """How many requests or replies the rule met."""

    def concerns(self, kind: int | None) -> bool:
        """Whether a request of this kind, or its reply, is meant."""
        return self.kinds is None or kind in self.kinds


@dataclass(eq=False)
class _Connection:
    """One client's connection, and what it asked that was not yet answered (Kafka only): correlation id -> kind."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    asked: dict[bytes, int] = field(default_factory=dict)


class Proxy:
    """Listens on ``port`` while entered, and passes on to ``upstream``. ``frames``: speak Kafka."""

    def __init__(self, upstream: int = 0, *, frames: bool = False) -> None:
        self.upstream = upstream
        self.port = 0
        self.rules = Rules()
        self._frames = frames
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, HOST, 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def under(self, rules: Rules) -> Iterator[Rules]:
        """These rules for the block; requests that were held go on afterwards."""
        self.rules = rules
        try:
            yield rules
        finally:
            self.rules = Rules()

    def cut(self) -> int:
        """Close all connections; returns how many."""
        return self._run(self._cut())

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10.0)

    async def _cut(self) -> int:
        connections = list(self._connections)
        for connection in connections:
            connection.client.transport.abort()
            connection.server.transport.abort()
        return len(connections)

    async def _stop(self) -> None:
        self._server.close()
        await self._cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if not self.rules.refuse:
                await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replies, server = await asyncio.open_connection(HOST, self.upstream)
        connection = _Connection(writer, server)
        self._connections.add(connection)
        try:
            both = (self._requests(reader, connection), self._replies(replies, connection))
            done, rest = await asyncio.wait(map(asyncio.ensure_future, both), return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.gather(*done, *rest, return_exceptions=True)
        finally:
            self._connections.discard(connection)
            server.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, connection: _Connection) -> None:
        async for chunk in self._chunks(reader):
            kind = None
            if self._frames:
                kind = int.from_bytes(chunk[4:6], "big")
                connection.asked[chunk[8:12]] = kind
            met = False
            while self.rules.hold_requests and self.rules.concerns(kind):
                self.rules.met += not met
                met = True
                await asyncio.sleep(0.02)
            await _pass_on(connection.server, chunk)

    async def _replies(self, reader: asyncio.StreamReader, connection: _Connection) -> None:
        async for chunk in self._chunks(reader):
            kind = connection.asked.pop(chunk[4:8], None) if self._frames else None
            rules = self.rules
            if rules.concerns(kind) and (rules.drop_replies or rules.delay_seconds):
                rules.met += 1
                if rules.drop_replies:
                    continue
                await asyncio.sleep(rules.delay_seconds)
            await _pass_on(connection.client, chunk)

    async def _chunks(self, reader: asyncio.StreamReader) -> Any:
        """What comes: frames of Kafka, or whatever is there."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                if self._frames:
                    size = await reader.readexactly(4)
                    yield size + await reader.readexactly(int.from_bytes(size, "big"))
                elif chunk := await reader.read(_CHUNK):
                    yield chunk
                else:
                    return


async def _pass_on(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    with suppress(ConnectionError):
        writer.write(chunk)
        await writer.drain()
