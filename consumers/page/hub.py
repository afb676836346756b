"""The hub: one snapshot a second, made once, for every browser that listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count

TICK_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
"""A comment this often where there is nothing to say, so that nothing on the way takes the connection for dead."""
RETRY_MS = 2000
WAITING = 2
"""Snapshots that wait for a slow browser; an older one is worth nothing, so it goes first."""


class Full(Exception):
    """As many listen as may."""


class Hub:
    """Belongs to one event loop."""

    def __init__(self, snapshot: Callable[[], bytes], most_clients: int) -> None:
        self._snapshot, self._most = snapshot, most_clients
        self._queues: set[asyncio.Queue[bytes]] = set()
        self._numbers = count(1)
        self.is_ending: Callable[[], bool] = lambda: False

    @property
    def clients(self) -> int:
        """How many listen."""
        return len(self._queues)

    async def run(self) -> None:
        """Tick for ever. Where nobody listens nothing is made."""
        while True:
            if self._queues:
                self.publish(await asyncio.to_thread(self._snapshot))
            await asyncio.sleep(TICK_SECONDS)

    def publish(self, document: bytes) -> None:
        """Give everybody the newest."""
        message = self._message(document)
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(message)

    def join(self) -> asyncio.Queue[bytes]:
        """Listen. Raises ``Full``."""
        if len(self._queues) >= self._most:
            raise Full
        queue = asyncio.Queue[bytes](WAITING)
        self._queues.add(queue)
        return queue

    async def listen(self, queue: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
        """A server-sent event stream: the state as it is, then every tick."""
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            yield self._message(await asyncio.to_thread(self._snapshot))
            while not self.is_ending():
                try:
                    yield await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._queues.discard(queue)

    def _message(self, document: bytes) -> bytes:
        return b"id: %d\nevent: snapshot\ndata: %b\n\n" % (next(self._numbers), document)
